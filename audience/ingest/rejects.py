"""The file of rows that were not taken: line, field and reason, one JSON object a line; never an address, never a personal value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Protocol

from audience.addresses import without_addresses
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
        self._file: IO[str] | None = None

    def take(self, row: Rejected, shape: Shape) -> None:
        """Note one row, each of its faults on a line."""
        self.count += 1
        for finding in row.findings:
            field = shape.column_of(finding.path) or "row"
            reason = f"found {without_addresses(finding.found)}, expected {finding.expected}"
            if len(self.shown) < self.SHOWN:
                self.shown.append(f"line {row.line}: {field}: {reason}")
            if self.path is not None:
                self._opened().write(json.dumps({"line": row.line, "field": field, "reason": reason}, ensure_ascii=False) + "\n")

    def _opened(self) -> IO[str]:
        if self._file is None:
            assert self.path is not None
            try:
                self._file = open(self.path, "w", encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                raise Invalid(
                    [Finding("error", "/rejects", (error.strerror or "an error").lower(), "a file that can be written")]
                ) from None
        return self._file

    def close(self) -> None:
        """Write what is held back."""
        if self._file is not None:
            self._file.close()
