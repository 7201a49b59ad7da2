"""Who last changed each field of a document's latest revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from governance.canonical import canonical
from governance.difference import aligned
from governance.findings import Missing, pointer
from governance.models import Revision

Tree = Any  # the shape of a body with a revision's number in the place of every leaf


@dataclass(frozen=True, slots=True)
class Blame:
    """One field of the latest body (JSON Pointer) and the number and author of the revision that gave it its value."""

    path: str
    number: int
    author: str


def blame(workspace_id: int, kind: str, key: str) -> list[Blame]:
    """Every leaf of the latest body with the revision that it comes from. Raises Missing. Reads all revisions of the document."""
    rows = Revision.objects.filter(workspace_id=workspace_id, document__kind=kind, document__key=key).order_by("number")
    authors: dict[int, str] = {}
    body: Any = None
    tree: Tree = None
    for row in rows.select_related("author").iterator(chunk_size=100):
        authors[row.number] = row.author.get_username() if row.author else ""
        tree = _stamped(row.body, row.number) if tree is None else _carried(tree, body, row.body, row.number)
        body = row.body
    if not authors:
        raise Missing(f"no {kind} {key[:80]!r}")
    return [Blame(path, number, authors[number]) for path, number in _leaves(tree, ())]


def _stamped(body: Any, number: int) -> Tree:
    if isinstance(body, Mapping) and body:
        return {key: _stamped(inner, number) for key, inner in body.items()}
    if isinstance(body, list) and body:
        return [_stamped(inner, number) for inner in body]
    return number


def _carried(tree: Tree, before: Any, after: Any, number: int) -> Tree:
    """The tree of `after`: what is equal keeps its number, the rest gets the new one."""
    if canonical(before) == canonical(after):
        return tree
    if isinstance(before, Mapping) and isinstance(after, Mapping) and before and after:
        return {
            key: _carried(tree[key], before[key], inner, number) if key in before else _stamped(inner, number)
            for key, inner in after.items()
        }
    if isinstance(before, list) and isinstance(after, list) and before and after:
        origin = {new: old for old, new in aligned(before, after)}
        return [
            _carried(tree[origin[place]], before[origin[place]], inner, number) if place in origin else _stamped(inner, number)
            for place, inner in enumerate(after)
        ]
    return _stamped(after, number)


def _leaves(tree: Tree, at: tuple[object, ...]) -> Iterator[tuple[str, int]]:
    if isinstance(tree, int):
        yield pointer(at), tree
        return
    for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from _leaves(inner, (*at, key))
