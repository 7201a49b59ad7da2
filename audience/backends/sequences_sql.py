"""Events one after the other, in one pass over each person's events: the same on SQLite and PostgreSQL, and never quadratic.

Each level looks back, with a window over the person's events in time, for the latest event at which the steps so far were through; the
latest is enough, because whatever is near enough to an earlier one is near enough to it, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Rows = tuple[QuerySet[Any], str]  # the events that a step may be, with `at`, and their column of the person
_EARLIER = "(PARTITION BY person ORDER BY moment RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP)"
_LATER = "(PARTITION BY person ORDER BY moment RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE GROUP)"


class InSequence(Expression):
    """Whether the row's person did the steps in this order, each at most `apart` after the one before; or, where not `followed`, all but
    the last, and not that within `apart`, which was over at `until`."""

    def __init__(self, column: str, steps: Sequence[Rows], apart: timedelta, *, followed: bool, until: datetime) -> None:
        super().__init__(output_field=BooleanField())
        self.column: Any = F(column)
        self.steps, self.apart, self.followed, self.until = steps, apart, followed, until

    def get_source_expressions(self) -> list[Any]:
        """The row's own number."""
        return [self.column]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        """Put the resolved number in place."""
        (self.column,) = exprs

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """`IN` over the windows."""
        column, params = compiler.compile(self.column)
        events, given = self._events(connection)
        if not events:
            return "1 = 0", []
        later, length = _later(connection, self.apart)
        last, tables = len(self.steps), [f"events AS ({events})"]  # side by side, not nested: SQLite's parser goes only so deep
        tables.append("s1 AS (SELECT person, moment, step, CASE WHEN step = 1 THEN 1 ELSE 0 END AS through FROM events)")
        for step in range(2, last + (1 if self.followed else 0)):
            before = f"MAX(CASE WHEN through = 1 THEN moment END) OVER {_EARLIER} AS before"
            through = f"CASE WHEN step = {step} AND moment <= {later('before')} THEN 1 ELSE 0 END AS through"
            tables.append(f"b{step} AS (SELECT person, moment, step, {before} FROM s{step - 1})")
            tables.append(f"s{step} AS (SELECT person, moment, step, {through} FROM b{step})")
            given.append(length)
        if self.followed:
            found = f"SELECT person FROM s{last} WHERE through = 1"
        else:
            after = f"MIN(CASE WHEN step = {last} THEN moment END) OVER {_LATER} AS after"
            tables.append(f"ends AS (SELECT person, moment, through, {after} FROM s{last - 1})")
            found = f"SELECT person FROM ends WHERE through = 1 AND moment <= %s AND (after IS NULL OR after > {later('moment')})"
            given += [connection.ops.adapt_datetimefield_value(self.until - self.apart), length]
        return f"{column} IN (WITH {', '.join(tables)} {found})", [*params, *given]

    def _events(self, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """All steps' events in one list: person, moment, and of which step."""
        parts, given = list[str](), list[Any]()
        for number, (rows, person) in enumerate(self.steps, 1):
            chosen = rows.order_by().annotate(person=F(person), moment=F("at")).values("person", "moment")
            try:
                text, params = chosen.query.get_compiler(connection=connection).as_sql()
            except EmptyResultSet:
                continue
            parts.append(f"SELECT person, moment, {number} AS step FROM ({text}) AS s{number}")
            given += params
        return " UNION ALL ".join(parts), given


def _later(connection: BaseDatabaseWrapper, length: timedelta) -> tuple[Any, Any]:
    """How SQL says "so much later than this column", and the parameter in it."""
    if connection.vendor == "postgresql":
        return (lambda column: f"{column} + %s::interval"), length
    return (lambda column: f"django_format_dtdelta('+', {column}, %s)"), length // timedelta(microseconds=1)
