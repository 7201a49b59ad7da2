"""Files of people, from their first byte to the profiles table: one pass, flat memory, bad rows to the side.

Every file is looked at before the first row of any is written. Then each chunk of rows is a transaction of its own, in which the
journal is written, too: a killed import goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from audience.catalogue import catalogue
from audience.ingest.ahead import ahead, in_bulk
from audience.ingest.columns import ImportWishes
from audience.ingest.journal import COUNTS, Journal, journal_of, newer
from audience.ingest.opening import Chunk, Opened, Wanted, open_people
from audience.ingest.places import Part, find_parts
from audience.ingest.records import Format
from audience.ingest.rejects import Rejects
from audience.ingest.upsert import UpsertOutcome, count_after, write_ready
from audience.models import ImportedFile
from audience.proposals import note_unknown
from audience.sql import on_postgres
from governance.door import Finding, Invalid, plural

MAX_FAULTS = 20  # files whose faults are listed


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: bytes of the files as they are stored, and rows."""

    read: int
    size: int
    rows: int


@dataclass(slots=True)
class Imported:
    """What became of the files. rejected: how many rows; files: how many were read; notes: what was not taken on purpose, and
    where an import that was broken off went on. checked_only: nothing was written; before: rows that an import which was broken off
    had seen to."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    consents: int = 0
    files: int = 0
    notes: list[str] = field(default_factory=list)
    checked_only: bool = False
    before: int = 0

    @property
    def rows(self) -> int:
        """All rows, without headers and empty lines."""
        return self.created + self.updated + self.unchanged + self.rejected

    def add(self, outcome: UpsertOutcome) -> None:
        """Count a chunk in."""
        for name in ("created", "updated", "unchanged", "consents"):
            setattr(self, name, getattr(self, name) + getattr(outcome, name))
        self.rejected += len(outcome.rejected)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files. from_start: an import that was broken off is forgotten; only_new: not those that an earlier one finished and that
    are the same; watermark: partition columns (or "modified") whose greatest finished value was the last, nothing older is read."""

    from_start: bool = False
    only_new: bool = False
    watermark: Sequence[str] = ()


def import_people(
    workspace_id: int,
    place: str,
    *,
    now: datetime,
    wishes: ImportWishes,
    rejects: Rejects,
    format: Format | None = None,
    delimiter: str | None = None,
    choice: Choice | None = None,
    check_only: bool = False,
    progress: Callable[[Progress], None] = lambda progress: None,
) -> Imported:
    """Create or change the people of a file or of a folder's files; the same again changes nothing.

    place: a path or a URL. format, delimiter: told by content and name if None. check_only: look at every row, write none. Raises
    Invalid for a file that can't be read as a whole: nothing is written then, or it says how much.
    """
    choice = choice or Choice()
    wanted = Wanted(wishes, catalogue(workspace_id), format, delimiter)
    journal = journal_of(workspace_id, place, wishes, now, format, delimiter)
    parts, notes = chosen(find_parts(place), journal, choice)
    _look_at(parts, wanted)
    done = Imported(notes=notes, checked_only=check_only)
    run = _Run(workspace_id, journal, wanted, choice, rejects, done, progress, sum(part.size for part in parts))
    with in_bulk():
        if check_only:
            for part in parts:
                run.check(part)
        elif parts:
            run.write(parts)
    return done


def chosen(parts: list[Part], journal: Journal, choice: Choice) -> tuple[list[Part], list[str]]:
    """The files of a choice, and what is to be said of the others."""
    notes: list[str] = []
    count = len(parts)
    if choice.watermark:
        parts, notes = newer(parts, journal, choice.watermark)
    if choice.watermark or choice.only_new:
        known = journal.finished(parts)
        parts = [part for part in parts if part.name not in known]
        if len(parts) < count:
            notes.append(f"{count - len(parts):,} of {count:,} files were left: an earlier import took them, or they are older")
    return parts, notes


def taken_already(part: Part, state: ImportedFile) -> list[str]:
    """The note about a file that an import which was broken off has begun, none where it hasn't."""
    where = "" if part.alone else f"{part.name}: "
    return [f"{where}{plural(state.rows, 'row')} taken already by an import that was broken off"] if state.rows or state.finished_at else []


def _look_at(parts: list[Part], wanted: Wanted) -> None:
    """Refuse whatever can be refused before a row is written. Raises Invalid with the faults of all files."""
    faults: list[Finding] = []
    bad = 0
    for part in parts:
        try:
            with open_people(part, wanted):
                pass
        except Invalid as invalid:
            bad += 1
            faults += invalid.findings if bad <= MAX_FAULTS else ()
    if bad > MAX_FAULTS:
        faults.append(Finding("error", "/file", f"{bad - MAX_FAULTS:,} more files that can't be read", "files of people; none was taken"))
    if faults:
        raise Invalid(faults)


@dataclass(slots=True)
class _Run:
    workspace_id: int
    journal: Journal
    wanted: Wanted
    choice: Choice
    rejects: Rejects
    done: Imported
    progress: Callable[[Progress], None]
    size: int
    read: int = 0
    written: int = 0
    all_new: bool = False  # whether everybody of the chunk before was

    def check(self, part: Part) -> None:
        """Look at every row of a file."""
        with open_people(part, self.wanted) as opened, closing(ahead(opened.chunks(0))) as chunks:
            for chunk in chunks:
                outcome = UpsertOutcome(unchanged=chunk.ready.count - len(chunk.ready.rejected), rejected=chunk.ready.rejected)
                self._count(opened, chunk, outcome)
            self._end(opened)

    def write(self, parts: list[Part]) -> None:
        """Take every file, the ones that a broken-off run has finished left out."""
        self.journal.begin(from_start=self.choice.from_start)
        assert self.journal.run is not None
        if self.journal.resumed:
            self.rejects.go_on(self.journal.run.rejects_size)
        try:
            for part in parts:
                self._take(part)
        finally:
            count_after(self.written)
        self.journal.finish(None)

    def _take(self, part: Part) -> None:
        state = self.journal.part(part)
        before = {name: getattr(state, name) for name in COUNTS}
        for name, count in before.items():
            setattr(self.done, name, getattr(self.done, name) + count)
        self.done.before += sum(before[name] for name in ("created", "updated", "unchanged", "rejected"))
        self.done.notes += taken_already(part, state)
        if state.finished_at:
            self.read += part.size
            return
        try:
            with open_people(part, self.wanted) as opened, closing(ahead(opened.chunks(state.rows, copied=on_postgres()))) as chunks:
                for chunk in chunks:
                    self._write(opened, chunk, state)
                self._end(opened)
        except Invalid as invalid:
            raise Invalid([*invalid.findings, *self._taken_so_far()]) from None
        self.journal.finish(state)

    def _write(self, opened: Opened, chunk: Chunk, state: object) -> None:
        known, source, now = self.wanted.catalogue, self.wanted.wishes.consent_source, self.journal.now

        def within(outcome: UpsertOutcome) -> None:
            self._count(opened, chunk, outcome)
            self.journal.note(state, chunk.last, outcome, self.rejects.keep())  # type: ignore[arg-type]
            note_unknown(self.workspace_id, chunk.strange, known, source=source, now=now)  # so that rows count once however it ends

        outcome = write_ready(self.workspace_id, chunk.ready, known, source=source, now=now, within=within, all_new=self.all_new)
        self.all_new = outcome.all_new
        self.written += outcome.written

    def _count(self, opened: Opened, chunk: Chunk, outcome: UpsertOutcome) -> None:
        for row in outcome.rejected:
            self.rejects.take(row, opened.shape, opened.part, unit=opened.unit)
        self.done.add(outcome)
        self.progress(Progress(self.read + chunk.read, self.size, self.done.rows))

    def _end(self, opened: Opened) -> None:
        self.done.files += 1
        self.read += opened.part.size
        self.done.notes += [note for note in opened.shape.notes if note not in self.done.notes]

    def _taken_so_far(self) -> list[Finding]:
        """What a file that turned out to be damaged leaves behind, said so that nobody takes it for nothing or for all."""
        if not self.done.rows:
            return [Finding("note", "/taken", "no row taken", "the same command again once the file is mended")]
        found = f"{plural(self.done.rows - self.done.rejected, 'row')} taken before it, {plural(self.done.files, 'file')} to their end"
        return [Finding("note", "/taken", found, "the same command again once the file is mended: what was taken stays as it is")]
