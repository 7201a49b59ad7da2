"""The few places where the two databases spell things differently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np
import orjson
from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

from governance.door import prepared_cursor

PIECE = 10_000  # numbers that are fetched at once
QUERY_CANCELLED = "57014"  # PostgreSQL's code


class TookTooLong(Exception):
    """A statement was broken off: see `within`."""


def on_postgres() -> bool:
    """Whether the database is PostgreSQL; else it is SQLite."""
    return connection.vendor == "postgresql"


def moment(value: datetime) -> Any:
    """An instant as a parameter of a raw statement."""
    return connection.ops.adapt_datetimefield_value(value)


def among(column: str) -> str:
    """`column` is one of a list that is given as one parameter: `listed(...)`."""
    return f"{column} = ANY(%s)" if on_postgres() else f"{column} IN (SELECT value FROM json_each(%s))"


def among_texts(column: str) -> str:
    """`column` is one of the texts of one JSON list, which is written much faster than a list is adapted."""
    return f"{column} = ANY(ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)))" if on_postgres() else among(column)


def listed(values: Iterable[int] | Iterable[str]) -> Any:
    """The parameter of `among`, however many values there are. Numbers in the array's own notation, which is several times
    faster to write than a list is to adapt."""
    plain: list[Any] = list(values)
    if not on_postgres():
        return orjson.dumps(plain).decode()
    return f"{{{','.join(map(str, plain))}}}" if plain and type(plain[0]) is int else plain


def count_tables(*tables: str) -> None:
    """Let the database look at what a large change left in these tables, so that its next plans are not made for empty ones.

    PostgreSQL would do so by itself within minutes; until then one question can take as long. SQLite's plans don't need it.
    """
    if on_postgres():
        run(f"ANALYZE {', '.join(tables)}")


def rows(statement: str, parameters: Sequence[Any] = (), *, often: bool = False) -> list[tuple[Any, ...]]:
    """All rows of one statement. often: it is one that every message or request needs (see governance/prepared.py)."""
    with prepared_cursor() if often else connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def take_oldest(feed: str, columns: str, limit: int) -> list[tuple[Any, ...]]:
    """Delete the oldest rows of a feed, never more than `limit`, and answer their columns. Rows that another taker holds are passed over.

    Which rows is settled before the deletion: as a search within its WHERE, PostgreSQL may ask it anew for each row of the feed, and
    each time the next ones are the oldest that nobody holds.
    """
    skip = "FOR UPDATE SKIP LOCKED" if on_postgres() else ""
    oldest = f"WITH oldest AS (SELECT id FROM {feed} ORDER BY id LIMIT %s {skip})"
    return rows(f"{oldest} DELETE FROM {feed} WHERE id IN (SELECT id FROM oldest) RETURNING {columns}", [limit])


def numbers_of(query: QuerySet[Any, int]) -> Iterator[NDArray[np.uint64]]:
    """The one column of positive numbers that a query answers, in pieces; PostgreSQL joins each piece into one text, so that nothing of
    Python's is done per number."""
    if not on_postgres():
        answers = query.iterator(chunk_size=PIECE)
        while (some := np.fromiter(islice(answers, PIECE), np.uint64)).size:
            yield some
        return
    try:
        statement, parameters = query.query.sql_with_params()
    except EmptyResultSet:
        return
    pieces = f"SELECT n, row_number() OVER () / {PIECE} AS piece FROM ({statement}) AS answers(n)"
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT string_agg(n::text, ' ') FROM ({pieces}) AS pieces GROUP BY piece", parameters)
        for (text,) in cursor:
            yield np.fromstring(text, dtype=np.uint64, sep=" ")


@contextmanager
def within(milliseconds: int) -> Iterator[None]:
    """PostgreSQL breaks off a statement of the block that takes longer. Raises TookTooLong."""
    if not on_postgres():
        yield
        return
    try:
        with transaction.atomic():
            run("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
            run("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != QUERY_CANCELLED:
            raise
        raise TookTooLong from error


def run(statement: str, parameters: Sequence[Any] = (), *, often: bool = False) -> int:
    """How many rows one statement changed. often: as for `rows`."""
    with prepared_cursor() if often else connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
