"""Who of a large set can't be written to, or doesn't want to be: asked in ranges, answered with the exceptions only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyroaring import BitMap64

from audience import sql
from audience.consent import WHOLE_CHANNEL

AT_ONCE = 100_000  # members of the set per statement
SPARSE = 8  # a range that holds more others than this per member is asked about by its members instead

_NO_ADDRESS = "(p.erased_at IS NOT NULL OR p.{column} IS NULL)"
_REFUSED = """EXISTS (SELECT 1 FROM audience_subscription s WHERE s.workspace_id = p.workspace_id AND s.profile_id = p.id
    AND s.channel = %s AND s.topic IN (%s, %s) AND s.state = 'unsubscribed')"""
_NEVER_AGREED = """NOT EXISTS (SELECT 1 FROM audience_subscription s WHERE s.workspace_id = p.workspace_id AND s.profile_id = p.id
    AND s.channel = %s AND s.topic = %s AND s.state = 'subscribed')"""


def unreachable(workspace_id: int, ids: BitMap64, *, channel: str) -> BitMap64:
    """Those of `ids` who have no address for this channel, or were erased."""
    return _those(workspace_id, ids, _NO_ADDRESS.format(column="email" if channel == "email" else "phone"), [])


def unwilling(workspace_id: int, ids: BitMap64, *, channel: str, topic: str, message_class: str) -> BitMap64:
    """Those of `ids` whom `consent.consenting` would not name: everybody else may be written to."""
    if message_class == "transactional":
        return BitMap64()
    condition, values = _REFUSED, [channel, topic, WHOLE_CHANNEL]
    if message_class != "service":
        condition, values = f"({_REFUSED} OR {_NEVER_AGREED})", [*values, channel, topic]
    return _those(workspace_id, ids, condition, values)


def addresses(workspace_id: int, ids: BitMap64, *, channel: str) -> Iterator[list[tuple[int, str]]]:
    """The address that each of `ids` is written to on this channel, in pieces; those without one are left out."""
    column = "email" if channel == "email" else "phone"
    for where, bounds in _ranges(ids):
        statement = f"SELECT p.id, p.{column} FROM audience_profile p WHERE p.workspace_id = %s AND {where} AND p.{column} IS NOT NULL"
        yield [(number, address) for number, address in sql.rows(statement, [workspace_id, *bounds]) if number in ids]


def _those(workspace_id: int, ids: BitMap64, condition: str, values: list[Any]) -> BitMap64:
    found = BitMap64()
    for where, bounds in _ranges(ids):
        statement = f"SELECT p.id FROM audience_profile p WHERE p.workspace_id = %s AND {where} AND {condition}"
        found.update(row[0] for row in sql.rows(statement, [workspace_id, *bounds, *values]))
    return found & ids


def _ranges(ids: BitMap64) -> Iterator[tuple[str, list[Any]]]:
    """A condition on p.id with its parameters per piece of the set: a range where the piece is dense, else the piece itself."""
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        first, last = some.min(), some.max()
        if last - first < SPARSE * len(some):
            yield "p.id BETWEEN %s AND %s", [first, last]
        else:
            yield sql.among("p.id"), [sql.listed(some)]
