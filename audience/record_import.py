"""Records from a file: CSV or NDJSON, plain or packed, each row checked by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import PurePath
from typing import Any

from audience.ingest.files import PARQUET, Lines, open_lines, open_part
from audience.ingest.places import Part, find_parts
from audience.ingest.records import CsvFile, read_csv, read_ndjson
from audience.ingest.rejects import Rejects
from audience.ingest.rows import Rejected
from audience.ingest.tables import Record
from audience.record_rows import RecordRow, Related
from audience.record_types import RecordTypeBody, record_type
from audience.record_upsert import AT_ONCE, RecordOutcome, upsert_records
from audience.values import Unfit, from_text
from governance.door import Finding, Invalid, pointer, shorten

ID, PEOPLE = "external_id", "people"
_APART = "|"  # between the people of a cell; a colon stands before a role


@dataclass(slots=True)
class _Columns:
    """What the columns of one file become. A cell's place is its column's name."""

    type: RecordTypeBody
    clear_empty: bool

    def column_of(self, path: str) -> str:
        """A finding's place as the file has it: `/attributes/city` is the column city."""
        steps = [step for step in path.split("/") if step]
        return steps[1] if len(steps) > 1 and steps[0] == "attributes" else steps[0] if steps else ""

    def of_csv(self, record: Record) -> RecordRow | Rejected:
        """A row of cells: an empty one says nothing, or removes."""
        if record.faults:
            return Rejected(record.line, record.faults)
        attributes: dict[str, Any] = {}
        faults: list[Finding] = []
        for name, cell in record.values.items():
            if name in self.type.types:
                try:
                    value = from_text(self.type.types[name], cell)  # type: ignore[arg-type]  # a field's types are an attribute's
                except Unfit as unfit:
                    faults.append(Finding("error", pointer(["attributes", name]), unfit.found, str(unfit)))
                    continue
                if value is not None or self.clear_empty:
                    attributes[name] = value
        cell = record.values.get(PEOPLE)
        people = None if cell is None else [_related(one) for one in cell.split(_APART) if one.strip()]
        return RecordRow(record.values.get(ID, ""), attributes, people, record.line, tuple(faults))

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
) -> RecordOutcome:
    """Create or change the records of a file, or of all files of a folder; the same again changes nothing.

    merge: people come to those who are there; else they replace them. Raises Missing for a type that isn't there, and Invalid for a file
    that can't be read as a whole.
    """
    total, columns = RecordOutcome(), _Columns(record_type(workspace_id, key), clear_empty)
    for part in find_parts(place):
        with open_part(part) as (source, magic):
            if magic.startswith(PARQUET):
                raise part.unfit("a Parquet file", "CSV or NDJSON")
            with open_lines(part, source, magic) as lines:
                rows = _rows(part, lines, columns, delimiter)
                while some := list(islice(rows, AT_ONCE)):
                    outcome = upsert_records(workspace_id, key, some, now=now, merge=merge)
                    for row in outcome.rejected:
                        rejects.take(row, columns, part)
                    outcome.rejected = []  # they are in their file
                    total.add(outcome)
    return total


def _rows(part: Part, lines: Lines, columns: _Columns, delimiter: str | None) -> Iterator[RecordRow | Rejected]:
    if lines.first.lstrip()[:1] == b"{":
        return (columns.of_json(record) for record in read_ndjson(lines))
    table = read_csv(lines, delimiter or ("\t" if PurePath(part.name).suffixes[:1] == [".tsv"] else ","))
    known = (ID, PEOPLE, *columns.type.types)
    faults = [
        part.fault(f"the column {shorten(name)}", f"one of {', '.join(known)}", pointer(["header"]))
        for name in table.columns
        if name not in known
    ]
    if ID not in table.columns:
        faults.append(part.fault("no such column", f"a column {ID}", pointer(["header"])))
    if faults:
        raise Invalid(faults)
    return (columns.of_csv(record) for record in _cells(table))


def _cells(table: CsvFile) -> Iterator[Record]:
    for some in table.tables():
        records = [*(some.record(index) for index in range(len(some.rows))), *some.odd]
        yield from sorted(records, key=lambda record: record.row)
