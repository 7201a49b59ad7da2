"""What changed between two bodies, field by field."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from governance.canonical import canonical
from governance.findings import pointer


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where (JSON Pointer; places after an insertion are those of the later body), and both values."""

    path: str
    op: Literal["added", "removed", "changed"]
    before: Any
    after: Any

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON answers."""
        return asdict(self)


def difference(before: object, after: object) -> list[Change]:
    """Every change from `before` to `after`. Empty if and only if the bodies are equal. Lists are aligned, not compared by place."""
    return list(_changes(before, after, ()))


def _changes(before: object, after: object, at: tuple[object, ...]) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            if key not in after:
                yield Change(pointer((*at, key)), "removed", before[key], None)
            elif key not in before:
                yield Change(pointer((*at, key)), "added", None, after[key])
            else:
                yield from _changes(before[key], after[key], (*at, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_changes(before, after, at)
    elif canonical(before) != canonical(after):
        yield Change(pointer(at), "changed", before, after)


def _list_changes(before: list[Any], after: list[Any], at: tuple[object, ...]) -> Iterator[Change]:
    """Items with an `id` are the same item wherever that id is; others are aligned by their content."""
    matcher = difflib.SequenceMatcher(None, [_identity(item) for item in before], [_identity(item) for item in after], autojunk=False)
    for op, a, b, c, d in matcher.get_opcodes():
        if op == "equal":
            for old, new, place in zip(before[a:b], after[c:d], range(c, d), strict=True):
                yield from _changes(old, new, (*at, place))
            continue
        paired = min(b - a, d - c) if _nameless(before[a:b]) and _nameless(after[c:d]) else 0
        for step in range(paired):
            yield from _changes(before[a + step], after[c + step], (*at, c + step))
        for place in range(a + paired, b):
            yield Change(pointer((*at, place)), "removed", before[place], None)
        for place in range(c + paired, d):
            yield Change(pointer((*at, place)), "added", None, after[place])


def _identity(item: object) -> str:
    if isinstance(item, Mapping) and "id" in item:
        return f"id {canonical(item['id'])}"
    return canonical(item)


def _nameless(items: list[Any]) -> bool:
    return all(not (isinstance(item, Mapping) and "id" in item) for item in items)
