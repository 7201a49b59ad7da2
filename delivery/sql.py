"""The few places where the two databases spell things differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection

from governance.door import prepared_cursor


def on_postgres() -> bool:
    """Whether the default database is PostgreSQL; else it is SQLite."""
    return connection.vendor == "postgresql"


def moment(value: datetime | None) -> Any:
    """A time as a parameter of a raw statement."""
    return connection.ops.adapt_datetimefield_value(value)


def read_moment(value: Any) -> datetime:
    """A time from a raw row."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def read_json(value: Any) -> Any:
    """A JSON column from a raw row."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def among(column: str) -> str:
    """`column` is one of a list given by one parameter, `numbers(...)`."""
    return f"{column} = ANY(%s::bigint[])" if on_postgres() else f"{column} IN (SELECT value FROM json_each(%s))"


def numbers(values: Iterable[int]) -> Any:
    """The parameter of `among`: the array's own notation, which is several times faster to write than a list is to adapt."""
    return f"{{{','.join(map(str, values))}}}" if on_postgres() else orjson.dumps(list(values)).decode()


def table(name: str, columns: Mapping[str, str], values: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Rows that a statement brings along, as a table to select from: the words for it, and the parameters that stand there.

    columns: their PostgreSQL types, "text" or one of whole numbers; values: a row's values in the same order, None for null.
    """
    if on_postgres():
        arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        turned: Sequence[Sequence[Any]] = list(zip(*values, strict=True)) or [()] * len(columns)
        return f"unnest({arrays}) AS {name}({', '.join(columns)})", list(map(_array, turned))
    picked = ", ".join(f"value ->> {place} AS {column}" for place, column in enumerate(columns))
    return f"(SELECT {picked} FROM json_each(%s)) AS {name}", [orjson.dumps(list(values)).decode()]


def _array(values: Iterable[str | int | None]) -> str:
    """An array in PostgreSQL's own notation: several times faster to write than a list is to adapt, and half as dear to read as JSON."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str | int | None) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "NULL" if value is None else str(int(value))


def typed(kind: str) -> str:
    """A parameter whose type PostgreSQL can't guess from where it stands."""
    return f"%s::{kind}" if on_postgres() else "%s"


def held(of: str) -> str:
    """Lock the rows that are selected, in their order; SQLite has one writer at a time."""
    return f"FOR NO KEY UPDATE OF {of}" if on_postgres() else ""


def skip_locked(of: str) -> str:
    """Take rows that nobody holds; SQLite has one writer at a time and needs no words for it."""
    return f"FOR UPDATE OF {of} SKIP LOCKED" if on_postgres() else ""


def rows(statement: str, parameters: Sequence[Any] = (), *, often: bool = False) -> list[tuple[Any, ...]]:
    """All rows of one statement. often: it is one that every message or request needs (see governance/prepared.py)."""
    with prepared_cursor() if often else connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def run_many(statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """One statement for each row of parameters."""
    with connection.cursor() as cursor:
        if len(rows) == 1:  # without the pipeline that many are sent through
            cursor.execute(statement, rows[0])
        elif rows:
            cursor.executemany(statement, rows)


def run(statement: str, parameters: Sequence[Any] = (), *, often: bool = False) -> int:
    """How many rows one statement changed. often: as for `rows`."""
    with prepared_cursor() if often else connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
