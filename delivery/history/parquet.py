"""Parquet files: written whole or not at all, and read back. The one module that needs pyarrow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from delivery.history.schema import VERSION, Column, Table

GROUP = 65_536  # rows of one row group, and at most in memory
TYPES = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "word": pa.string(),
    "moment": pa.timestamp("us", tz="UTC"),
}
Rows = Iterable[Sequence[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Written:
    """One file: its rows and the digest of its bytes. The same rows make the same bytes with the same pyarrow."""

    rows: int
    digest: str


def arrow_schema(table: Table) -> pa.Schema:
    """The table's schema; its name and version stand in the file's metadata."""
    fields = [pa.field(column.name, TYPES[column.kind], nullable=column.nullable) for column in table.columns]
    return pa.schema(fields, metadata={"omni.table": table.name, "omni.schema": str(VERSION)})


class Appending:
    """A file that grows under a name of its own until it is finished."""

    def __init__(self, path: Path, table: Table) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.table, self.made = path, table, path.with_name(f".{path.name}.tmp")
        self._writer = pq.ParquetWriter(self.made, arrow_schema(table), compression="zstd", use_dictionary=_worded(table))
        self.rows = 0

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """One row group."""
        self._writer.write_table(_arrow(self.table, rows), row_group_size=GROUP)
        self.rows += len(rows)

    def finish(self, *, each: Callable[[], None] = lambda: None) -> Written:
        """Put it at its name, in place of what stood there. A kill leaves the old file or the new."""
        self._writer.close()
        return Written(self.rows, _settle(self.made, self.path, each))

    def abandon(self) -> None:
        """Leave what stands there."""
        self._writer.close()
        self.made.unlink(missing_ok=True)


def write(path: Path, table: Table, blocks: Rows, *, each: Callable[[], None] = lambda: None) -> Written:
    """Put these rows at `path`; no rows: nothing stands there any more.

    each: called after every step, so that a caller may show progress or end it.
    """
    file = None
    try:
        for block in blocks:
            file = file or Appending(path, table)
            file.add(block)
            each()
    except BaseException:
        if file is not None:
            file.abandon()
        raise
    if file is None:
        path.unlink(missing_ok=True)
        return Written(0, "")
    return file.finish(each=each)


def _settle(made: Path, path: Path, each: Callable[[], None]) -> str:
    """Move a finished file to its name, durably; the digest of its bytes. What stands there already is left alone."""
    digest = digest_of(made)
    if path.exists() and digest_of(path) == digest:
        made.unlink()
        return digest
    with made.open("rb") as file:
        os.fsync(file.fileno())
    each()
    made.replace(path)
    each()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return digest


def digest_of(path: Path) -> str:
    """The BLAKE2b of a file's bytes, 32 hexadecimal digits."""
    found = blake2b(digest_size=16)
    with path.open("rb") as file:
        while some := file.read(1 << 20):
            found.update(some)
    return found.hexdigest()


def read(path: Path, *, columns: Sequence[str] | None = None) -> Iterator[list[dict[str, Any]]]:
    """A file's rows, a row group at a time."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=list(columns) if columns else None).to_pylist()


def same(path: Path, table: Table, blocks: Rows) -> bool:
    """Whether the file holds exactly these rows, in this order: every value is read back from the disk and compared."""
    try:
        with pq.ParquetFile(path) as file:
            groups = iter(range(file.num_row_groups))
            for block in blocks:
                group = next(groups, None)
                if group is None or not file.read_row_group(group).equals(_arrow(table, block)):
                    return False
            return next(groups, None) is None
    except FileNotFoundError:
        return next(iter(blocks), None) is None
    except (pa.ArrowInvalid, OSError):
        return False


def _values(column: Column, raw: Sequence[Any]) -> Sequence[Any]:
    return raw if column.read is None else list(map(column.read, raw))


def _arrow(table: Table, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    schema = arrow_schema(table)
    by_column = zip(table.columns, zip(*rows, strict=True), schema.types, strict=True)
    return pa.Table.from_arrays([pa.array(_values(column, raw), type=kind) for column, raw, kind in by_column], schema=schema)


def _worded(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.kind == "word"]
