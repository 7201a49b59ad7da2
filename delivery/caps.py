"""Frequency caps over sliding windows and calendar days, counted in the ledger by whoever holds the people's locks.

Law: in no window of `hours`, and on no `days` of their calendar, does a person get more than `count` capped messages of the cap's
channel and topic. Messages in doubt count, messages that surely did not go out don't.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from delivery import sql
from delivery.models import Dispatch
from delivery.policy_document import Cap
from delivery.states import MessageState

BLOCK_BITS = 14  # people per lock: 16,384, see docs/decisions


def lock_people(ids: Sequence[int], *, shared: bool = False) -> None:
    """Queue behind every other last look at these people. PostgreSQL: must be alone in the transaction's first statement, so
    that what is counted afterwards was read after the lock; SQLite's writer is alone anyway. shared: only behind those that count, and
    merges."""
    if sql.on_postgres() and ids:
        blocks = sorted({profile_id >> BLOCK_BITS for profile_id in ids})
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        sql.rows(f"SELECT {lock}(1, b) FROM unnest(%s::int[]) b", [blocks])


def capped(
    workspace_id: int, ids: Sequence[int], caps: Sequence[Cap], since: Sequence[datetime], *, again: tuple[int, Sequence[int]]
) -> dict[int, list[int]]:
    """For each person with any message in a window, how many each of `caps` counts; people without are left out.

    since: the beginning of each cap's window, which doesn't belong to it.
    again: a dispatch and numbers in it whose rows are those being looked at and don't count against themselves.
    """
    earliest = min(since)
    dispatches = _counting(workspace_id, earliest)
    if not dispatches:
        return {}
    columns, parameters = [], list[Any]()
    for cap, begins in zip(caps, since, strict=True):
        counted = [pk for pk, channel, topic in dispatches if cap.channel in (None, channel) and cap.topic in (None, topic)]
        columns.append(f"COUNT(*) FILTER (WHERE at > %s AND {sql.among('dispatch_id')})")
        parameters += [sql.moment(begins), sql.numbers(counted)]
    listed = [pk for pk, _, _ in dispatches]
    not_again, numbers = "", list[Any]()
    if again[1]:
        not_again, numbers = f" AND NOT (dispatch_id = %s AND {sql.among('n')})", [again[0], sql.numbers(again[1])]
    found = sql.rows(
        f"""SELECT profile_id, {", ".join(columns)} FROM delivery_message
        WHERE workspace_id = %s AND {sql.among("profile_id")} AND at > %s AND state < {MessageState.FAILED:d}
        AND dispatch_id >= %s AND {sql.among("dispatch_id")}{not_again} GROUP BY profile_id""",
        [*parameters, workspace_id, sql.numbers(ids), sql.moment(earliest), min(listed), sql.numbers(listed), *numbers],
    )
    return {row[0]: list(row[1:]) for row in found}


def _counting(workspace_id: int, since: datetime) -> list[tuple[int, str, str]]:
    """The promotional dispatches that can have admitted somebody since then, with channel and topic. The smallest is a floor
    below which no partition of the ledger is opened."""
    unfinished = Q(finished_at=None) | Q(finished_at__gt=since)
    rows = Dispatch.objects.filter(unfinished, workspace_id=workspace_id, message_class="promotional", shadow=False)
    return list(rows.values_list("id", "channel", "topic"))
