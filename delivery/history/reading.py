"""What the database holds, as blocks of the exported tables: streamed, from one snapshot, never all of it in memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic, sleep
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
from django.db import connection, transaction
from pyroaring import BitMap64

from delivery import partitions, sql
from delivery.history import parquet
from delivery.history.schema import ATTEMPTS, DECISIONS, EVENTS, LEFT_OUT, MESSAGES, PEOPLE, RUNS, Table
from delivery.models import LeftOut
from delivery.states import AttemptState, MessageState
from governance.door import Refused

FENCE_WAITS = 60.0  # seconds for transactions that write events
CHUNK = 4 << 20  # bytes of text that are taken apart at once

_STATE = f"""CASE WHEN m.state <> {MessageState.SENDING:d} THEN m.state WHEN a.state = {AttemptState.SENT:d} THEN {MessageState.SENT:d}
    WHEN a.state = {AttemptState.IN_DOUBT:d} THEN {MessageState.IN_DOUBT:d} ELSE {MessageState.SENDING:d} END"""
_MESSAGES = f"""SELECT m.dispatch_id, m.n, m.profile_id, {_STATE}, m.reason, m.variant, m.at, m.attempt_id,
    COALESCE(a.vendor, ''), COALESCE(a.account, '')
    FROM delivery_message m LEFT JOIN delivery_attempt a ON a.dispatch_id = m.dispatch_id AND a.id = m.attempt_id
    WHERE m.dispatch_id = %s AND m.workspace_id = %s ORDER BY m.n"""
_ATTEMPTS = """SELECT id, dispatch_id, vendor, account, state, count, first_n, last_n, cost_micros, posted_at, heard_at, resolved_at,
    resolved_by, vendor_id, detail, reported_micros FROM delivery_attempt
    WHERE dispatch_id = %s AND workspace_id = %s ORDER BY first_n, id"""
_EVENT = """SELECT id, NULLIF(dispatch_id, 0), n, vendor, kind, at, received_at, machine, permanent, link,
    CASE WHEN kind = 'unreadable' THEN '' ELSE detail END FROM {table}"""
_DECISIONS = """SELECT dispatch_id, n, profile_id, decided_at, expires_at FROM delivery_decision
    WHERE dispatch_id = %s AND workspace_id = %s ORDER BY n"""
_RUNS = """SELECT id, kind, key, occurrence, channel, message_class, topic, vendor, account, template_revision_id, campaign_revision_id,
    bill_hash, shadow, state, CASE WHEN kind = 'campaign' THEN considered ELSE 0 END, CASE WHEN kind = 'campaign' THEN planned ELSE 0 END,
    estimated_micros, currency, planned_at, finished_at, archived_at FROM delivery_dispatch
    WHERE workspace_id = %s AND {since} ORDER BY id"""
_PEOPLE = """SELECT id, external_id FROM audience_profile WHERE workspace_id = %s AND gone_at IS NULL ORDER BY id"""


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


def messages(workspace_id: int, dispatch_id: int) -> Iterator[pa.Table]:
    """One run's ledger, in the order of n."""
    return _stream(_MESSAGES, [dispatch_id, workspace_id], MESSAGES)


def attempts(workspace_id: int, dispatch_id: int) -> Iterator[pa.Table]:
    """One run's vendor requests."""
    return _stream(_ATTEMPTS, [dispatch_id, workspace_id], ATTEMPTS)


def decisions(workspace_id: int, dispatch_id: int) -> Iterator[pa.Table]:
    """One standing run's decisions."""
    return _stream(_DECISIONS, [dispatch_id, workspace_id], DECISIONS)


def left_out(workspace_id: int, dispatch_id: int) -> Iterator[pa.Table]:
    """Whom one run's plan left out, by reason and number."""
    for row in LeftOut.objects.filter(dispatch_id=dispatch_id, workspace_id=workspace_id).order_by("reason").iterator():
        people = BitMap64.deserialize(bytes(row.ids))
        for start in range(0, len(people), parquet.GROUP):
            some = pa.array([int(each) for each in people[start : start + parquet.GROUP]], type=pa.int64())
            same = [pa.array([number] * len(some), type=pa.int64()) for number in (dispatch_id, row.reason)]
            yield parquet.block(LEFT_OUT, [same[0], some, same[1]])


def events(workspace_id: int, *, after: int, upto: int, also: Sequence[int] = (), since: datetime | None = None) -> Iterator[pa.Table]:
    """The events numbered after `after` up to `upto`, and those of `also`, in the order of their numbers; undecided clicks and what
    arrived before `since` left out."""
    which, given = f"kind <> 'clicking' AND (id > %s AND id <= %s OR {sql.among('id')})", [after, upto, sql.numbers(also)]
    if since is not None:
        which, given = f"{which} AND received_at >= %s", [*given, sql.moment(since)]
    select = _EVENT.format(table=partitions.EVENTS)
    return _stream(f"{select} WHERE workspace_id = %s AND {which} ORDER BY id", [workspace_id, *given], EVENTS)


@dataclass(frozen=True, slots=True)
class Block:
    """The events numbered [begin, end) of one table: the whole of it on SQLite, else a partition."""

    table: str
    begin: int
    end: int


def all_events(workspace_id: int, block: Block, day: date) -> Iterator[pa.Table]:
    """A block's events of one workspace that arrived on that day (UTC), undecided clicks and all."""
    since = datetime.combine(day, time.min, tzinfo=UTC)
    select = f"{_EVENT.format(table=block.table)} WHERE workspace_id = %s AND id >= %s AND id < %s"
    given = [workspace_id, block.begin, block.end, sql.moment(since), sql.moment(since + timedelta(days=1))]
    return _stream(f"{select} AND received_at >= %s AND received_at < %s ORDER BY id", given, EVENTS)


def days_of_events(block: Block) -> list[tuple[int, date]]:
    """Whose events these are, and on which days (UTC) they arrived."""
    day = "(received_at AT TIME ZONE 'UTC')::date" if sql.on_postgres() else "substr(received_at, 1, 10)"
    statement = f"SELECT DISTINCT workspace_id, {day} FROM {block.table} WHERE id >= %s AND id < %s ORDER BY 1, 2"
    found = sql.rows(statement, [block.begin, block.end])
    return [(workspace_id, day if isinstance(day, date) else date.fromisoformat(day)) for workspace_id, day in found]


def undecided(workspace_id: int, *, after: int, upto: int) -> list[int]:
    """The numbers of clicks of which nobody knows yet whose they are."""
    statement = "SELECT id FROM delivery_vendorevent WHERE workspace_id = %s AND kind = 'clicking' AND id > %s AND id <= %s ORDER BY id"
    return [row[0] for row in sql.rows(statement, [workspace_id, after, upto])]


def runs(workspace_id: int, since: datetime | None) -> Iterator[pa.Table]:
    """All runs planned since then."""
    where, given = ("planned_at >= %s", [sql.moment(since)]) if since else ("1 = 1", [])
    return _stream(_RUNS.format(since=where), [workspace_id, *given], RUNS)


def run(workspace_id: int, dispatch_id: int) -> Iterator[pa.Table]:
    """One run."""
    return _stream(_RUNS.format(since="id = %s"), [workspace_id, dispatch_id], RUNS)


def people(workspace_id: int) -> Iterator[pa.Table]:
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
    until = monotonic() + FENCE_WAITS
    while writers and (writers := writers & _writers()):
        if monotonic() > until:
            raise Refused("a transaction that writes events has been open for a minute: look for it in pg_stat_activity, then try again")
        sleep(0.02)
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


def _stream(statement: str, parameters: Sequence[Any], table: Table) -> Iterator[pa.Table]:
    """The rows of one statement in blocks. PostgreSQL writes them as CSV, which is taken apart without making Python objects."""
    return _copied(statement, parameters, table) if sql.on_postgres() else _fetched(statement, parameters, table)


def _copied(statement: str, parameters: Sequence[Any], table: Table) -> Iterator[pa.Table]:
    names = [column.name for column in table.columns]
    types = {column.name: parquet.raw_type(column) for column in table.columns}
    reading = csv.ReadOptions(column_names=names, block_size=CHUNK, use_threads=False)
    converting = csv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    parsing = csv.ParseOptions(newlines_in_values=True)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        with cursor.cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)", parameters) as copy:
            text = _Text(copy)
            if text.is_empty():
                return
            for batch in csv.open_csv(text, read_options=reading, parse_options=parsing, convert_options=converting):
                yield parquet.block(table, batch.columns)


class _Text(io.RawIOBase):
    """What COPY answers, as a file to read from."""

    def __init__(self, copy: Any) -> None:
        self._copy, self._rest = copy, memoryview(b"")

    def readable(self) -> bool:
        return True

    def is_empty(self) -> bool:
        """Whether there is nothing (more) to read."""
        while not self._rest and (some := self._copy.read()):
            self._rest = memoryview(some)
        return not self._rest

    def readinto(self, into: Any) -> int:
        """Several rows at once: COPY answers them one by one."""
        place, room = 0, len(into)
        while place < room and not self.is_empty():
            some = self._rest[: room - place]
            into[place : place + len(some)] = some
            place, self._rest = place + len(some), self._rest[len(some) :]
        return place


def _fetched(statement: str, parameters: Sequence[Any], table: Table) -> Iterator[pa.Table]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        while rows := cursor.fetchmany(parquet.GROUP):
            columns = []
            for column, raw in zip(table.columns, zip(*rows, strict=True), strict=True):
                read = _FROM_SQLITE.get(column.kind)
                values = raw if read is None else [None if value is None else read(value) for value in raw]
                columns.append(pa.array(values, type=parquet.raw_type(column)))
            yield parquet.block(table, columns)


_FROM_SQLITE: dict[str, Callable[[Any], Any]] = {"moment": sql.read_moment, "bool": bool}
