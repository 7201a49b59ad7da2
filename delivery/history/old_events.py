"""Events that are older than the settings keep leave the database, first to the archive where there is one.

On PostgreSQL they leave with the range of runs that they are about, once all of these ended long enough ago: the range is taken out of
the table first, so that nobody writes to it, then archived, then dropped. An event that comes later still, and one about nothing that
is known, lies in no range; such events, those whose range takes long to be due as a whole, and on SQLite all, go in whole blocks of
numbers, oldest first, by when they arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from delivery import partitions, sql
from delivery.history.extra import with_parquet
from delivery.models import Dispatch, VendorEvent
from delivery.states import DispatchState

BLOCK = 200_000  # events of one archived file: by number where rows stay around it, else by count
STEP = 5_000  # rows of one delete
SETTLED = (DispatchState.DONE, DispatchState.STOPPED)
Each = Callable[[], None]


def retire(cutoff: datetime, each: Each) -> tuple[int, int]:
    """Let go of what ended, or arrived, before then; how many events, and how many ranges were busy. Killed anywhere, the next call
    goes on."""
    gone = sum(_drop(start, each) for start in partitions.detached(partitions.EVENTS))
    busy = 0
    for start in partitions.ranges(partitions.EVENTS):
        if not partitions.full(start) or not _may_go(start, cutoff):
            gone += _blocks(f"{partitions.EVENTS}_{start}", cutoff - partitions.RANGES_WAIT, each)
        elif partitions.detach(start, partitions.EVENTS):
            gone += _drop(start, each)
        else:
            busy += 1
    for table in partitions.STRAY_EVENTS if sql.on_postgres() else (partitions.EVENTS,):
        gone += _blocks(table, cutoff, each)
    return gone, busy


def _may_go(start: int, cutoff: datetime) -> bool:
    """Every run of the range ended long enough ago, nobody holds one, and every click of theirs is decided about."""
    bounds = {"pk__gte": start, "pk__lt": start + partitions.SPAN}
    if Dispatch.objects.filter(~Q(state__in=SETTLED) | Q(finished_at=None) | Q(finished_at__gte=cutoff) | Q(legal_hold=True), **bounds):
        return False
    within = VendorEvent.objects.filter(dispatch_id__gte=start, dispatch_id__lt=start + partitions.SPAN)
    return not within.filter(kind__in=("clicking", "opening")).exists()


def _drop(start: int, each: Each) -> int:
    """Archive a range that was taken out of the table, and give its rows back to the disk."""
    table = f"{partitions.EVENTS}_{start}"
    many = int(sql.rows(f"SELECT COUNT(*) FROM {table}")[0][0])
    if settings.OMNI.archive_dir:
        for begin, end in _cuts(table):
            _archive(table, begin, end, each, name=f"{start}-at-once")
    partitions.drop(start, partitions.EVENTS)
    each()
    return many


def _cuts(table: str) -> Iterator[tuple[int, int]]:
    """The numbers of a table that nobody writes to, in pieces of BLOCK rows: the same pieces whenever it is asked."""
    begin = 0
    while True:
        found = sql.rows(f"SELECT id FROM {table} WHERE id >= %s ORDER BY id LIMIT 1 OFFSET {BLOCK}", [begin])
        yield begin, found[0][0] if found else 2**63 - 1
        if not found:
            return
        begin = found[0][0]


def _blocks(table: str, cutoff: datetime, each: Each) -> int:
    """Whole blocks of numbers while every event of a block is old enough and no newer one can come into it. A block with an event of a
    run that somebody holds stays whole."""
    gone = end = 0
    holds = list(Dispatch.objects.filter(legal_hold=True).values_list("pk", flat=True))
    while True:
        first = sql.rows(f"SELECT MIN(id) FROM {table} WHERE id >= %s", [end])[0][0]
        if first is None:
            return gone
        begin, end = first // BLOCK * BLOCK, (first // BLOCK + 1) * BLOCK
        within = f"SELECT 1 FROM {table} WHERE id >= %s AND id < %s AND {sql.among('dispatch_id')} LIMIT 1"
        if holds and sql.rows(within, [begin, end, sql.numbers(holds)]):
            continue
        young = sql.rows(
            f"SELECT 1 FROM {table} WHERE id >= %s AND id < %s AND received_at >= %s LIMIT 1", [begin, end, sql.moment(cutoff)]
        )
        if young or not VendorEvent.objects.filter(pk__gte=end).exists():
            return gone
        if settings.OMNI.archive_dir:
            _archive(table, begin, end, each, name=table.removeprefix(partitions.EVENTS).strip("_"))
        for start in range(begin, end, STEP):
            gone += sql.run(f"DELETE FROM {table} WHERE id >= %s AND id < %s", [start, min(start + STEP, end)])
            each()


def _archive(table: str, begin: int, end: int, each: Each, *, name: str) -> None:
    with_parquet("archive").keep_events(table, begin, end, name=f"{name}-from-{begin:012d}".lstrip("-"), each=each)
