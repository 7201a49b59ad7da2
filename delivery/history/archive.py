"""The archive: what leaves the ledger, as Parquet, verified before anything is dropped.

Law: a run's (a block of events') files are called kept only after every value in them was read back and found equal to the database,
at a time when nothing could change it there any more; what is kept is never written again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from delivery.history import manifest, parquet, reading
from delivery.history.schema import ATTEMPTS, DECISIONS, EVENTS, LEFT_OUT, MESSAGES, RUNS, Table
from delivery.models import Dispatch
from governance.door import Refused, Workspace

Read = Callable[[], parquet.Blocks]


def keep(runs: Sequence[Dispatch], *, each: Callable[[], None]) -> None:
    """Archive these closed runs, except those whose files are kept already. Raises Refused where a file can't be made right."""
    wanted = [row for row in runs if row.final_counts and row.final_counts.get("archive") is None]
    if not wanted:
        return
    root = Path(settings.OMNI.archive_dir)
    with manifest.alone(root):
        reading.settled_events()  # whoever still wrote an event about one of them has committed by now
        for row in wanted:
            kept = {name: [*_kept(root / name, table, read, each)] for name, table, read in _tables(row)}
            row.final_counts = {**(row.final_counts or {}), "archive": {name: [rows, digest] for name, (rows, digest) in kept.items()}}
            Dispatch.objects.filter(pk=row.pk).update(final_counts=row.final_counts)
            each()


def _tables(row: Dispatch) -> list[tuple[str, Table, Read]]:
    """The files of one run."""
    workspace_id, pk = row.workspace_id, row.pk
    place = f"day={row.planned_at.astimezone(UTC).date().isoformat()}/run-{pk:010d}.parquet"
    read: list[tuple[Table, Read]] = [
        (RUNS, lambda: reading.run(workspace_id, pk)),
        (MESSAGES, lambda: reading.messages(workspace_id, pk)),
        (ATTEMPTS, lambda: reading.attempts(workspace_id, pk)),
        (DECISIONS, lambda: reading.decisions(workspace_id, pk)),
        (LEFT_OUT, lambda: reading.left_out(workspace_id, pk)),
    ]
    return [(f"{_workspace(workspace_id)}/{table.name}/{place}", table, blocks) for table, blocks in read]


def keep_events(table: str, begin: int, end: int, *, name: str, each: Callable[[], None]) -> None:
    """Archive the events of this table, or partition, numbered [begin, end), by workspace and day. What is kept is kept whole."""
    root, block = Path(settings.OMNI.archive_dir), reading.Block(table, begin, end)
    with manifest.alone(root):
        marker = root / f".events-{name}"
        if marker.exists():  # deleting them was begun
            return
        for workspace_id, day in reading.days_of_events(block):
            place = f"{_workspace(workspace_id)}/events/day={day.isoformat()}/{name}.parquet"
            _kept(root / place, EVENTS, lambda w=workspace_id, d=day: reading.all_events(w, block, d), each)  # type: ignore[misc]
        marker.touch()
        each()


def _kept(path: Path, table: Table, read: Read, each: Callable[[], None]) -> tuple[int, str]:
    """Write the file and compare it with the database, value by value."""
    with reading.snapshot():
        written = parquet.write(path, table, read(), each=each)
    with reading.snapshot():
        if not parquet.same(path, read()):
            raise Refused(f"{path} doesn't hold what the ledger holds: nothing was dropped. Is its disk in order?")
    return written.rows, written.digest


@lru_cache(maxsize=64)
def _workspace(workspace_id: int) -> str:
    return Workspace.objects.values_list("key", flat=True).get(pk=workspace_id)
