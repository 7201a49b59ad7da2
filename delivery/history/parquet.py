"""Parquet files: written whole or not at all, and read back to be compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from delivery.history.schema import VERSION, Column, Table

GROUP = 65_536  # rows of one row group, and about as many are in memory
TYPES = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "word": pa.string(),
    "moment": pa.timestamp("us", tz="UTC"),
}
Blocks = Iterable[pa.Table]


@dataclass(frozen=True, slots=True)
class Written:
    """One file: its rows and the digest of its bytes. The same rows make the same bytes with the same pyarrow."""

    rows: int
    digest: str


def arrow_schema(table: Table) -> pa.Schema:
    """The table's schema; its name and version stand in the file's metadata."""
    fields = [pa.field(column.name, TYPES[column.kind], nullable=column.nullable) for column in table.columns]
    return pa.schema(fields, metadata={"omni.table": table.name, "omni.schema": str(VERSION)})


def raw_type(column: Column) -> pa.DataType:
    """The type of what the database answers: the number of a word."""
    return pa.int64() if column.words is not None else TYPES[column.kind]


def block(table: Table, columns: Sequence[pa.Array]) -> pa.Table:
    """A block of the table from what the database answered, column by column."""
    schema = arrow_schema(table)
    return pa.Table.from_arrays([_worded(column, raw) for column, raw in zip(table.columns, columns, strict=True)], schema=schema)


def _worded(column: Column, raw: pa.Array) -> pa.Array:
    if column.words is None:
        return raw
    words = pa.array([column.words.get(number, "") for number in range(max(column.words) + 1)], type=pa.string())
    return words.take(raw)


class Appending:
    """A file that grows under a name of its own until it is finished."""

    def __init__(self, path: Path, table: Table) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.made = path, path.with_name(f".{path.name}.tmp")
        words = [column.name for column in table.columns if column.kind == "word"]
        self._writer = pq.ParquetWriter(self.made, arrow_schema(table), compression="zstd", use_dictionary=words)
        self.rows = 0

    def add(self, some: pa.Table) -> None:
        """One row group."""
        self._writer.write_table(some, row_group_size=GROUP)
        self.rows += len(some)

    def finish(self, each: Callable[[], None]) -> Written:
        """Put it at its name, in place of what stood there. A kill leaves the old file or the new."""
        self._writer.close()
        return Written(self.rows, _settle(self.made, self.path, each))

    def abandon(self) -> None:
        """Leave what stands there."""
        self._writer.close()
        self.made.unlink(missing_ok=True)


def write(path: Path, table: Table, blocks: Blocks, *, each: Callable[[], None] = lambda: None) -> Written:
    """Put these rows at `path`; no rows: nothing stands there any more.

    each: called after every step, so that a caller may show progress or end it.
    """
    file = None
    try:
        for some in regrouped(blocks):
            file = file or Appending(path, table)
            file.add(some)
            each()
    except BaseException:
        if file is not None:
            file.abandon()
        raise
    if file is None:
        path.unlink(missing_ok=True)
        return Written(0, "")
    return file.finish(each)


def regrouped(blocks: Blocks) -> Iterator[pa.Table]:
    """The same rows in blocks of GROUP, the last one smaller."""
    kept: list[pa.Table] = []
    held = 0
    for some in blocks:
        kept.append(some)
        held += len(some)
        if held >= GROUP:
            together = pa.concat_tables(kept)
            whole = held // GROUP * GROUP
            yield from (together.slice(start, GROUP).combine_chunks() for start in range(0, whole, GROUP))
            kept, held = [together.slice(whole)], held - whole
    if held:
        yield pa.concat_tables(kept).combine_chunks()


def same(path: Path, blocks: Blocks) -> bool:
    """Whether the file holds exactly these rows, in this order: every value is read back from the disk and compared."""
    try:
        with pq.ParquetFile(path) as file:
            groups = iter(range(file.num_row_groups))
            for some in regrouped(blocks):
                group = next(groups, None)
                if group is None or not file.read_row_group(group).equals(some):
                    return False
            return next(groups, None) is None
    except FileNotFoundError:
        return all(len(some) == 0 for some in blocks)
    except (pa.ArrowInvalid, OSError):
        return False


def digest_of(path: Path) -> str:
    """The BLAKE2b of a file's bytes, 32 hexadecimal digits."""
    found = blake2b(digest_size=16)
    with path.open("rb") as file:
        while some := file.read(1 << 20):
            found.update(some)
    return found.hexdigest()


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
