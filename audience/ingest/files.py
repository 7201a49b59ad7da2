"""Lines of a file of unknown manners: plain, gzip or zstd, told apart by content; a block in memory at a time, lines of bounded length.

Bytes that are not UTF-8 arrive as lone low surrogates (Python's "surrogateescape"), a line that is too long as TOO_LONG: so the row
that has them can be named and the rest of the file goes on.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from audience.ingest.extra import needed
from audience.ingest.places import Part

MAX_LINE = 1024 * 1024  # bytes
BLOCK = 1024 * 1024  # bytes that are read at once
MAX_RATIO, FREE = 100, 64 * 1024 * 1024  # a file may grow to 64 MiB, or else to a hundred times its size
TOO_LONG = "\ud800"  # never comes out of decoding
PARQUET = b"PAR1"
_BOM = b"\xef\xbb\xbf"
_GZIP, _ZSTD = b"\x1f\x8b", b"(\xb5/\xfd"
_NOT_TEXT = {
    b"PK\x03\x04": "a ZIP archive or spreadsheet",
    b"PK\x05\x06": "a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"%PDF": "a PDF",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"7z\xbc\xaf": "a 7z archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"SQLite format": "a database",
    PARQUET: "a Parquet file in an archive",
    _GZIP: "an archive in an archive",
    _ZSTD: "an archive in an archive",
}


@dataclass(slots=True)
class Lines:
    """The lines of an open file."""

    part: Part
    source: BinaryIO  # the bytes as they are stored
    stream: Any  # the same, unpacked
    block: bytes = b""
    unpacked: int = 0

    @property
    def read(self) -> int:
        """How far into the file we are, in bytes as they are stored."""
        return self.source.tell()

    @property
    def first(self) -> bytes:
        """The first line, while nothing else was asked for."""
        return self.block.partition(b"\n")[0]

    def blocks(self) -> Iterator[list[str]]:
        """Some lines at a time, without their line feeds."""
        rest, skipping = b"", False
        while block := self.block:
            self.block = b""
            head, feed, tail = block.rpartition(b"\n")
            if not feed:
                rest += block
            else:
                lines = (rest + head).split(b"\n")
                if skipping:
                    skipping = False
                    del lines[0]
                    yield [TOO_LONG]
                if lines:
                    yield _decoded(lines)
                rest = tail
            if len(rest) > MAX_LINE or skipping:
                rest, skipping = b"", True
            self.fill()
        if skipping:
            yield [TOO_LONG]
        elif rest:
            yield _decoded([rest])

    def fill(self) -> None:
        """Read a block on. Raises Invalid for what can't be unpacked or never ends."""
        try:
            self.block = self.stream.read(BLOCK)
        except (OSError, EOFError, ValueError, zlib.error):
            raise self.part.unfit("a damaged archive or disk", "a file that can be read to its end") from None
        self.unpacked += len(self.block)
        if self.unpacked > FREE and self.unpacked > MAX_RATIO * max(self.read, 1):
            raise self.part.unfit("an archive that expands too far", f"one that expands at most {MAX_RATIO} times")

    def __iter__(self) -> Iterator[str]:
        for block in self.blocks():
            for line in block:
                yield line + "\n"


def _decoded(lines: list[bytes]) -> list[str]:
    if max(map(len, lines)) > MAX_LINE:
        return [TOO_LONG if len(line) > MAX_LINE else line.decode("utf-8", "surrogateescape") for line in lines]
    return b"\n".join(lines).decode("utf-8", "surrogateescape").split("\n")


@contextmanager
def open_lines(part: Part, source: BinaryIO, magic: bytes) -> Iterator[Lines]:
    """The lines of a text file. magic: its first bytes, as `open_part` gives them. Raises Invalid for what is no text."""
    stream: Any = source
    if magic.startswith(_GZIP):
        stream = gzip.GzipFile(fileobj=source)
    elif magic.startswith(_ZSTD):
        arrow = needed("pyarrow", "a zstd archive")
        stream = arrow.CompressedInputStream(arrow.PythonFile(source, mode="r"), "zstd")
    lines = Lines(part, source, stream)
    lines.fill()
    _refuse_what_is_no_text(part, lines.block)
    lines.block = lines.block.removeprefix(_BOM)
    yield lines


@contextmanager
def open_part(part: Part) -> Iterator[tuple[BinaryIO, bytes]]:
    """A file's bytes, and the first few of them, which say what it is."""
    with part.open() as source:
        try:
            magic = source.read(4)
            source.seek(0)
        except OSError as error:
            raise part.unfit((error.strerror or "an error").lower(), "a file that can be read") from None
        yield source, magic


def _refuse_what_is_no_text(part: Part, block: bytes) -> None:
    for magic, words in _NOT_TEXT.items():
        if block.startswith(magic):
            raise part.unfit(words, "text in UTF-8: CSV or a JSON object per line")
    first, feed, _ = block.partition(b"\n")
    if not first.strip():
        raise part.unfit("nothing in the first line", "a first line with the names of the columns, or with a JSON object")
    if first.lstrip()[:1] == b"<":
        raise part.unfit("HTML or XML", "text in UTF-8: CSV or a JSON object per line")
    if b"\r" in first.rstrip(b"\r") and not feed:
        raise part.unfit("lines that end with a carriage return only", "lines that end with a line feed")
