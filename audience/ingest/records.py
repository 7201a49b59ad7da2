"""Rows of a CSV or NDJSON file as plain records, with what is wrong with their shape; a bad one never stops the others."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from audience.ingest.files import MAX_LINE, TOO_LONG, Lines
from audience.ingest.tables import Record, Table
from governance.door import Finding, Invalid, pointer, shorten

Format = Literal["csv", "ndjson", "parquet"]
AT_ONCE = 10_000  # rows of a table
_SURROGATE = re.compile("[\ud800-\udfff]")
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MAX_COLUMNS = 500


# ── CSV ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Rereading:
    """Lines of a file, which can be read again from the second line of a row on: a mark that opens and never closes swallows none.

    Each such row costs at most the reader's limit of one cell, and none of the lines read again can be its like.
    """

    blocks: Iterator[list[str]]
    number: int = 0  # of the last line that was read
    row: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)  # what is to be read next, the first one last

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not self.again:
            self.again = next(self.blocks)[::-1]
        line = self.again.pop()
        self.row.append(line)
        self.number += 1
        return line + "\n"

    def whole(self, count: int) -> list[str]:
        """At most so many lines that nobody has looked at yet; none at the end."""
        while not self.again:
            if (block := next(self.blocks, None)) is None:
                return []
            self.again = block[::-1]
        lines = self.again[-count:][::-1]
        del self.again[-count:]
        self.number += len(lines)
        return lines

    def unread(self, lines: list[str]) -> None:
        """Take lines of `whole` back."""
        self.again += lines[::-1]
        self.number -= len(lines)

    def start(self) -> int:
        """A row starts here. Returns the number of its first line."""
        self.row.clear()
        return self.number + 1

    def back(self) -> None:
        """Only the row's first line was bad."""
        self.again += self.row[:0:-1]
        self.number -= len(self.row) - 1


@dataclass(slots=True)
class CsvFile:
    """An open CSV file whose header has been read. columns: its names; columns without a name are left out."""

    lines: _Rereading
    reader: Any
    header: list[str]
    delimiter: str

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in their order."""
        return [name for name in self.header if name]

    def tables(self) -> Iterator[Table]:
        """All rows."""
        row = 0
        while lines := self.lines.whole(AT_ONCE):
            table = self._plain(lines, row)
            if table is None:
                count = len(lines)
                self.lines.unread(lines)
                table = self._one_by_one(count, row)
            if len(table):
                row = table.last
                yield table

    def _plain(self, lines: list[str], before: int) -> Table | None:
        """The rows of these lines, if each line is one sound row: the common case, at a fraction of the cost."""
        joined = "".join(lines)
        if not joined.isascii() and _SURROGATE.search(joined):
            return None
        cells = _unquoted_columns(lines, joined, self.delimiter, len(self.header)) or self._quoted_columns(lines)
        if cells is None:
            return None
        first = self.lines.number - len(lines)
        columns = dict(zip(self.header, cells, strict=True))
        columns.pop("", None)
        return Table(range(before + 1, before + 1 + len(lines)), range(first + 1, first + 1 + len(lines)), columns)

    def _quoted_columns(self, lines: list[str]) -> Sequence[Sequence[str]] | None:
        try:
            found = list(csv.reader(lines, delimiter=self.delimiter, strict=True))
        except csv.Error:
            return None
        if len(found) != len(lines) or set(map(len, found)) - {len(self.header)}:
            return None
        return list(zip(*found, strict=True))

    def _one_by_one(self, count: int, row: int) -> Table:
        """The rows that begin in so many lines, whatever they are like."""
        until, good, odd = self.lines.number + count, list[Record](), list[Record]()
        while self.lines.number < until:
            line = self.lines.start()
            try:
                cells = next(self.reader)
            except StopIteration:
                break
            except csv.Error as error:
                self.lines.back()
                row += 1
                odd.append(Record(row, line, faults=(_unquoted(error),)))
                continue
            if not cells:  # an empty line
                continue
            row += 1
            record = self.record(row, line, cells)
            (odd if record.faults else good).append(record)
        columns = {name: [record.values[name] for record in good] for name in self.columns}
        return Table([record.row for record in good], [record.line for record in good], columns, odd)

    def record(self, row: int, line: int, cells: Sequence[str]) -> Record:
        """One row of cells, all of them sound."""
        faults: tuple[Finding, ...] = ()
        if not "".join(cells).isascii():
            faults = tuple(fault for name, cell in zip(self.header, cells, strict=False) if (fault := _cell_fault(name, cell)))
        if not faults and len(cells) != len(self.header):
            faults = (Finding("error", "", f"{len(cells)} cells", f"{len(self.header)}, as in the header"),)
        return Record(row, line, dict(zip(self.header, cells, strict=False)), faults)


def _unquoted_columns(lines: list[str], joined: str, delimiter: str, width: int) -> Sequence[Sequence[str]] | None:
    """The cells column by column, where splitting is all that is needed."""
    if '"' in joined or width == 1 or max(map(len, lines)) > csv.field_size_limit():
        return None
    if "\r" in joined:
        lines = [line.removesuffix("\r") for line in lines]
    if any(line.count(delimiter) != width - 1 or "\r" in line for line in lines):
        return None
    cells = delimiter.join(lines).split(delimiter)
    return [cells[place::width] for place in range(width)]


def read_csv(lines: Lines, delimiter: str) -> CsvFile:
    """Read the header. Raises Invalid if it can't be one."""
    readable = _Rereading(lines.blocks())
    reader = csv.reader(readable, delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Invalid([_in_header(f"a line that can't be read ({error})", "the names of the columns")]) from None
    faults = [_in_header(*fault) for fault in _header_faults(header, delimiter)]
    if faults:
        raise Invalid(faults)
    return CsvFile(readable, reader, header, delimiter)


def _header_faults(header: list[str], delimiter: str) -> Iterator[tuple[str, str]]:
    first = header[0] if header else ""
    if first[:1] in "{[" and first:
        yield "JSON", "CSV; for a JSON object per line say --format ndjson"
        return
    if len(header) > MAX_COLUMNS:
        yield f"{len(header):,} columns", f"at most {MAX_COLUMNS}"
        return
    other = next((sign for sign in DELIMITERS if sign != delimiter and sign in first), None)
    if len(header) == 1 and other:
        yield (
            f"one column, with {DELIMITERS[other]} in its name",
            f"columns; are they apart by {DELIMITERS[other]}? Then say so with --delimiter",
        )
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        yield f"the column {shorten(name)} {header.count(name)} times", "each column once"
    for name in header:
        if not name.isprintable() or len(name) > 200:
            yield shorten(name.encode("utf-8", "replace").decode()), "names of at most 200 printable characters in UTF-8"
    if not any(header):
        yield "no names", "the names of the columns"


def _in_header(found: str, expected: str) -> Finding:
    return Finding("error", "/header", found, expected)


def _cell_fault(name: str, cell: str) -> Finding | None:
    """What no value can have, found before anybody tries to understand it."""
    if TOO_LONG in cell:
        return Finding("error", pointer([name]), "a line that is too long", f"lines of at most {MAX_LINE // 1024:,} KiB")
    bad = next((char for char in cell if "\udc80" <= char <= "\udcff"), None)
    return Finding("error", pointer([name]), f"the byte 0x{ord(bad) - 0xDC00:02X}", "text in UTF-8") if bad else None


def _unquoted(error: csv.Error) -> Finding:
    if "field limit" in str(error):
        found = f"more than {csv.field_size_limit() // 1024} KiB in one cell, or a quotation mark that is never closed"
        return Finding("error", "", found, "cells of at most 32 KiB")
    if "unexpected end" in str(error):
        return Finding("error", "", "a quotation mark that is never closed", "quotation marks in pairs")
    return Finding("error", "", "quotation marks within a cell", 'cells in quotation marks as a whole, with "" for each mark inside')


# ── NDJSON ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Unsound(ValueError):
    """Words for what is wrong with a line of JSON."""


def read_ndjson(lines: Iterable[str]) -> Iterator[Record]:
    """One object a line. Empty lines are passed over."""
    row = 0
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        row += 1
        try:
            yield Record(row, line, _object(text))
        except _Unsound as unsound:
            yield Record(row, line, faults=(Finding("error", "", str(unsound), "one JSON object in UTF-8 on one line"),))


def _object(text: str) -> dict[str, Any]:
    if TOO_LONG in text:
        raise _Unsound("a line that is too long")
    if not text.isascii() and any("\udc80" <= char <= "\udcff" for char in text):
        raise _Unsound("bytes that are not UTF-8")
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except RecursionError:
        raise _Unsound("a structure nested too deeply") from None
    except _Unsound:
        raise
    except ValueError as error:  # malformed, or a number of thousands of digits
        raise _Unsound(f"no JSON ({error})" if isinstance(error, json.JSONDecodeError) else "a number that is too large") from None
    if not isinstance(value, dict):
        raise _Unsound("JSON that is no object")
    return value


def _pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) < len(items):
        raise _Unsound("a key that is given twice")
    return found


def _constant(word: str) -> NoReturn:
    raise _Unsound(word)
