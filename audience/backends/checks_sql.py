"""The plain checks in SQL: on a key of a JSON column, or on a text column; the same answer on SQLite and PostgreSQL.

Each is a CASE whose first branch asks for the type, so no cast can fail, no comparison meets another type, and nothing is
ever NULL: its negation is exactly the rest. Values are always parameters and are taken literally; there are no patterns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F
from django.db.models.sql.compiler import SQLCompiler

from audience.rules.bound import AllOf, Check, DayOfYear, Near, OneOf, Plain, Prefix, Present, Range, Substring, Type
from audience.shares import place_sql

_PLAIN_KEY = re.compile(r"[ !#-\[\]-~]+")  # printable ASCII without the quote and the backslash: safe in SQLite's JSON paths
_GLOBS = {  # how days and instants are kept: a text of another form is a value of another type
    "date": "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]",
    "datetime": "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z",
}
_PATTERNS = {  # of an instant its capitals are enough, which no folded text has; a regular expression costs three times as much
    "date": "~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'",
    "datetime": "LIKE '____-__-__T%%Z'",
}
_JSON_TYPES = {  # type → (SQLite's json_type, PostgreSQL's jsonb_typeof)
    "text": (("text",), "string"),
    "date": (("text",), "string"),
    "datetime": (("text",), "string"),
    "number": (("integer", "real"), "number"),
    "boolean": (("true", "false"), "boolean"),
    "list": (("array",), "array"),
    "place": (("array",), "array"),
}


class OfColumn(Expression):
    """A condition on one column of the row."""

    def __init__(self, column: str) -> None:
        super().__init__(output_field=BooleanField())
        self.column: Any = F(column)

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.column,) = exprs


class Checked(OfColumn):
    """Whether the value passes the check: true or false, never NULL. key: a key of a JSON column; None: the column itself."""

    def __init__(self, column: str, key: str | None, type_: Type, check: Check) -> None:
        super().__init__(column)
        self.key, self.type, self.check = key, type_, check

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list[Any]]:
        """CASE over json_type and json_extract."""
        column, params = compiler.compile(self.column)
        return _sqlite(column, params, self).sql()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list[Any]]:
        """CASE over jsonb_typeof and the jsonb operators."""
        column, params = compiler.compile(self.column)
        return _postgresql(column, params, self).sql()


class InShare(OfColumn):
    """Whether the number in the column falls into a share (audience/shares.py)."""

    def __init__(self, column: str, salt: str, millionths: int) -> None:
        super().__init__(column)
        self.salt, self.millionths = salt, millionths

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """Whole numbers alone, so the same on both databases."""
        column, params = compiler.compile(self.column)
        return f"{place_sql(column, self.salt)} < %s", [*params, *params, self.millionths]  # the column stands in it twice


class AmongIds(OfColumn):
    """Whether the column is one of these ids, sent as one parameter however many they are."""

    def __init__(self, column: str, ids: list[int]) -> None:
        super().__init__(column)
        self.ids = ids

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list[Any]]:
        """The ids as one JSON list."""
        column, params = compiler.compile(self.column)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(self.ids)]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list[Any]]:
        """The ids as one array."""
        column, params = compiler.compile(self.column)
        return f"{column} = ANY(%s::bigint[])", [*params, self.ids]


@dataclass(slots=True)
class _Sql:
    """A piece of SQL in the making: every `add` puts text and its parameters side by side, so their order can't differ."""

    text: str = ""
    params: list[Any] = field(default_factory=list)

    def add(self, text: str, *params: Any) -> _Sql:
        self.text += text
        self.params.extend(params)
        return self

    def then(self, other: _Sql) -> _Sql:
        return self.add(other.text, *other.params)

    def sql(self) -> tuple[str, list[Any]]:
        return self.text, self.params


def _case(fits: _Sql, passes: _Sql, otherwise: str) -> _Sql:
    return _Sql().add("CASE WHEN ").then(fits).add(" THEN ").then(passes).add(f" ELSE {otherwise} END")


def _of_column(column: str, params: Any, passes: _Sql) -> _Sql:
    """A check of a text column. Not a CASE, through which no index is seen: where the column is NULL, the first part is false already."""
    return _Sql().add(f"({column} IS NOT NULL AND {column} <> '' AND ", *params, *params).then(passes).add(")")


def _range(value: Callable[[], _Sql], check: Range, operand: Callable[[Plain], _Sql], true: str) -> _Sql:
    """`value` between the ends, whatever they are."""
    ends = [(check.low, ">" if check.open_low else ">="), (check.high, "<" if check.open_high else "<=")]
    parts = [value().add(f" {sign} ").then(operand(end)) for end, sign in ends if end is not None]
    found = parts[0] if parts else _Sql(true)
    for part in parts[1:]:
        found.add(" AND ").then(part)
    return found


def _near(check: Near, part: Callable[[int], _Sql]) -> _Sql:
    """The square of the straight line between the two points, in whole numbers."""
    found = _Sql()
    for place, own in enumerate(check.point):
        found.add(" + " if place else "").add("(").then(part(place)).add(" - %s) * (", own).then(part(place)).add(" - %s)", own)
    return found.add(" <= %s", check.square)


# ── SQLite ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sqlite(column: str, params: Any, asked: Checked) -> _Sql:
    key, check = asked.key, asked.check

    def kind() -> _Sql:
        return _member(column, params, key, "json_type", "type")

    def value() -> _Sql:
        return _member(column, params, key, "json_extract", "atom")

    if key is None:
        return _of_column(column, params, _sqlite_passes(asked.type, check, kind, value, column, params, key))
    return _case(_sqlite_fits(asked, kind, value, column, params), _sqlite_passes(asked.type, check, kind, value, column, params, key), "0")


def _member(column: str, params: Any, key: str | None, function: str, member: str) -> _Sql:
    """One member of a JSON column, or the column itself."""
    if key is None:
        return _Sql().add(column, *params)
    if _PLAIN_KEY.fullmatch(key):
        return _Sql().add(f"{function}({column}, %s)", *params, f'$."{key}"')
    return _Sql().add(f"(SELECT {member} FROM json_each({column}) WHERE key = %s)", *params, key)


def member_sqlite(column: str, params: Any, key: str) -> tuple[str, list[Any]]:
    """SQLite's text for the value under a key of a JSON column, and its parameters."""
    return _member(column, params, key, "json_extract", "atom").sql()


def _sqlite_fits(asked: Checked, kind: Callable[[], _Sql], value: Callable[[], _Sql], column: str, params: Any) -> _Sql:
    if asked.type == "any":
        return kind().add(" <> 'null'")
    if asked.type == "place":
        return _Sql().add(f"json_type({column}, %s) = 'integer'", *params, f'$."{asked.key}"[2]')
    names = ", ".join(f"'{name}'" for name in _JSON_TYPES[asked.type][0])
    fits = kind().add(f" IN ({names})")
    return fits.add(" AND ").then(value()).add(f" GLOB '{_GLOBS[asked.type]}'") if asked.type in _GLOBS else fits


def _sqlite_passes(
    type_: Type, check: Check, kind: Callable[[], _Sql], value: Callable[[], _Sql], column: str, params: Any, key: str | None
) -> _Sql:
    match check:
        case Present():
            if type_ != "list":
                return _Sql("1")
            inside = f"EXISTS (SELECT 1 FROM json_each({column}, %s) AS e WHERE e.type = 'text')"
            return _Sql().add(inside, *params, f'$."{key}"')
        case OneOf(values=values) if type_ == "boolean":
            return kind().add(f" IN ({', '.join(sorted({repr(str(one).lower()) for one in values}))})")
        case OneOf(values=values) if type_ == "list":
            inside = (
                f"EXISTS (SELECT 1 FROM json_each({column}, %s) AS e WHERE e.type = 'text' AND e.atom IN (SELECT value FROM json_each(%s)))"
            )
            return _Sql().add(inside, *params, f'$."{key}"', json.dumps(values))
        case AllOf(values=values):
            held = f"SELECT e.atom FROM json_each({column}, %s) AS e WHERE e.type = 'text'"
            inside = f"NOT EXISTS (SELECT 1 FROM json_each(%s) AS g WHERE g.value NOT IN ({held}))"
            return _Sql().add(inside, json.dumps(values), *params, f'$."{key}"')
        case Near():
            return _near(check, lambda place: _Sql().add(f"json_extract({column}, %s)", *params, f'$."{key}"[{place}]'))
        case DayOfYear(days=days):
            return _Sql().add("substr(").then(value()).add(", 6, 5) IN (SELECT value FROM json_each(%s))", json.dumps(days))
        case OneOf(values=(one,)):
            return value().add(" = %s", one)
        case OneOf(values=values):
            return value().add(" IN (SELECT value FROM json_each(%s))", json.dumps(values))
        case Prefix(text=text):
            return _Sql().add("substr(").then(value()).add(", 1, %s) = %s", len(text), text)
        case Substring(text=text):
            return _Sql().add("instr(").then(value()).add(", %s) > 0", text)
        case Range():
            return _range(value, check, lambda end: _Sql().add("%s", end), "1")


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────


def _postgresql(column: str, params: Any, asked: Checked) -> _Sql:
    key, type_, check = asked.key, asked.type, asked.check
    if key is None:
        return _of_column(column, params, _postgresql_passes(type_, check, lambda: _Sql().add(column, *params), lambda: _Sql()))

    def member() -> _Sql:
        return _Sql().add(f"({column} -> %s)", *params, key)

    def text() -> _Sql:
        return _Sql().add(f"({column} ->> %s)", *params, key)

    fits = _Sql().add("jsonb_typeof").then(member())
    fits.add(" <> 'null'" if type_ == "any" else f" = '{_JSON_TYPES[type_][1]}'")
    if type_ == "place":
        fits.add(" AND jsonb_typeof(").then(member()).add(" -> 2) = 'number'")
    if type_ in _PATTERNS:
        fits.add(" AND ").then(text()).add(f" {_PATTERNS[type_]}")
    return _case(fits, _postgresql_passes(type_, check, text, member), "FALSE")


def _postgresql_passes(type_: Type, check: Check, text: Callable[[], _Sql], member: Callable[[], _Sql]) -> _Sql:
    numeric = type_ == "number"

    def value() -> _Sql:
        return text().add("::numeric") if numeric else text()

    def ordered() -> _Sql:
        return value() if numeric else text().add(' COLLATE "C"')

    match check:
        case Present():
            texts = _Sql().add("jsonb_path_exists(").then(member()).add(", '$[*] ? (@.type() == \"string\")')")
            return texts if type_ == "list" else _Sql("TRUE")
        case OneOf(values=values) if type_ == "list":
            return member().add(" ?| %s::text[]", list(values))
        case AllOf(values=values):
            return member().add(" ?& %s::text[]", list(values))
        case Near():
            return _near(check, lambda place: _Sql().add("(").then(member()).add(f" ->> {place})::bigint"))
        case DayOfYear(days=days):
            return _Sql().add("substr(").then(text()).add(", 6, 5) = ANY(%s::text[])", list(days))
        case OneOf(values=values) if type_ == "boolean":
            return text().add(" = ANY(%s::text[])", [str(one).lower() for one in values])
        case OneOf(values=values) if numeric:
            return value().add(" = ANY(%s::numeric[])", [_decimal(one) for one in values])
        case OneOf(values=values):
            return value().add(" = ANY(%s::text[])", list(values))
        case Prefix(text=prefix):
            return _Sql().add("starts_with(").then(text()).add(", %s)", prefix)
        case Substring(text=part):
            return _Sql().add("strpos(").then(text()).add(", %s) > 0", part)
        case Range():
            return _range(ordered, check, lambda end: _Sql().add("%s", _decimal(end) if numeric else end), "TRUE")


def _decimal(number: Plain) -> Decimal:
    """The number exactly as JSON writes it."""
    return Decimal(repr(number))
