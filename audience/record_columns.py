"""What the columns of a file of records become, row by row: CSV, NDJSON or Parquet."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from audience.ingest.columns import is_whole
from audience.ingest.extra import needed
from audience.ingest.files import PARQUET, open_lines, open_part
from audience.ingest.places import Part
from audience.ingest.records import CsvFile, read_csv, read_ndjson
from audience.ingest.rows import Rejected
from audience.ingest.tables import Record, Table
from audience.record_rows import RecordRow, Related
from audience.record_types import RecordTypeBody
from audience.values import Unfit, from_text
from governance.door import Finding, Invalid, pointer, shorten

if TYPE_CHECKING:
    from audience.ingest.parquet import ParquetFile

ID, PEOPLE = "external_id", "people"
_APART = "|"  # between the people of a cell; a colon stands before a role


@dataclass(slots=True)
class Columns:
    """What the columns of one file become. A cell's place is its column's name."""

    type: RecordTypeBody
    clear_empty: bool

    @property
    def known(self) -> tuple[str, ...]:
        """The columns that a file may have."""
        return (ID, PEOPLE, *self.type.types)

    def check(self, part: Part, columns: Sequence[str], refused: Mapping[str, str] | None = None) -> None:
        """Raises Invalid for columns that are none of a record's, or can't be its values (refused: why)."""
        at, refused = pointer(["header"]), refused or {}
        known = ", ".join(self.known)
        faults = [part.fault(f"the column {shorten(each)}", f"one of {known}", at) for each in columns if each not in self.known]
        values = "texts, numbers, true or false, days, instants or lists of texts"
        faults += [part.fault(f"{word} in the column {shorten(each)}", values, at) for each, word in refused.items()]
        if ID not in columns:
            faults.append(part.fault("no such column", f"a column {ID}", at))
        if faults:
            raise Invalid(faults)

    def column_of(self, path: str) -> str:
        """A finding's place as the file has it: `/attributes/city` is the column city."""
        steps = [step for step in path.split("/") if step]
        return steps[1] if len(steps) > 1 and steps[0] == "attributes" else steps[0] if steps else ""

    def of_cells(self, record: Record) -> RecordRow | Rejected:
        """A row of cells: an empty one says nothing, or removes."""
        if record.faults:
            return Rejected(record.line, record.faults)
        attributes: dict[str, Any] = {}
        faults: list[Finding] = []
        for name, cell in record.values.items():
            if name in self.type.types:
                try:
                    value = from_text(self.type.types[name], cell) if isinstance(cell, str) else cell  # type: ignore[arg-type]  # as attributes'
                except Unfit as unfit:
                    faults.append(Finding("error", pointer(["attributes", name]), unfit.found, str(unfit)))
                    continue
                if value is not None or self.clear_empty:
                    attributes[name] = value
        cell = record.values.get(PEOPLE)
        named = cell.split(_APART) if isinstance(cell, str) else cell
        people = None if named is None else [_related(one) for one in named if one.strip()]
        external_id = record.values.get(ID, "")
        return RecordRow(str(external_id) if is_whole(external_id) else external_id, attributes, people, record.line, tuple(faults))

    def of_json(self, record: Record) -> RecordRow | Rejected:
        """An object as the API takes it; or with the fields beside the id."""
        if record.faults:
            return Rejected(record.line, record.faults)
        values, faults = dict(record.values), list[Finding]()
        external_id, people = values.pop(ID, ""), values.pop(PEOPLE, None)
        attributes = values.pop("attributes", {})
        if not isinstance(attributes, Mapping):
            faults.append(Finding("error", "/attributes", type(attributes).__name__, "an object"))
            attributes = {}
        given = _people(people, faults) if people is not None else None
        return RecordRow(external_id, {**attributes, **values}, given, record.line, tuple(faults))


def _related(text: str) -> Related:
    """`u-1:guest`, or an id alone."""
    external_id, colon, role = text.strip().rpartition(":")
    return (external_id, role.strip()) if colon else (role, None)


def _people(given: Any, faults: list[Finding]) -> list[Related]:
    if not isinstance(given, list):
        faults.append(Finding("error", "/people", type(given).__name__, 'a list such as [{"external_id": "u-1", "role": "guest"}]'))
        return []
    found: list[Related] = []
    for place, one in enumerate(given):
        known = one if isinstance(one, Mapping) else {"external_id": one}
        external_id, role = known.get("external_id"), known.get("role")
        fits = isinstance(external_id, str) and (role is None or isinstance(role, str)) and known.keys() <= {"external_id", "role"}
        if isinstance(external_id, str) and fits:
            found.append((external_id, role))
        else:
            faults.append(Finding("error", pointer(["people", place]), "something else", 'an id, or {"external_id": …, "role": …}'))
    return found


@dataclass(slots=True)
class Opened:
    """A file of records whose columns are known. unit: what a row's place counts."""

    part: Part
    columns: Columns
    rows: CsvFile | ParquetFile | Iterable[Record]
    unit: str = "line"

    def after(self, done: int) -> Generator[tuple[int, RecordRow | Rejected]]:
        """The rows from number done + 1 on, each with its number."""
        tables = self._tables(done)
        if tables is None:
            yield from ((each.row, self.columns.of_json(each)) for each in self.rows if each.row > done)  # type: ignore[union-attr]
            return
        for table in tables:
            records = [*(table.record(index) for index in range(len(table.rows))), *table.odd]
            yield from ((each.row, self.columns.of_cells(each)) for each in sorted(records, key=lambda each: each.row))

    def _tables(self, done: int) -> Iterator[Table] | None:
        if isinstance(self.rows, CsvFile):
            return (table.after(done) for table in self.rows.tables() if table.last > done)
        return None if isinstance(self.rows, Iterable) else self.rows.tables(self.columns.known, done=done)


@contextmanager
def open_records(part: Part, columns: Columns, delimiter: str | None) -> Iterator[Opened]:
    """Open a file. Raises Invalid, with its name where there may be several, for one that can't be read as a whole or isn't of records."""
    with open_part(part) as (source, magic):
        if magic.startswith(PARQUET):
            needed("pyarrow.parquet", "a Parquet file")
            from audience.ingest.parquet import read_parquet

            file = read_parquet(part, source)
            columns.check(part, file.columns, file.refused)
            yield Opened(part, columns, file, unit="row")
            return
        with open_lines(part, source, magic) as lines:
            if lines.first.lstrip()[:1] == b"{":
                yield Opened(part, columns, read_ndjson(lines))
                return
            table = read_csv(lines, delimiter or ("\t" if PurePath(part.name).suffixes[:1] == [".tsv"] else ","))
            columns.check(part, table.columns)
            yield Opened(part, columns, table)
