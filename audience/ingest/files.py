"""Lines of a file of unknown manners: plain or gzip, told apart by content; one line in memory at a time, each of bounded length.

Bytes that are not UTF-8 arrive as lone low surrogates (Python's "surrogateescape"), a line that is too long as TOO_LONG: so the row
that has them can be named and the rest of the file goes on.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from governance.door import Finding, Invalid

MAX_LINE = 1024 * 1024  # bytes
MAX_RATIO, FREE = 100, 64 * 1024 * 1024  # a file may grow to 64 MiB, or else to a hundred times its size
TOO_LONG = "\ud800"  # never comes out of decoding
_BOM = b"\xef\xbb\xbf"
_NOT_TEXT = {
    b"PK\x03\x04": "a ZIP archive or spreadsheet",
    b"PK\x05\x06": "a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"7z\xbc\xaf": "a 7z archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"(\xb5/\xfd": "a zstd archive",
    b"SQLite format": "a database",
}


@dataclass(slots=True)
class Lines:
    """The lines of an open file. read: bytes of the file as it is on disk that were read so far."""

    source: BinaryIO
    stream: gzip.GzipFile | BinaryIO
    size: int
    first: bytes
    inflated: int = 0

    @property
    def read(self) -> int:
        """How far into the file we are, in bytes on disk."""
        return self.source.tell()

    def __iter__(self) -> Iterator[str]:
        line = self.first
        while line:
            if len(line) > MAX_LINE:
                yield TOO_LONG + "\n"
                while line and not line.endswith(b"\n"):
                    line = self._next()
            else:
                yield line.decode("utf-8", "surrogateescape")
            line = self._next()

    def _next(self) -> bytes:
        line = _readline(self.stream)
        self.inflated += len(line)
        if self.inflated > FREE and self.inflated > MAX_RATIO * max(self.read, 1):
            raise _unfit("an archive that expands too far", f"one that expands at most {MAX_RATIO} times")
        return line


@contextmanager
def open_lines(path: Path) -> Iterator[Lines]:
    """The lines of a text file, plain or gzip. Raises Invalid for what is no text."""
    try:
        source = open(path, "rb")
    except OSError as error:
        raise _unfit((error.strerror or "an error").lower(), "a file that can be read") from None
    with source:
        packed = source.read(2) == b"\x1f\x8b"
        source.seek(0)
        stream: gzip.GzipFile | BinaryIO = gzip.GzipFile(fileobj=source) if packed else source
        first = _readline(stream)
        _refuse_what_is_no_text(first)
        yield Lines(source, stream, path.stat().st_size, first.removeprefix(_BOM))


def _readline(stream: gzip.GzipFile | BinaryIO) -> bytes:
    try:
        return stream.readline(MAX_LINE + 1)
    except (OSError, EOFError, zlib.error):
        raise _unfit("a damaged archive or disk", "a file that can be read to its end") from None


def _refuse_what_is_no_text(first: bytes) -> None:
    for magic, words in _NOT_TEXT.items():
        if first.startswith(magic):
            raise _unfit(words, "text in UTF-8: CSV or a JSON object per line")
    if not first.strip():
        raise _unfit("nothing in the first line", "a first line with the names of the columns, or with a JSON object")
    if first.lstrip()[:1] == b"<":
        raise _unfit("HTML or XML", "text in UTF-8: CSV or a JSON object per line")
    if b"\r" in first.rstrip(b"\r\n") and not first.endswith(b"\n"):
        raise _unfit("lines that end with a carriage return only", "lines that end with a line feed")


def _unfit(found: str, expected: str) -> Invalid:
    return Invalid([Finding("error", "/file", found, expected)])
