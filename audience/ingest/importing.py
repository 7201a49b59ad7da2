"""A file of people, from its first byte to the profiles table: one pass, flat memory, bad rows to the side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from audience.catalogue import Catalogue, catalogue
from audience.ingest.columns import Columns, ImportWishes, decide
from audience.ingest.files import Lines, open_lines
from audience.ingest.objects import Objects
from audience.ingest.records import Format, Record, read_csv, read_ndjson
from audience.ingest.rejects import Rejects
from audience.ingest.rows import CleanRow, ProfileRow, Rejected, clean
from audience.ingest.upsert import AT_ONCE, UpsertOutcome, upsert_chunks
from governance.door import Invalid

_ENDINGS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: bytes of the file on disk, and rows."""

    read: int
    size: int
    rows: int


@dataclass(slots=True)
class Imported:
    """What became of a file. rejected: how many rows; notes: what was not taken on purpose. checked_only: nothing was written."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    consents: int = 0
    notes: list[str] = field(default_factory=list)
    checked_only: bool = False

    @property
    def rows(self) -> int:
        """All rows, without the header and empty lines."""
        return self.created + self.updated + self.unchanged + self.rejected


def import_file(
    workspace_id: int,
    path: Path,
    *,
    now: datetime,
    wishes: ImportWishes,
    rejects: Rejects,
    format: Format | None = None,
    delimiter: str | None = None,
    check_only: bool = False,
    progress: Callable[[Progress], None] = lambda progress: None,
) -> Imported:
    """Create or change the people of a CSV or NDJSON file, plain or gzip; the same file again changes nothing.

    format: told by the name's ending if None. delimiter: a comma, for .tsv a tab, if None. check_only: look at every row, write none.
    Each chunk of rows is a transaction of its own; an import that was broken off is simply run again. Raises Invalid for a file that
    can't be read as a whole: not text, no usable header, a column that nobody decided about.
    """
    known = catalogue(workspace_id)
    with open_lines(path) as lines:
        shape, records = _opened(lines, path, format, delimiter, known, wishes)
        done = Imported(notes=shape.notes, checked_only=check_only)
        rows = _rows(records, shape, rejects)
        if check_only:
            chunks = _checked(rows, known)
        else:
            chunks = upsert_chunks(workspace_id, rows, known, source=wishes.consent_source, now=now)
        for outcome in chunks:
            for rejected in outcome.rejected:
                rejects.take(rejected, shape)
            done.created += outcome.created
            done.updated += outcome.updated
            done.unchanged += outcome.unchanged
            done.consents += outcome.consents
            done.rejected = rejects.count
            progress(Progress(lines.read, lines.size, done.rows))
        done.rejected = rejects.count
    return done


def _opened(
    lines: Lines, path: Path, format: Format | None, delimiter: str | None, known: Catalogue, wishes: ImportWishes
) -> tuple[Columns | Objects, Iterable[Record]]:
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    ending = endings[-1] if endings else ""
    if (format or _ENDINGS.get(ending) or ("ndjson" if lines.first.lstrip()[:1] == b"{" else "csv")) == "ndjson":
        if faults := wishes.faults(set(wishes.mapping.values())):
            raise Invalid(faults)
        return Objects(wishes, known), read_ndjson(lines)
    table = read_csv(iter(lines), delimiter or ("\t" if ending == ".tsv" else ","))
    return decide(table.columns, known, wishes), table


def _rows(records: Iterable[Record], shape: Columns | Objects, rejects: Rejects) -> Iterator[ProfileRow]:
    for record in records:
        row = shape.row(record)
        if isinstance(row, Rejected):
            rejects.take(row, shape)
        else:
            yield row


def _checked(rows: Iterator[ProfileRow], known: Catalogue) -> Iterator[UpsertOutcome]:
    """As `upsert_chunks`, without the writing: what fits counts as unchanged."""
    while chunk := list(islice(rows, AT_ONCE)):
        looked_at = [clean(row, known) for row in chunk]
        rejected = [row for row in looked_at if isinstance(row, Rejected)]
        yield UpsertOutcome(unchanged=sum(isinstance(row, CleanRow) for row in looked_at), rejected=rejected)
