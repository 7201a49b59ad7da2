"""Lists of addresses that must not be written to, from elsewhere: streamed, hashed, never kept in the clear.

Law: every line whose address can be read is suppressed whatever the other lines hold: suppressing more is the safe side. Lines
are taken one by one, so a stray quotation mark spoils its own line only.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TextIO

from audience import door as audience
from delivery import suppression
from delivery.addresses import address_hashes
from governance.door import Finding, Invalid, shorten

LINES_AT_ONCE = 5_000
NAMES = {
    "email": ("email", "e-mail", "email_address", "address", "recipient"),
    "sms": ("phone", "number", "phone_number", "address", "recipient"),
}
NOT_TEXT = (b"\xff\xfe", b"\xfe\xff", b"PK\x03\x04", b"\x1f\x8b")  # UTF-16, zip (spreadsheets), gzip
FORMULA = tuple("=+-@\t\r")


@dataclass(frozen=True, slots=True)
class Rejected:
    """One line that names no address."""

    line: int
    found: str
    expected: str


@dataclass(slots=True)
class Imported:
    """What became of a file, in lines. known: already suppressed, or twice in the file."""

    lines: int = 0
    added: int = 0
    known: int = 0
    rejected: int = 0


def import_file(
    workspace_id: int,
    path: Path,
    *,
    channel: str,
    reason: str,
    column: str,
    region: str | None,
    rejects: Path,
    now: datetime,
    progress: Callable[[Imported], None],
) -> Imported:
    """Suppress every address of a CSV, text (one per line) or NDJSON file; each 5,000 lines are committed as they come.

    column: the one that holds the address, "" to find it. region: the country national phone numbers are read in. rejects: where
    bad lines are listed, made only if there are any. Raises Invalid for a file that can't be read at all.
    """
    outcome, source = Imported(), f"import:{path.name}"
    with _opened(path) as stream:
        rows = _addresses(stream, channel, column, region, ndjson=path.suffix.lower() in {".ndjson", ".jsonl"})
        with _Rejects(rejects) as sheet:
            while some := list(islice(rows, LINES_AT_ONCE)):
                good = [row for row in some if isinstance(row, str)]
                for row in some:
                    if isinstance(row, Rejected):
                        sheet.write(row)
                hashes = address_hashes(workspace_id, channel, good)
                added = suppression.suppress_hashes(workspace_id, channel, hashes, reason=reason, source=source, now=now)
                outcome.lines, outcome.added = outcome.lines + len(some), outcome.added + added
                outcome.known, outcome.rejected = outcome.known + len(good) - added, outcome.rejected + len(some) - len(good)
                progress(outcome)
    return outcome


def _opened(path: Path) -> TextIO:
    try:
        with path.open("rb") as raw:
            if raw.read(4).startswith(NOT_TEXT):
                raise Invalid(
                    [Finding("error", "/file", "a compressed or UTF-16 file", "text in UTF-8: one address per line, CSV or NDJSON")]
                )
        return path.open(encoding="utf-8-sig", errors="replace", newline="\n")
    except OSError as fault:
        raise Invalid([Finding("error", "/file", shorten(fault.strerror or "unreadable"), "a file that can be read")]) from None


def _addresses(stream: Iterable[str], channel: str, column: str, region: str | None, *, ndjson: bool) -> Iterator[str | Rejected]:
    """One normal address or one refusal per line that isn't empty."""
    cells = _json_cells(stream, channel, column) if ndjson else _csv_cells(stream, channel, column)
    for line, cell in cells:
        try:
            if isinstance(cell, Rejected):
                yield cell
            elif "\ufffd" in cell:
                yield Rejected(line, shorten(cell), "text in UTF-8")
            elif channel == "sms":
                yield audience.phone_number(cell, region=region)
            else:
                yield audience.email_address(cell)[1]
        except audience.BadAddress as fault:
            yield Rejected(line, shorten(cell), str(fault))


def _json_cells(stream: Iterable[str], channel: str, column: str) -> Iterator[tuple[int, str | Rejected]]:
    names = (column,) if column else NAMES[channel]
    for line, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        cell = row if isinstance(row, str) else next((row[name] for name in names if name in row), None) if isinstance(row, dict) else None
        yield line, cell if isinstance(cell, str) else Rejected(line, shorten(text.strip()), f"a JSON object with {' or '.join(names)}")


def _csv_cells(stream: Iterable[str], channel: str, column: str) -> Iterator[tuple[int, str | Rejected]]:
    """The cell that holds the address. Line by line: an address never holds a line break, a stray quotation mark seems to."""
    place, width, delimiter = -1, 0, ","
    for line, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        if place < 0:
            delimiter = max(",;\t", key=text.count)
            header = [cell.strip().casefold() for cell in _cells(text, delimiter)]
            place, is_header = _place(header, channel, column)
            width = place + 1
            if is_header:
                continue
        cells = _cells(text, delimiter)
        yield line, cells[place].strip() if len(cells) >= width else Rejected(line, shorten(text.strip()), f"at least {width} columns")


def _place(header: list[str], channel: str, column: str) -> tuple[int, bool]:
    """Where the address stands, and whether the first line only says so. Raises Invalid where the named column isn't there."""
    wanted = (column.strip().casefold(),) if column else NAMES[channel]
    found = next((header.index(name) for name in wanted if name in header), None)
    if found is not None:
        return found, True
    if column or (len(header) > 1 and not any("@" in cell or cell.startswith("+") for cell in header)):
        raise Invalid(
            [Finding("error", "/column", shorten(", ".join(header)), f"a column called {' or '.join(wanted)}: name it with --column")]
        )
    return next((at for at, cell in enumerate(header) if "@" in cell or cell.startswith("+")), 0), False


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text.replace("\0", "\ufffd").replace("\r", "")], delimiter=delimiter), [])
    except csv.Error:
        return []


class _Rejects:
    """The sheet of bad lines, made with the first of them. Cells that a spreadsheet would run as a formula are quoted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream: TextIO | None = None

    def __enter__(self) -> _Rejects:
        return self

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            self.stream.close()

    def write(self, row: Rejected) -> None:
        """One more line."""
        if self.stream is None:
            self.stream = self.path.open("w", encoding="utf-8", newline="")
            csv.writer(self.stream).writerow(["line", "found", "expected"])
        found = "'" + row.found if row.found.startswith(FORMULA) else row.found
        csv.writer(self.stream).writerow([row.line, found, row.expected])
