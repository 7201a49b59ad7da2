"""Rows of a file as they come: some at a time, column by column, so that a column is understood at once and not cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from governance.door import Finding


@dataclass(frozen=True, slots=True)
class Record:
    """One row. row: its number, from 1, without the header; line: where it starts in the file. faults: of its shape."""

    row: int
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    faults: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Table:
    """Some rows in their order. rows, lines: their numbers, and where each starts in the file; columns: name → one cell a row;
    odd: other rows among them, whose shape is wrong."""

    rows: Sequence[int]
    lines: Sequence[int]
    columns: dict[str, Any]
    odd: list[Record] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.odd)

    @property
    def last(self) -> int:
        """The number of the last row."""
        return max(self.rows[-1] if self.rows else 0, self.odd[-1].row if self.odd else 0)

    def record(self, index: int) -> Record:
        """One of the rows by itself."""
        return Record(self.rows[index], self.lines[index], {name: cells[index] for name, cells in self.columns.items()})

    def after(self, done: int) -> Table:
        """Those rows whose number is larger."""
        start = next((index for index, row in enumerate(self.rows) if row > done), len(self.rows)) if done else 0
        if not start and not self.odd:
            return self
        columns = {name: cells[start:] for name, cells in self.columns.items()}
        return Table(self.rows[start:], self.lines[start:], columns, [one for one in self.odd if one.row > done])
