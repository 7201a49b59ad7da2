"""Rows of a Parquet file, some at a time; a file that would grow beyond measure is refused by what it says of itself, and by what it
turns out to hold.

Texts are understood as in CSV, everything else as in JSON: days and instants as ISO texts, decimals as numbers. Needs pyarrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audience.ingest.files import FREE, MAX_RATIO
from audience.ingest.places import Part
from audience.ingest.tables import Record, Table
from governance.door import Finding, Invalid, pointer, shorten

AT_ONCE = 10_000  # rows of a table
MAX_COLUMNS = 500
MAX_FOOTER = 16 * 1024 * 1024  # bytes, which take several times as much once they are read
MAX_GROUP = 256 * 1024 * 1024  # bytes of the wanted columns of one row group, unpacked
BATCH = 32 * 1024 * 1024  # bytes of one table
MAX_CELL = 128 * 1024  # bytes, as in CSV
MAX_ROWS_A_BYTE, FREE_ROWS = 100, 1_000_000


@dataclass(slots=True)
class ParquetFile:
    """An open file whose footer has been read. columns: its names; of those that can't be values, `refused` tells why."""

    part: Part
    source: BinaryIO
    file: pq.ParquetFile
    columns: list[str]
    refused: dict[str, str]

    @property
    def read(self) -> int:
        """How far into the file we are, in bytes."""
        return self.source.tell()

    def kind_of(self, column: str) -> str:
        """What the cells of a column are: text, number, boolean, date, datetime or list."""
        return _kind(self.file.schema_arrow.field(column).type)[0]

    def tables(self, wanted: Collection[str], *, done: int = 0) -> Iterator[Table]:
        """The rows from number done + 1 on. Raises Invalid for a file that is damaged or grows too far."""
        places = [place for place, name in enumerate(self.columns) if name in wanted]
        names = [self.file.schema_arrow.names[place] for place in places]
        groups = [_Group(self.part, self.file.metadata.row_group(each), each, set(names)) for each in range(self.file.num_row_groups)]
        # Texts of a dictionary stay there until it is known how much they come to.
        packed = sorted(set().union(*(group.dictionaries for group in groups)) & {n for n in names if self.kind_of(n) == "text"})
        file = pq.ParquetFile(self.source, metadata=self.file.metadata, read_dictionary=packed, page_checksum_verification=False)
        start = 0
        for group in groups:
            if start + group.rows > done:
                for table in self._group(file, group, names, start):
                    if table.last > done:
                        yield table.after(done)
            start += group.rows

    def _group(self, file: pq.ParquetFile, group: _Group, names: list[str], start: int) -> Iterator[Table]:
        unpacked = 0
        batches = file.iter_batches(group.at_once, row_groups=[group.number], columns=names, use_threads=False)
        while (batch := self._next(batches)) is not None:
            unpacked += sum(map(_unpacked, batch.columns))
            if unpacked > FREE and unpacked > MAX_RATIO * self.part.size:
                raise self.part.unfit("a file that expands too far", f"one that expands at most {MAX_RATIO} times")
            numbers = range(start + 1, start + 1 + batch.num_rows)
            start += batch.num_rows
            yield _table(batch, numbers)

    def _next(self, batches: Iterator[Any]) -> Any:
        try:
            return next(batches, None)
        except (pa.ArrowException, OSError, ValueError, MemoryError):
            raise self.part.unfit("a damaged file or disk", "a Parquet file that can be read to its end") from None


@dataclass(slots=True, init=False)
class _Group:
    """A row group, as its footer describes it. dictionaries: columns whose texts stand in a dictionary; at_once: rows that may be
    unpacked together, so that they come to some dozen MiB."""

    number: int
    rows: int
    at_once: int
    dictionaries: set[str]

    def __init__(self, part: Part, group: Any, number: int, names: set[str]) -> None:
        chunks = [group.column(each) for each in range(group.num_columns)]
        wanted = [chunk for chunk in chunks if chunk.path_in_schema in names or chunk.path_in_schema.partition(".")[0] in names]
        unpacked = sum(chunk.total_uncompressed_size for chunk in wanted)
        if unpacked > MAX_GROUP:
            found, most = f"{unpacked // 1024**2:,} MiB in row group {number + 1}", MAX_GROUP // 1024**2
            raise part.unfit(found, f"row groups of at most {most} MiB in the columns that are taken")
        self.number, self.rows = number, group.num_rows
        self.at_once = max(1, min(AT_ONCE, BATCH // max(unpacked // max(self.rows, 1), 1)))
        for chunk in wanted:
            if "DELTA_BYTE_ARRAY" in chunk.encodings:  # each text may repeat the one before it, which is as long as all of them at most
                self.at_once = max(1, min(self.at_once, 2 * BATCH // max(chunk.total_uncompressed_size, 1)))
        self.dictionaries = {chunk.path_in_schema for chunk in wanted if any("DICTIONARY" in word for word in chunk.encodings)}


def _unpacked(column: Any) -> int:
    """Bytes that the cells of a column come to."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    return int(pc.sum(pc.take(pc.binary_length(column.dictionary), column.indices)).as_py() or 0) + 4 * len(column)


def read_parquet(part: Part, source: BinaryIO) -> ParquetFile:
    """Read the footer. Raises Invalid for what is no Parquet file, or one that nobody should unpack."""
    _check_footer(part, source)
    try:
        file = pq.ParquetFile(
            source, thrift_string_size_limit=MAX_FOOTER, thrift_container_size_limit=1_000_000, page_checksum_verification=False
        )
        schema, metadata = file.schema_arrow, file.metadata
    except (pa.ArrowException, OSError, ValueError, RecursionError):
        raise part.unfit("a damaged Parquet file", "a Parquet file that can be read to its end") from None
    names = [name.strip() for name in schema.names]
    faults = [part.fault(*fault, at="/header") for fault in _header_faults(names)]
    if metadata.num_rows > FREE_ROWS and metadata.num_rows > MAX_ROWS_A_BYTE * part.size:
        faults.append(part.fault(f"{metadata.num_rows:,} rows in {part.size:,} bytes", "a file that expands less"))
    unpacked = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if unpacked > FREE and unpacked > MAX_RATIO * part.size:
        faults.append(part.fault("a file that expands too far", f"one that expands at most {MAX_RATIO} times"))
    if faults:
        raise Invalid(faults)
    refused = {field.name: word for field in schema if (word := _kind(field.type)[1])}
    return ParquetFile(part, source, file, names, refused)


def _check_footer(part: Part, source: BinaryIO) -> None:
    """A file ends with the length of its footer, which is read whole; an encrypted one with another mark."""
    if part.size < 12:
        raise part.unfit("the beginning of a Parquet file", "a Parquet file that can be read to its end")
    source.seek(part.size - 8)
    length, magic = int.from_bytes(source.read(4), "little"), source.read(4)
    source.seek(0)
    if magic != b"PAR1":
        raise part.unfit("the beginning of a Parquet file", "a Parquet file that can be read to its end")
    if length > MAX_FOOTER:
        raise part.unfit(f"a footer of {length // 1024**2:,} MiB", f"a footer of at most {MAX_FOOTER // 1024**2} MiB")


def _header_faults(names: list[str]) -> Iterator[tuple[str, str]]:
    if len(names) > MAX_COLUMNS:
        yield f"{len(names):,} columns", f"at most {MAX_COLUMNS}"
        return
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the column {shorten(name)} {names.count(name)} times", "each column once"
    for name in names:
        if not name or not name.isprintable() or len(name) > 200:
            yield shorten(name), "names of at most 200 printable characters"


# ── what a column holds ───────────────────────────────────────────────────────────────────────────────────────────


def _kind(type_: Any) -> tuple[str, str]:
    """What the cells of an Arrow type are in ours, or why none of ours: (kind, "") or ("", words)."""
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_null(type_):
        return "text", ""
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number", ""
    if pa.types.is_boolean(type_):
        return "boolean", ""
    if pa.types.is_date(type_):
        return "date", ""
    if pa.types.is_timestamp(type_):
        return ("datetime", "") if type_.tz else ("", "instants without a time zone")
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return ("list", "") if _kind(type_.value_type) == ("text", "") else ("", f"lists of {shorten(str(type_.value_type))}")
    return "", shorten(str(type_))


def _table(batch: Any, numbers: range) -> Table:
    columns, bad = {}, dict[int, Record]()
    for field, column in zip(batch.schema, batch.columns, strict=True):
        name = field.name.strip()
        cells, faulty = _cells(column)
        columns[name] = cells
        for index, finding in faulty:
            bad.setdefault(index, Record(numbers[index], numbers[index], faults=(Finding("error", pointer([name]), *finding),)))
    if not bad:
        return Table(numbers, numbers, columns)
    good = [index for index in range(len(numbers)) if index not in bad]
    kept = [numbers[index] for index in good]
    return Table(
        kept, kept, {name: [cells[index] for index in good] for name, cells in columns.items()}, [bad[index] for index in sorted(bad)]
    )


def _cells(column: Any) -> tuple[Sequence[Any], list[tuple[int, tuple[str, str]]]]:
    """The cells as `Columns` wants them, "" for nothing, and those that no value can have."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    type_, faulty = column.type, list[tuple[int, tuple[str, str]]]()
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        column, faulty = _sound_texts(column)
    cells = column.to_pylist()
    convert = _CONVERT.get(_kind(type_)[0])
    if convert is not None:
        cells = [None if cell is None else convert(cell) for cell in cells]
    if pa.types.is_floating(type_):
        faulty += [(at, ("NaN", "a number, or nothing")) for at, cell in enumerate(cells) if cell is not None and math.isnan(cell)]
    return ["" if cell is None else cell for cell in cells] if column.null_count else cells, faulty


def _sound_texts(column: Any) -> tuple[Any, list[tuple[int, tuple[str, str]]]]:
    """Texts that are short enough and UTF-8: Parquet calls bytes text without looking at them."""
    lengths = pc.binary_length(column)
    faulty: list[tuple[int, tuple[str, str]]] = []
    long = pc.max(lengths).as_py() or 0
    if long > MAX_CELL:
        where = pc.indices_nonzero(pc.fill_null(pc.greater(lengths, MAX_CELL), False)).to_pylist()
        faulty += [(at, (f"more than {MAX_CELL // 1024} KiB in one cell", "cells of at most 32 KiB")) for at in where]
        column = pc.if_else(pc.greater(lengths, MAX_CELL), pa.scalar("", column.type), column)
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raw = column.cast(pa.large_binary()).to_pylist()
        texts: list[str | None] = []
        for at, value in enumerate(raw):
            try:
                texts.append(None if value is None else value.decode("utf-8"))
            except UnicodeDecodeError as error:
                faulty.append((at, (f"the byte 0x{value[error.start]:02X}", "text in UTF-8")))
                texts.append("")
        column = pa.array(texts, pa.large_string())
    return column, faulty


def _number(cell: Any) -> int | float:
    if isinstance(cell, int | float):
        return cell
    return int(cell) if cell == cell.to_integral_value() else float(cell)


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "date": lambda cell: cell.isoformat(),
    "datetime": lambda cell: cell.astimezone(UTC).isoformat(),
}
