"""Requests of many rows: each looked at by itself, so that one that is wrong harms no other, and is named by its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from audience.ingest.rows import Rejected
from governance.door import Finding, Invalid, pointer

R = TypeVar("R")


def each_by_itself(given: list[Any], of: str, read: Callable[[Any, str, int], R]) -> tuple[list[R], list[Rejected]]:
    """The rows that could be read, and those whose shape is wrong. of: the list's name in the request; read: a row from what was given, its
    pointer and its place there."""
    rows, rejected = list[R](), []
    for place, one in enumerate(given):
        try:
            rows.append(read(one, pointer([of, place]), place))
        except Invalid as invalid:
            rejected.append(Rejected(place, tuple(invalid.findings)))
    return rows, rejected


def in_order(of: str, misshapen: Iterable[Rejected], refused: Iterable[Rejected]) -> list[Rejected]:
    """All that were not taken, by their places. refused: whose findings point into the row, and from now on into the request."""
    return sorted([*misshapen, *(_placed(of, row) for row in refused)], key=lambda row: row.line)


def told(rejected: Iterable[Rejected]) -> list[dict[str, Any]]:
    """As the answer has them."""
    return [{"place": row.line, "findings": [finding.as_dict() for finding in row.findings]} for row in rejected]


def _placed(of: str, row: Rejected) -> Rejected:
    at = pointer([of, row.line])
    return Rejected(row.line, tuple(Finding(each.level, at + each.path, each.found, each.expected) for each in row.findings))
