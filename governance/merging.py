"""Two edits of one body made one: what either side changed counts; where both changed the same, mine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_GONE = object()


def merged(base: Any, theirs: Any, mine: Any) -> Any:
    """Objects are merged field by field, and lists whose items carry the same ids in the same order item by item; any other list
    is one value. base: what both started from."""
    if mine == base or mine == theirs:
        return theirs
    if theirs == base:
        return mine
    if all(isinstance(each, Mapping) for each in (base, theirs, mine)):
        both = {name: merged(base.get(name, _GONE), theirs.get(name, _GONE), mine.get(name, _GONE)) for name in {**theirs, **mine}}
        return {name: value for name, value in both.items() if value is not _GONE}
    ids = _ids(base)
    if ids is not None and ids == _ids(theirs) == _ids(mine):
        return [merged(*items) for items in zip(base, theirs, mine, strict=True)]
    return mine


def _ids(items: Any) -> list[str] | None:
    """The ids of a list's items, in order; None where it is no list or one of them has none."""
    if not isinstance(items, list) or not all(isinstance(item, Mapping) and "id" in item for item in items):
        return None
    return [str(item["id"]) for item in items]
