"""Who of a large set can't be written to, or doesn't want to be: asked in ranges, answered with the exceptions only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pyroaring import BitMap64

from audience import sql
from audience.topics import WHOLE_CHANNEL

AT_ONCE = 250_000  # members of the set per statement
SPARSE = 8  # a range that holds more others than this per member is asked about by its members instead

_NO_ADDRESS = "(p.gone_at IS NOT NULL OR p.{column} IS NULL)"
_DEVICES = "audience_device d WHERE d.workspace_id = p.workspace_id AND d.profile_id = p.id AND d.invalid_at IS NULL"
_NO_DEVICE = f"(p.gone_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM {_DEVICES}))"
# Joins and not a look-up per person: the database reads both tables once, side by side. At most one row of each is a person's.
_CONSENTS = """LEFT JOIN audience_subscription t
        ON t.workspace_id = p.workspace_id AND t.profile_id = p.id AND t.channel = %s AND t.topic = %s AND {of_topic}
    LEFT JOIN audience_subscription w
        ON w.workspace_id = p.workspace_id AND w.profile_id = p.id AND w.channel = %s AND w.topic = %s AND {of_channel}"""
_REFUSED = "(t.state = 'unsubscribed' OR t.refused OR w.state = 'unsubscribed' OR w.refused)"
_NEVER_AGREED = "(t.state IS NULL OR t.state <> 'subscribed' OR (t.expires_at IS NOT NULL AND t.expires_at <= %s))"


def unreachable(workspace_id: int, ids: BitMap64, *, channel: str) -> BitMap64:
    """Those of `ids` who have no address for this channel, or were erased."""
    condition = _NO_DEVICE if channel == "push" else _NO_ADDRESS.format(column="email" if channel == "email" else "phone")
    found = BitMap64()
    for where, bounds in _ranges(ids):
        statement = f"SELECT p.id FROM audience_profile p WHERE p.workspace_id = %s AND {where.format('p.id')} AND {condition}"
        found.update(row[0] for row in sql.rows(statement, [workspace_id, *bounds]))
    return found & ids


def unwilling(workspace_id: int, ids: BitMap64, *, channel: str, topic: str, message_class: str, now: datetime) -> BitMap64:
    """Those of `ids` whom `consent.consenting` would not name: everybody else may be written to now."""
    found = BitMap64()
    if message_class == "transactional":
        return found
    condition = _REFUSED if message_class == "service" else f"({_REFUSED} OR {_NEVER_AGREED})"
    for where, bounds in _ranges(ids):
        joins = _CONSENTS.format(of_topic=where.format("t.profile_id"), of_channel=where.format("w.profile_id"))
        statement = f"SELECT p.id FROM audience_profile p {joins} WHERE p.workspace_id = %s AND {where.format('p.id')} AND {condition}"
        moment = [] if message_class == "service" else [sql.moment(now)]
        given = [channel, topic, *bounds, channel, WHOLE_CHANNEL, *bounds, workspace_id, *bounds, *moment]
        found.update(row[0] for row in sql.rows(statement, given))
    return found & ids


def addresses(workspace_id: int, ids: BitMap64, *, channel: str) -> Iterator[list[tuple[int, str]]]:
    """The addresses that each of `ids` may be written to at on this channel, in pieces; those without one are left out. One each, but
    of push as many as they have devices."""
    if channel == "push":
        yield from _devices(workspace_id, ids)
        return
    column = "email" if channel == "email" else "phone"
    for where, bounds in _ranges(ids):
        some = f"p.workspace_id = %s AND {where.format('p.id')}"
        statement = f"SELECT p.id, p.{column} FROM audience_profile p WHERE {some} AND p.{column} IS NOT NULL"
        yield [(number, address) for number, address in sql.rows(statement, [workspace_id, *bounds]) if number in ids]


def _devices(workspace_id: int, ids: BitMap64) -> Iterator[list[tuple[int, str]]]:
    for where, bounds in _ranges(ids):
        condition = f"d.workspace_id = %s AND {where.format('d.profile_id')} AND d.invalid_at IS NULL"
        rows = sql.rows(f"SELECT d.profile_id, d.address FROM audience_device d WHERE {condition}", [workspace_id, *bounds])
        yield [(number, address) for number, address in rows if number in ids]


def _ranges(ids: BitMap64) -> Iterator[tuple[str, list[Any]]]:
    """A condition on a column ({}) with its parameters per piece of the set: a range where the piece is dense, else the piece itself."""
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        first, last = some.min(), some.max()
        if last - first < SPARSE * len(some):
            yield "{} BETWEEN %s AND %s", [first, last]
        else:
            yield sql.among("{}"), [sql.listed(some)]
