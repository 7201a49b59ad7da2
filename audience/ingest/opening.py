"""A file of people, opened: what it is, what its columns become, and its rows checked, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO

from audience.catalogue import Catalogue
from audience.ingest.checking import Checked, check
from audience.ingest.columns import ID, LEFT_OUT, Columns, ImportWishes, Kinds, decide, undecided
from audience.ingest.extra import needed
from audience.ingest.files import PARQUET, Lines, open_lines, open_part
from audience.ingest.objects import Objects
from audience.ingest.places import Part
from audience.ingest.records import AT_ONCE, CsvFile, Format, read_csv, read_ndjson
from audience.ingest.rows import FIELDS, ProfileRow, Rejected, clean
from audience.ingest.tables import Record, Table
from audience.ingest.upsert import Ready, ready
from governance.door import Finding, Invalid, shorten

_ENDINGS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson"}
_PACKED = (".gz", ".zst", ".zstd")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How files are to be read. format, delimiter: told by content and name if None."""

    wishes: ImportWishes
    catalogue: Catalogue
    format: Format | None = None
    delimiter: str | None = None


@dataclass(slots=True)
class Chunk:
    """Some rows, ready to be written. last: the number of the last one; read: how far into the file that is, in bytes as stored;
    strange: those with attributes that the catalogue doesn't have."""

    ready: Ready
    last: int
    read: int
    strange: list[ProfileRow] = field(default_factory=list)


@dataclass(slots=True)
class Opened:
    """A file whose shape is decided."""

    part: Part
    shape: Columns | Objects
    rows: Any  # CsvFile, ParquetFile or an iterator of records
    source: Any
    catalogue: Catalogue
    unit: str = "line"  # what a row's place counts
    copied: bool = False

    def chunks(self, done: int, *, copied: bool = False) -> Iterator[Chunk]:
        """The rows from number done + 1 on. copied: made ready for PostgreSQL's COPY."""
        self.copied = copied
        if isinstance(self.shape, Objects):
            yield from self._of_objects(self.shape, done)
            return
        for table in self._tables(self.shape, done):
            for name, value in self.part.partitions.items():
                table.columns[name] = [value] * len(table.rows)
                for record in table.odd:
                    record.values.setdefault(name, value)
            yield self._chunk(check(table, self.shape, self.catalogue), table.last)

    def _chunk(self, checked: list[Checked], last: int) -> Chunk:
        return Chunk(ready(checked, copied=self.copied), last, self.source.read)

    def _tables(self, shape: Columns, done: int) -> Iterable[Table]:
        if isinstance(self.rows, CsvFile):
            return (table.after(done) for table in self.rows.tables() if table.last > done)
        tables: Iterable[Table] = self.rows.tables({*shape.fields, *shape.attributes, *shape.consents}, done=done)
        return tables

    def _of_objects(self, shape: Objects, done: int) -> Iterator[Chunk]:
        records: Iterator[Record] = (record for record in self.rows if record.row > done)
        while some := list(islice(records, AT_ONCE // 4)):
            rows = [shape.row(record) for record in some]
            chunk = self._chunk([row if isinstance(row, Rejected) else clean(row, self.catalogue) for row in rows], some[-1].row)
            chunk.strange = [row for row in rows if isinstance(row, ProfileRow) and not row.attributes.keys() <= self.catalogue.keys()]
            yield chunk


@contextmanager
def open_people(part: Part, wanted: Wanted) -> Iterator[Opened]:
    """Open a file and decide what its columns become. Raises Invalid, with the file's name where there may be several."""
    try:
        with open_part(part) as (source, magic):
            if magic.startswith(PARQUET):
                yield _parquet(part, source, wanted)
                return
            if wanted.format == "parquet":
                raise part.unfit("no Parquet", "a Parquet file")
            with open_lines(part, source, magic) as lines:
                yield _text(part, lines, wanted)
    except Invalid as invalid:
        raise Invalid(part.naming(invalid.findings)) from None


def _parquet(part: Part, source: BinaryIO, wanted: Wanted) -> Opened:
    if wanted.format not in (None, "parquet"):
        raise part.unfit("a Parquet file", f"{wanted.format}, as was said")
    needed("pyarrow.parquet", "a Parquet file")
    from audience.ingest.parquet import read_parquet

    file = read_parquet(part, source)
    kinds = Kinds({name: file.kind_of(name) for name in file.columns}, file.refused)
    return Opened(part, _decided(part, file.columns, wanted, kinds), file, file, wanted.catalogue, unit="row")


def _text(part: Part, lines: Lines, wanted: Wanted) -> Opened:
    endings = [ending.lower() for ending in PurePath(part.name).suffixes if ending.lower() not in _PACKED]
    ending = endings[-1] if endings else ""
    if (wanted.format or _ENDINGS.get(ending) or ("ndjson" if lines.first.lstrip()[:1] == b"{" else "csv")) == "ndjson":
        faults = wanted.wishes.faults(set(wanted.wishes.mapping.values()))
        targets = {name: wanted.wishes.mapping.get(name, name) for name in part.partitions}
        faults += [undecided(name) for name, target in targets.items() if target not in (ID, *FIELDS, LEFT_OUT, *wanted.catalogue)]
        if faults:
            raise Invalid(faults)
        return Opened(part, Objects(wanted.wishes, wanted.catalogue, part.partitions), read_ndjson(lines), lines, wanted.catalogue)
    table = read_csv(lines, wanted.delimiter or ("\t" if ending == ".tsv" else ","))
    return Opened(part, _decided(part, table.columns, wanted, None), table, lines, wanted.catalogue)


def _decided(part: Part, columns: list[str], wanted: Wanted, kinds: Kinds | None) -> Columns:
    twice = [name for name in part.partitions if name in columns]
    if twice:
        found = f"the column {shorten(twice[0])} both in the file and in its folders' names"
        raise Invalid([Finding("error", "/header", found, "each column once")])
    return decide([*columns, *part.partitions], wanted.catalogue, wanted.wishes, kinds)
