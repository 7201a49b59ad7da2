"""Rows of a file as they are, for whoever knows what its columns mean: CSV or NDJSON (plain, gzip, zstd) or Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from audience.ingest.extra import needed
from audience.ingest.files import PARQUET, open_lines, open_part
from audience.ingest.places import Part, find_parts
from audience.ingest.records import read_csv, read_ndjson
from audience.ingest.tables import Record, Table


def read_rows(place: str, *, delimiter: str | None = None) -> Iterator[Record]:
    """The rows of a file, or of all files of a folder, in their order; a bad one says what is wrong with it.

    Cells of CSV are texts. Raises Invalid for what can't be read as a whole.
    """
    for part in find_parts(place):
        yield from _rows(part, delimiter)


def _rows(part: Part, delimiter: str | None) -> Iterator[Record]:
    with open_part(part) as (source, magic):
        if magic.startswith(PARQUET):
            needed("pyarrow.parquet", "a Parquet file")
            from audience.ingest.parquet import read_parquet

            file = read_parquet(part, source)
            for table in file.tables({*file.columns} - file.refused.keys()):
                yield from _in_order(table)
            return
        with open_lines(part, source, magic) as lines:
            if lines.first.lstrip()[:1] == b"{":
                yield from read_ndjson(lines)
                return
            csv = read_csv(lines, delimiter or ("\t" if PurePath(part.name).suffixes[:1] == [".tsv"] else ","))
            for table in csv.tables():
                yield from _in_order(table)


def _in_order(table: Table) -> Iterator[Record]:
    rows = (table.record(index) for index in range(len(table.rows)))
    yield from sorted([*rows, *table.odd], key=lambda each: each.row) if table.odd else rows
