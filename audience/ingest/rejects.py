"""The file of rows that were not taken: line, field and reason, one JSON object a line; never an address, never a personal value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Protocol

from audience.addresses import without_addresses
from audience.ingest.places import Part
from audience.ingest.rows import Rejected
from governance.door import Finding, Invalid


class Shape(Protocol):
    """Knows what a finding's place is called in the file."""

    def column_of(self, path: str) -> str: ...


class Rejects:
    """Opened with the first row that is rejected; without a path it only counts. shown: the first lines, for the summary."""

    SHOWN = 5

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.count = 0
        self.shown: list[str] = []
        self.size = 0  # bytes that are written
        self._file: IO[bytes] | None = None
        self._kept: int | None = None

    def go_on(self, size: int) -> None:
        """What an import that was broken off had noted stays: so many bytes. What it noted of rows that come again goes."""
        if self.path is not None and self._file is None and size and self.path.exists():
            self._kept = min(size, self.path.stat().st_size)
            self._opened()

    def take(self, row: Rejected, shape: Shape, part: Part, *, unit: str = "line") -> None:
        """Note one row, each of its faults on a line. unit: what `row.line` counts, lines or rows."""
        self.count += 1
        for finding in row.findings:
            field = shape.column_of(finding.path) or "row"
            reason = f"found {without_addresses(finding.found)}, expected {finding.expected}"
            if len(self.shown) < self.SHOWN:
                self.shown.append(f"{'' if part.alone else part.name + ', '}{unit} {row.line}: {field}: {reason}")
            if self.path is not None:
                where = {unit: row.line} if part.alone else {"file": part.name, unit: row.line}
                text = json.dumps({**where, "field": field, "reason": reason}, ensure_ascii=False) + "\n"
                self.size += self._opened().write(text.encode("utf-8", "backslashreplace"))

    def keep(self) -> int:
        """Write what is held back. Returns the bytes that are written."""
        if self._file is not None:
            self._file.flush()
        return self.size

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            assert self.path is not None
            try:
                self._file = open(self.path, "wb" if self._kept is None else "r+b")
                if self._kept is not None:
                    self._file.truncate(self._kept)
                    self.size = self._file.seek(self._kept)
            except OSError as error:
                raise Invalid(
                    [Finding("error", "/rejects", (error.strerror or "an error").lower(), "a file that can be written")]
                ) from None
        return self._file

    def close(self) -> None:
        """Write what is held back."""
        if self._file is not None:
            self._file.close()
