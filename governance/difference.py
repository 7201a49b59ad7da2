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


def aligned(before: list[Any], after: list[Any]) -> list[tuple[int, int]]:
    """Pairs of places that hold the same item, or the same item edited, both rising.

    Items with an `id` are the same item wherever that id is; others are matched by content, then by their place between those.
    """
    matcher = difflib.SequenceMatcher(None, [_identity(item) for item in before], [_identity(item) for item in after], autojunk=False)
    pairs: list[tuple[int, int]] = []
    for op, a, b, c, d in matcher.get_opcodes():
        if op == "equal" or (_nameless(before[a:b]) and _nameless(after[c:d])):
            pairs += zip(range(a, b), range(c, d), strict=False)
    return pairs


def _list_changes(before: list[Any], after: list[Any], at: tuple[object, ...]) -> Iterator[Change]:
    pairs = aligned(before, after)
    kept, come_from = {old for old, _ in pairs}, {new: old for old, new in pairs}
    yield from (Change(pointer((*at, place)), "removed", item, None) for place, item in enumerate(before) if place not in kept)
    for place, item in enumerate(after):
        if place in come_from:
            yield from _changes(before[come_from[place]], item, (*at, place))
        else:
            yield Change(pointer((*at, place)), "added", None, item)


def _identity(item: object) -> str:
    if isinstance(item, Mapping) and "id" in item:
        return f"id {canonical(item['id'])}"
    return canonical(item)


def _nameless(items: list[Any]) -> bool:
    return all(not (isinstance(item, Mapping) and "id" in item) for item in items)
