"""What the numbers of many events come to, compared exactly: in decimals, as they were written, on SQLite and PostgreSQL alike.

A sum of binary fractions depends on their order, so that 0.1 + 0.2 is at least 0.3 on one database and not on another. PostgreSQL adds
decimals; SQLite is taught to by a function of ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, BooleanField
from django.db.models.sql.compiler import SQLCompiler

from audience.backends.checks_sql import member_sqlite
from audience.rules.bound import How, Range

_OURS = "omni_measured"
_OPS = {(False, False): (">=", "<="), (True, False): (">", "<="), (False, True): (">=", "<"), (True, True): (">", "<")}


class MeasuredIn(Aggregate):
    """Whether the sum, average, smallest or largest of one JSON member of a group's rows lies in a range. All of them are numbers."""

    template = "%(expressions)s"

    def __init__(self, column: str, key: str, how: How, check: Range, **extra: Any) -> None:
        super().__init__(column, output_field=BooleanField(), **extra)
        self.key, self.how, self.check = key, how, check

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        """One call of our function."""
        column, params = compiler.compile(self.get_source_expressions()[0])
        value, given = member_sqlite(column, params, self.key)
        low, high = _ends(self.check)
        more = [self.how, low, high, self.check.open_low, self.check.open_high]
        return f"{_OURS}({value}, %s, %s, %s, %s, %s)", [*given, *more]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        """Decimals all the way: an average is compared as its sum with so many times the value."""
        column, params = compiler.compile(self.get_source_expressions()[0])
        value, given = f"({column} ->> %s)::numeric", [*params, self.key]
        taken = {"sum": f"sum({value})", "average": f"sum({value})", "smallest": f"min({value})", "largest": f"max({value})"}[self.how]
        times = f" * count({value})" if self.how == "average" else ""
        parts, all_given = list[str](), list[Any]()
        for end, sign in zip(_ends(self.check), _OPS[self.check.open_low, self.check.open_high], strict=True):
            if end is not None:
                parts.append(f"{taken} {sign} %s::numeric{times}")
                all_given += [*given, Decimal(end), *(given if times else ())]
        return f"({' AND '.join(parts)})", all_given


class _Measured:
    """SQLite's side: (number, how, low, high, open_low, open_high) for each row of a group → 1 or 0."""

    def __init__(self) -> None:
        self.numbers: list[Fraction] = []
        self.asked: Sequence[Any] = ()

    def step(self, number: int | float, *asked: Any) -> None:
        self.numbers.append(Fraction(repr(number)))
        self.asked = asked

    def finalize(self) -> int:
        if not self.numbers:
            return 0
        how, low, high, open_low, open_high = self.asked
        found = _TAKEN[how](self.numbers)
        above = low is None or found > Fraction(low) or (found == Fraction(low) and not open_low)
        below = high is None or found < Fraction(high) or (found == Fraction(high) and not open_high)
        return int(above and below)


# Fractions: a decimal of Python's is rounded to 28 digits, and PostgreSQL's are not.
_TAKEN: dict[str, Callable[[Sequence[Fraction]], Fraction]] = {
    "sum": lambda numbers: sum(numbers, Fraction()),
    "average": lambda numbers: sum(numbers, Fraction()) / len(numbers),
    "smallest": min,
    "largest": max,
}


def teach(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give a new connection to SQLite the function. A receiver of Django's `connection_created`."""
    if connection.vendor == "sqlite":
        database: sqlite3.Connection = connection.connection
        database.create_aggregate(_OURS, 6, _Measured)


def _ends(check: Range) -> tuple[str | None, str | None]:
    """As JSON writes them: both databases read the same decimal."""
    low, high = (None if end is None else repr(end) for end in (check.low, check.high))
    return low, high
