"""What the database holds, as rows of the exported tables: streamed in blocks, from one snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from pyroaring import BitMap64

from delivery import sql
from delivery.history.schema import ATTEMPTS, DECISIONS, EVENTS, LEFT_OUT, MESSAGES, PEOPLE, RUNS, Column, Table
from delivery.models import LeftOut
from delivery.states import AttemptState, MessageState
from governance.door import Refused

BLOCK = 65_536  # rows; a row group of a file
FENCE_WAITS = 60.0  # seconds for transactions that write events
Block = list[tuple[Any, ...]]

_STATE = f"""CASE WHEN m.state <> {MessageState.SENDING:d} THEN m.state WHEN a.state = {AttemptState.SENT:d} THEN {MessageState.SENT:d}
    WHEN a.state = {AttemptState.IN_DOUBT:d} THEN {MessageState.IN_DOUBT:d} ELSE {MessageState.SENDING:d} END"""
_MESSAGES = f"""SELECT m.dispatch_id, m.n, m.profile_id, {_STATE}, m.reason, m.variant, m.at, m.attempt_id, a.vendor, a.account
    FROM delivery_message m LEFT JOIN delivery_attempt a ON a.id = m.attempt_id
    WHERE m.dispatch_id = %s AND m.workspace_id = %s ORDER BY m.n"""
_ATTEMPTS = """SELECT id, dispatch_id, vendor, account, state, count, first_n, last_n, cost_micros, posted_at, heard_at, resolved_at,
    resolved_by, vendor_id, detail FROM delivery_attempt WHERE dispatch_id = %s AND workspace_id = %s ORDER BY first_n, id"""
_EVENT = """SELECT id, dispatch_id, n, vendor, kind, at, received_at, machine, permanent, link,
    CASE WHEN kind = 'unreadable' THEN '' ELSE detail END FROM delivery_vendorevent"""
_DECISIONS = """SELECT dispatch_id, n, profile_id, decided_at, expires_at FROM delivery_decision
    WHERE dispatch_id = %s AND workspace_id = %s ORDER BY n"""
_RUNS = f"""SELECT id, kind, key, occurrence, channel, message_class, topic, vendor, account, template_revision_id, campaign_revision_id,
    bill_hash, shadow, state, CASE WHEN kind = 'campaign' THEN considered ELSE 0 END, CASE WHEN kind = 'campaign' THEN planned ELSE 0 END,
    estimated_micros, currency, planned_at, finished_at, archived_at FROM delivery_dispatch WHERE workspace_id = %s AND {{since}} ORDER BY id"""
_PEOPLE = """SELECT id, external_id FROM audience_profile WHERE workspace_id = %s AND erased_at IS NULL ORDER BY id"""


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read inside comes from one moment of the database, and no writer waits for it."""
    if connection.in_atomic_block:  # the caller's own moment
        yield
    elif sql.on_postgres():
        with transaction.atomic():
            sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        connection.ensure_connection()
        sql.run("BEGIN DEFERRED")  # Django's own transactions take the writer's turn
        try:
            yield
        finally:
            sql.run("ROLLBACK")


def messages(workspace_id: int, dispatch_id: int) -> Iterator[Block]:
    """One run's ledger, in the order of n."""
    return _stream(_MESSAGES, [dispatch_id, workspace_id], MESSAGES)


def attempts(workspace_id: int, dispatch_id: int) -> Iterator[Block]:
    """One run's vendor requests."""
    return _stream(_ATTEMPTS, [dispatch_id, workspace_id], ATTEMPTS)


def decisions(workspace_id: int, dispatch_id: int) -> Iterator[Block]:
    """One standing run's decisions."""
    return _stream(_DECISIONS, [dispatch_id, workspace_id], DECISIONS)


def left_out(workspace_id: int, dispatch_id: int) -> Iterator[Block]:
    """Whom one run's plan left out, by reason and number."""
    for row in LeftOut.objects.filter(dispatch_id=dispatch_id, workspace_id=workspace_id).order_by("reason").iterator():
        people = BitMap64.deserialize(bytes(row.ids))
        for start in range(0, len(people), BLOCK):
            yield [(dispatch_id, int(person), row.reason) for person in people[start : start + BLOCK]]


def events(workspace_id: int, *, after: int, upto: int, also: Sequence[int] = ()) -> Iterator[Block]:
    """The events numbered after `after` up to `upto`, and those of `also`, in the order of their numbers; undecided clicks left out."""
    which = f"WHERE workspace_id = %s AND kind <> 'clicking' AND (id > %s AND id <= %s OR {sql.among('id')}) ORDER BY id"
    return _stream(f"{_EVENT} {which}", [workspace_id, after, upto, sql.numbers(also)], EVENTS)


def events_of_day(workspace_id: int, begin: datetime, end: datetime) -> Iterator[Block]:
    """The events that arrived in [begin, end), by number."""
    which = "WHERE workspace_id = %s AND received_at >= %s AND received_at < %s ORDER BY id"
    return _stream(f"{_EVENT} {which}", [workspace_id, sql.moment(begin), sql.moment(end)], EVENTS)


def undecided(workspace_id: int, *, after: int, upto: int) -> list[int]:
    """The numbers of clicks of which nobody knows yet whose they are."""
    statement = "SELECT id FROM delivery_vendorevent WHERE workspace_id = %s AND kind = 'clicking' AND id > %s AND id <= %s ORDER BY id"
    return [row[0] for row in sql.rows(statement, [workspace_id, after, upto])]


def runs(workspace_id: int, since: datetime | None) -> Iterator[Block]:
    """All runs planned since then."""
    where, given = ("planned_at >= %s", [sql.moment(since)]) if since else ("1 = 1", [])
    return _stream(_RUNS.format(since=where), [workspace_id, *given], RUNS)


def people(workspace_id: int) -> Iterator[Block]:
    """Everybody who isn't erased: number and external id."""
    return _stream(_PEOPLE, [workspace_id], PEOPLE)


def settled_events() -> int:
    """A number up to which no event will appear any more that can't be read now.

    Numbers are handed out before their rows are committed. On PostgreSQL every writer that had one when the sequence was read still
    holds its lock on the table: it is waited for, and nobody waits for us. Raises Refused where one doesn't end within a minute.
    """
    if not sql.on_postgres():
        return int(sql.rows("SELECT COALESCE(MAX(id), 0) FROM delivery_vendorevent")[0][0])
    given = sql.rows("SELECT COALESCE((SELECT last_value FROM pg_sequences WHERE sequencename = 'delivery_vendorevent_id_seq'), 0)")
    writers = _writers()
    until = time.monotonic() + FENCE_WAITS
    while writers and (writers := writers & _writers()):
        if time.monotonic() > until:
            raise Refused("a transaction that writes events has been open for a minute: look for it in pg_stat_activity, then try again")
        time.sleep(0.02)
    return int(given[0][0])


def _writers() -> set[str]:
    """Transactions of others that write events, or are about to."""
    return {
        row[0]
        for row in sql.rows(
            """SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = 'delivery_vendorevent'::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND mode = 'RowExclusiveLock' AND pid IS DISTINCT FROM pg_backend_pid()"""
        )
    }


def _stream(statement: str, parameters: Sequence[Any], table: Table) -> Iterator[Block]:
    """The rows of one statement in blocks of BLOCK, without having all of them in memory."""
    moments = [place for place, column in enumerate(table.columns) if _as_text(column)]
    flags = [place for place, column in enumerate(table.columns) if column.kind == "bool" and not sql.on_postgres()]
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        if sql.on_postgres():
            cursor.cursor.itersize = BLOCK
        while rows := cursor.fetchmany(BLOCK):
            yield [_read(row, moments, flags) for row in rows] if moments or flags else list(rows)


def _as_text(column: Column) -> bool:
    return column.kind == "moment" and not sql.on_postgres()


def _read(row: Sequence[Any], moments: Sequence[int], flags: Sequence[int]) -> tuple[Any, ...]:
    """What SQLite keeps as text and numbers."""
    values = list(row)
    for place in moments:
        values[place] = sql.read_moment(values[place]) if values[place] is not None else None
    for place in flags:
        values[place] = bool(values[place])
    return tuple(values)
