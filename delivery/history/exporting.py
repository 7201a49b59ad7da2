"""The history as Parquet, a bit more at every call: what is new or changed since the last export into the same folder.

Laws: when an export returns, the folder's files together hold what the database held when each run was read, and every event up to
the manifest's number; killed anywhere, each file is the old one or the new one and the next export makes it right; nothing in it is
an address. Why looking at so little is enough stands at `_changed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from delivery.history import manifest as manifests
from delivery.history import parquet, reading
from delivery.history.manifest import Manifest, Seen
from delivery.history.schema import ATTEMPTS, EVENTS, LEFT_OUT, MESSAGES, PEOPLE, RUNS, Table
from delivery.models import Dispatch
from delivery.states import DispatchState
from governance.door import Refused

PEOPLE_BITS = 16  # numbers of people in one file: 65,536
OVER = (DispatchState.DONE, DispatchState.STOPPED)
Each = Callable[[], None]


@dataclass(slots=True)
class Exported:
    """What one export came to. rows: by table, in files that were written anew; runs: how many of all had to be looked at."""

    rows: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    runs_known: int = 0
    files: int = 0
    events_upto: int = 0


def export(
    workspace_id: int,
    workspace: str,
    folder: Path,
    *,
    since: datetime | None,
    with_people: bool,
    recheck: bool = False,
    now: datetime,
    each: Each = lambda: None,
) -> Exported:
    """Bring the folder up to now. recheck: look at every run, also at those that nothing can have changed.

    each: called after every step on the disk. Raises Invalid for a folder that was begun in another way, Refused while another
    export writes into it or where it is ahead of the database.
    """
    with manifests.alone(folder):
        known = manifests.load(folder, workspace=workspace, since=since.isoformat() if since else "", with_people=with_people)
        upto = reading.settled_events()
        if upto < known.events_upto:
            raise Refused(
                f"{folder} holds events up to {known.events_upto:,}, this database has {upto:,}: it is a copy of an earlier state. "
                "Export it into another folder."
            )
        done = Exported(runs_known=len(known.runs), events_upto=upto)
        job = _Job(workspace_id, folder, since, each, done)
        told = _events(job, known, upto)
        _runs(job, known, told, recheck)
        _tables(job, known)
        known.exports, known.exported_at = known.exports + 1, now.astimezone(UTC).isoformat()
        manifests.save(folder, known)
        each()
        return done


@dataclass(slots=True)
class _Job:
    workspace_id: int
    folder: Path
    since: datetime | None
    each: Each
    done: Exported

    def write(self, files: manifests.Files, table: Table, name: str, blocks: parquet.Blocks) -> None:
        """One file, kept in the manifest's list; what was there and is as before counts as nothing."""
        self._note(files, table, name, parquet.write(self.folder / name, table, blocks, each=self.each))

    def write_parts(
        self, files: manifests.Files, table: Table, parts: Iterable[tuple[str, pa.Table]], named: Callable[[str], str]
    ) -> set[str]:
        """Files by the first of each pair; their names."""
        growing: dict[str, parquet.Appending] = {}
        try:
            for part, some in parts:
                name = named(part)
                if name not in growing:
                    growing[name] = parquet.Appending(self.folder / name, table)
                growing[name].add(some)
                self.each()
        except BaseException:
            for file in growing.values():
                file.abandon()
            raise
        for name, file in sorted(growing.items()):
            self._note(files, table, name, file.finish(self.each))
        return set(growing)

    def _note(self, files: manifests.Files, table: Table, name: str, written: parquet.Written) -> None:
        before = files.pop(name, None)
        if not written.rows:
            return
        files[name] = (written.rows, written.digest)
        if files[name] != before:
            self.done.files += 1
            self.done.rows[table.name] = self.done.rows.get(table.name, 0) + written.rows


def _events(job: _Job, known: Manifest, upto: int) -> set[int]:
    """The events that are new, into files of their own by day; which runs they are about.

    A file's name says after which number it begins, so an export that repeats a killed one writes the same files.
    """
    after, told = known.events_upto, set[int]()

    def noted(blocks: parquet.Blocks) -> Iterator[pa.Table]:
        for some in blocks:
            told.update(some["dispatch_id"].drop_null().unique().to_pylist())
            yield some

    with reading.snapshot():
        new = noted(reading.events(job.workspace_id, after=after, upto=upto, also=known.undecided, since=job.since))
        parts = _by_day(new, "received_at")
        job.write_parts(known.events, EVENTS, parts, lambda day: f"events/day={day}/after-{after:012d}.parquet")
        first = min([after, *(each - 1 for each in known.undecided)])
        known.undecided = reading.undecided(job.workspace_id, after=first, upto=upto)
    known.events_upto = upto
    return told


def _by_day(blocks: parquet.Blocks, column: str) -> Iterator[tuple[str, pa.Table]]:
    """The rows with the day (UTC) of one of their moments."""
    for some in blocks:
        days = some[column].cast(pa.date32())
        for day in days.unique():
            yield day.as_py().isoformat(), some.filter(pc.equal(days, day))


def _by_number(blocks: parquet.Blocks) -> Iterator[tuple[str, pa.Table]]:
    """People in files of 65,536 numbers."""
    for some in blocks:
        groups = pc.shift_right(some["profile_id"], PEOPLE_BITS)
        for group in groups.unique():
            yield f"{group.as_py():08d}", some.filter(pc.equal(groups, group))


def _runs(job: _Job, known: Manifest, told: set[int], recheck: bool) -> None:
    """The messages, requests and left-outs of every run that may have changed, one snapshot each."""
    ours = Dispatch.objects.filter(workspace_id=job.workspace_id)
    ours = ours.filter(planned_at__gte=job.since) if job.since else ours
    columns = ("pk", "state", "finished_at", "archived_at", "revised")
    for pk, state, finished_at, archived_at, revised in list(ours.order_by("pk").values_list(*columns)):
        seen = known.runs.get(str(pk))
        if not recheck and not _changed(seen, pk in told or archived_at is not None, (state, _iso(finished_at), revised)):
            continue
        job.done.runs += 1
        with reading.snapshot():
            known.runs[str(pk)] = _run(job, pk, seen)


def _changed(seen: Seen | None, told: bool, stands: tuple[str, str, int]) -> bool:
    """Whether a run must be read again.

    A run is closed once it is done or stopped and every message and request of it has its answer. From then on only three things
    can change its rows: an event about one of its messages, which is in the events just read; its being taken up again, which moves
    its state or the moment when it finished; and what marks it as revised (prices that a vendor reports). While it isn't closed it
    is read at every export, and a file that comes out the same is left alone. What is in the archive never changes, and what this
    folder has of it stays.
    """
    if seen is not None and seen.archived:
        return False
    return seen is None or not seen.closed or told or (seen.state, seen.finished_at, seen.revised) != stands


def _run(job: _Job, pk: int, seen: Seen | None) -> Seen:
    row = Dispatch.objects.only("state", "finished_at", "archived_at", "planned_at", "revised", "workspace_id").get(pk=pk)
    files = dict(seen.files) if seen is not None else {}
    if row.archived_at is not None:
        return Seen(True, row.state, _iso(row.finished_at), True, row.revised, files)
    name = f"day={_day(row.planned_at)}/run-{pk:010d}.parquet"
    open_ones, asked = _Counting(("sending", "in_doubt")), _Counting(("posting", "in_doubt"))
    job.write(files, MESSAGES, f"messages/{name}", open_ones.through(reading.messages(job.workspace_id, pk)))
    job.write(files, ATTEMPTS, f"attempts/{name}", asked.through(reading.attempts(job.workspace_id, pk)))
    if f"left_out/{name}" not in files:
        job.write(files, LEFT_OUT, f"left_out/{name}", reading.left_out(job.workspace_id, pk))
    closed = row.state in OVER and not open_ones.found and not asked.found
    return Seen(closed, row.state, _iso(row.finished_at), False, row.revised, files)


@dataclass(slots=True)
class _Counting:
    """How many rows that passed were in one of these states."""

    states: tuple[str, ...]
    found: int = 0

    def through(self, blocks: parquet.Blocks) -> Iterator[pa.Table]:
        for some in blocks:
            self.found += pc.sum(pc.is_in(some["state"], value_set=pa.array(self.states))).as_py() or 0
            yield some


def _tables(job: _Job, known: Manifest) -> None:
    """What is small or must be able to vanish is written anew each time: the runs by day, and who is who."""
    files = dict(known.tables)
    with reading.snapshot():
        runs = _by_day(reading.runs(job.workspace_id, job.since), "planned_at")
        there = job.write_parts(files, RUNS, runs, lambda day: f"runs/day={day}/runs.parquet")
    if known.with_people:
        with reading.snapshot():
            people = _by_number(reading.people(job.workspace_id))
            there |= job.write_parts(files, PEOPLE, people, lambda group: f"people/people-{group}.parquet")
    for name in set(files) - there:
        (job.folder / name).unlink(missing_ok=True)
        del files[name]
    known.tables = files


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""
