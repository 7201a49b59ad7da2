"""How far each import came, so that a killed one goes on where it was, and the next one takes what is new.

An import is known by what was asked: the place, and what its columns become. A row with an empty name is the import as a whole. What
is noted of a chunk is written in the transaction that writes its people: both are there, or neither.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet

from audience.ingest.columns import ImportWishes
from audience.ingest.places import Part, partitions_of
from audience.ingest.upsert import UpsertOutcome
from audience.models import ImportedFile
from governance.door import Finding, Invalid, plural, shorten

if TYPE_CHECKING:
    from audience.record_upsert import RecordOutcome

COUNTS = ("created", "updated", "unchanged", "rejected", "consents")
OF_RECORDS = ("created", "updated", "unchanged", "rejected", "related", "unrelated")
MODIFIED = "modified"
Mark = tuple[tuple[int, int, str], ...]


@dataclass(slots=True)
class Journal:
    """What is noted of one import."""

    workspace_id: int
    key: str
    now: datetime
    run: ImportedFile | None = None
    resumed: bool = False

    @property
    def rows(self) -> QuerySet[ImportedFile]:
        """All notes of this import."""
        return ImportedFile.objects.filter(workspace_id=self.workspace_id, import_key=self.key)

    def begin(self, *, from_start: bool) -> None:
        """Go on with the run that was broken off, or begin one."""
        self.run, _ = self.rows.get_or_create(workspace_id=self.workspace_id, import_key=self.key, name="", defaults=self._begun())
        self.resumed = self.run.finished_at is None and self.run.started_at != self.now and not from_start
        if not self.resumed:
            self._reset(self.run, fingerprint="", mark="")

    def part(self, part: Part) -> ImportedFile:
        """What is noted of a file: from its beginning, unless this run has begun it already and it is the same still."""
        fingerprint = part.fingerprint()
        row, made = self.rows.get_or_create(workspace_id=self.workspace_id, import_key=self.key, name=part.name, defaults=self._begun())
        assert self.run is not None
        same = row.fingerprint == fingerprint and self.resumed and row.at >= self.run.started_at
        if made or not same:
            self._reset(row, fingerprint=fingerprint, mark=part.modified)
        return row

    def note(self, row: ImportedFile, last: int, outcome: UpsertOutcome | RecordOutcome, rejects_size: int) -> None:
        """A chunk up to the row of number `last` is being written, in the caller's transaction."""
        counts = {name: getattr(outcome, name) for name in {*COUNTS, *OF_RECORDS} - {"rejected"} if hasattr(outcome, name)}
        counts["rejected"] = len(outcome.rejected)
        self.rows.filter(pk=row.pk).update(rows=last, at=self.now, **{name: F(name) + count for name, count in counts.items()})
        assert self.run is not None
        self.rows.filter(pk=self.run.pk).update(at=self.now, rejects_size=rejects_size)

    def finish(self, row: ImportedFile | None) -> None:
        """The file is done; None: the whole run."""
        done = row or self.run
        assert done is not None
        self.rows.filter(pk=done.pk).update(at=self.now, finished_at=self.now)

    def finished(self, parts: Iterable[Part]) -> set[str]:
        """The names of those files that were taken to their end and are the same still."""
        known = dict(self.rows.filter(finished_at__isnull=False).exclude(name="").values_list("name", "fingerprint"))
        return {part.name for part in parts if part.name in known and part.fingerprint() == known[part.name]}

    def _begun(self) -> dict[str, Any]:
        return {"started_at": self.now, "at": self.now}

    def _reset(self, row: ImportedFile, **said: str) -> None:
        nothing = dict.fromkeys(("rows", *COUNTS, *OF_RECORDS, "rejects_size"), 0)
        for name, value in {**nothing, **said, **self._begun(), "finished_at": None}.items():
            setattr(row, name, value)
        row.save()


def journal_of(workspace_id: int, place: str, wishes: ImportWishes, now: datetime, *more: str | None) -> Journal:
    """The notes of what is asked. more: whatever else changes what rows become."""
    said = {**asdict(wishes), "conversions": {name: one.model_dump() for name, one in wishes.conversions.items()}}
    return _journal(workspace_id, place, said, now, more)


def journal_of_records(workspace_id: int, type_: str, place: str, now: datetime, *more: object) -> Journal:
    """The same of a type of records."""
    return _journal(workspace_id, place, {"records": type_}, now, more)


def _journal(workspace_id: int, place: str, said: Mapping[str, object], now: datetime, more: Sequence[object]) -> Journal:
    where = place if "://" in place else str(Path(place).absolute())
    asked = json.dumps([where, said, more], sort_keys=True, default=str)
    return Journal(workspace_id, hashlib.sha256(asked.encode("utf-8", "surrogateescape")).hexdigest(), now)


# ── what is new ───────────────────────────────────────────────────────────────────────────────────────────────────


def mark_of(part: Part, watermark: Sequence[str]) -> Mark:
    """What a watermark compares: the values of partition columns, or when the file was written. Raises Invalid."""
    if list(watermark) == [MODIFIED]:
        if not part.modified:
            raise part.unfit("a file without a time", "a storage that tells when files were written, or a partition column as watermark")
        return order_of([part.modified])
    for name in watermark:
        if name not in part.partitions:
            columns = ", ".join(part.partitions) or "no columns in the folders' names"
            raise Invalid(
                [Finding("error", "/watermark", shorten(name), f"{MODIFIED}, or columns of the folders' names ({shorten(columns)})")]
            )
    return order_of([part.partitions[name] for name in watermark])


def taken_mark(row: ImportedFile, watermark: Sequence[str]) -> Mark:
    """The same of a file that was taken, by whatever choice; nothing where it isn't known of it."""
    if list(watermark) == [MODIFIED]:
        return order_of([row.mark]) if row.mark else ()
    partitions = partitions_of(row.name)
    return order_of([partitions[name] for name in watermark]) if all(name in partitions for name in watermark) else ()


def order_of(values: Sequence[str]) -> Mark:
    """Marks in their order: whole numbers as numbers, everything else as text."""
    return tuple((0, int(value), "") if value.isascii() and value.isdigit() and len(value) < 40 else (1, 0, value) for value in values)


def newer(parts: list[Part], journal: Journal, watermark: Sequence[str]) -> tuple[list[Part], list[str]]:
    """The files from the watermark on, the oldest first, and what is to be said of others: those that nobody took and that are older."""
    marks = {part.name: mark_of(part, watermark) for part in parts}
    known = {row.name: row for row in journal.rows.exclude(name="")}
    last = max((taken_mark(row, watermark) for row in known.values() if row.finished_at), default=())
    late = [part.name for part in parts if marks[part.name] < last and (part.name not in known or not known[part.name].finished_at)]
    notes = []
    if late:
        notes.append(f"{plural(len(late), 'file')} that nobody took, older than the watermark, left: {', '.join(late[:3])}")
    chosen = [part for part in parts if marks[part.name] >= last]
    return sorted(chosen, key=lambda part: (marks[part.name], part.name)), notes
