"""The reference page of the exported tables, written from their schema."""

from __future__ import annotations

from collections.abc import Iterator

from delivery.history.schema import TABLES, VERSION, Column, Table

TYPES = {
    "int64": "INT64",
    "int32": "INT32",
    "bool": "BOOLEAN",
    "string": "STRING",
    "word": "STRING",
    "moment": "TIMESTAMP (µs, UTC)",
}
HEAD = f"""# The schema of exports and archives

`manage.py export_history` and the archive write these tables ([how to](../how-to/export-and-retention.md)). This page is written by
`manage.py export_schema`. The schema's version is **{VERSION}**; it stands in every file's metadata (`omni.schema`, beside
`omni.table`) and in `_manifest.json`. Within a version no column goes or changes its type or meaning; new ones are added at the end.

Tables lie in Hive folders, `messages/day=2026-11-28/…`; days are UTC. No table holds an address, a name, what a message said, or the data
that it was made with."""


def page() -> str:
    """The whole page (Markdown)."""
    return "\n\n".join([HEAD, *(_section(table) for table in TABLES)]) + "\n"


def _section(table: Table) -> str:
    return "\n".join(_lines(table))


def _lines(table: Table) -> Iterator[str]:
    yield f"## {table.name}\n"
    yield table.meaning + "\n"
    partition = f"Partition: the day of {table.day}. " if table.day else ""
    yield f"{partition}Key: {', '.join(f'`{name}`' for name in table.key)}.\n"
    yield "| column | type | may be empty | what it says |\n|---|---|---|---|"
    yield from (_row(column) for column in table.columns)


def _row(column: Column) -> str:
    return f"| `{column.name}` | {TYPES[column.kind]} | {'yes' if column.nullable else 'no'} | {column.meaning} |"
