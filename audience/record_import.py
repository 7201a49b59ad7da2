"""Records from files: each row checked by itself, each chunk noted where it is written, so that a killed import goes on where it was."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from audience.ingest.importing import Choice, chosen, taken_already
from audience.ingest.journal import OF_RECORDS, Journal, journal_of_records
from audience.ingest.places import Part, find_parts
from audience.ingest.rejects import Rejects
from audience.ingest.rows import Rejected
from audience.models import ImportedFile
from audience.record_columns import Columns, Opened, open_records
from audience.record_rows import RecordRow
from audience.record_types import record_type
from audience.record_upsert import AT_ONCE, RecordOutcome, upsert_records
from governance.door import Finding, Invalid


@dataclass(slots=True)
class ImportedRecords:
    """What became of the rows of all files. related, unrelated: how many relations came and went; notes: files that were left on purpose,
    and where an import that was broken off went on."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    related: int = 0
    unrelated: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """All rows, without headers and empty lines."""
        return self.created + self.updated + self.unchanged + self.rejected


def import_records(
    workspace_id: int,
    key: str,
    place: str,
    *,
    now: datetime,
    rejects: Rejects,
    delimiter: str | None = None,
    clear_empty: bool = False,
    merge: bool = False,
    choice: Choice | None = None,
) -> ImportedRecords:
    """Create or change the records of a file, or of all files of a folder; the same again changes nothing.

    merge: people come to those who are there; else they replace them. Raises Missing for a type that isn't there, and Invalid for a file
    that can't be read as a whole: nothing is written then, or it says how much.
    """
    choice, columns = choice or Choice(), Columns(record_type(workspace_id, key), clear_empty)
    journal = journal_of_records(workspace_id, key, place, now, delimiter, clear_empty, merge)
    parts, notes = chosen(find_parts(place), journal, choice)
    for part in parts:
        with open_records(part, columns, delimiter):  # refused before the first row of any is written
            pass
    run = _Run(workspace_id, key, merge, journal, rejects, ImportedRecords(notes=notes))
    if parts:
        journal.begin(from_start=choice.from_start)
        if journal.resumed and journal.run is not None:
            rejects.go_on(journal.run.rejects_size)
        for part in parts:
            run.take(part, columns, delimiter)
        journal.finish(None)
    return run.done


@dataclass(slots=True)
class _Run:
    workspace_id: int
    key: str
    merge: bool
    journal: Journal
    rejects: Rejects
    done: ImportedRecords

    def take(self, part: Part, columns: Columns, delimiter: str | None) -> None:
        """One file, from where a broken-off run has left it."""
        state = self.journal.part(part)
        for name in OF_RECORDS:
            setattr(self.done, name, getattr(self.done, name) + getattr(state, name))
        self.done.notes += taken_already(part, state)
        if state.finished_at:
            return
        try:
            with open_records(part, columns, delimiter) as opened, closing(opened.after(state.rows)) as rows:
                while some := list(islice(rows, AT_ONCE)):
                    self._write(opened, state, some[-1][0], [row for _, row in some])
        except Invalid as invalid:
            found = f"{self.done.rows - self.done.rejected:,} rows taken before it"
            taken = Finding("note", "/taken", found, "the same command again once the file is mended: what was taken stays as it is")
            raise Invalid([*invalid.findings, taken] if self.done.rows else invalid.findings) from None
        self.journal.finish(state)

    def _write(self, opened: Opened, state: ImportedFile, last: int, rows: list[RecordRow | Rejected]) -> None:
        def within(outcome: RecordOutcome) -> None:
            for row in outcome.rejected:
                self.rejects.take(row, opened.columns, opened.part, unit=opened.unit)
            self.journal.note(state, last, outcome, self.rejects.keep())

        outcome = upsert_records(self.workspace_id, self.key, rows, now=self.journal.now, merge=self.merge, within=within)
        for name in OF_RECORDS:
            counted = len(outcome.rejected) if name == "rejected" else getattr(outcome, name)
            setattr(self.done, name, getattr(self.done, name) + counted)
