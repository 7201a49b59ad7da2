"""The values that many people have of one attribute or field, added up by the database: only sums ever come to us.

A value of another type than the catalogue says today counts as not known, as rules see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pyroaring import BitMap64

from audience import sql
from audience.rules.bound import Type

Row = tuple[Any, ...]
# type → a person's value as it is compared, NULL where there is none of that type. SQLite reads it with two functions, of which each
# %s is the path; PostgreSQL takes the member out once, as `m`.
_SQLITE = {
    "text": "CASE WHEN json_type(folded, %s) = 'text' THEN json_extract(folded, %s) END",
    "number": "CASE WHEN json_type(folded, %s) IN ('integer', 'real') THEN json_extract(folded, %s) END",
    "boolean": "CASE WHEN json_type(folded, %s) IN ('true', 'false') THEN json_type(folded, %s) END",
}
_POSTGRESQL = {
    "text": "CASE WHEN jsonb_typeof(m) = 'string' THEN m #>> '{}' END",
    "number": "CASE WHEN jsonb_typeof(m) = 'number' THEN m::double precision END",
    "boolean": "CASE WHEN jsonb_typeof(m) = 'boolean' THEN m::text END",
}
_FORMS = {  # how days and instants are kept: a text of another form is a value of another type
    "date": ("GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'", "~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'"),
    "datetime": ("GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'", "~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*Z$'"),
}
_MEASURED = """
SELECT (SELECT count(*) FROM held), count(*), min(value), max(value), avg(value),
  count(CASE WHEN value <> CAST(value AS BIGINT) THEN 1 END), {places}
FROM (SELECT value, row_number() OVER (ORDER BY value) AS place, count(*) OVER () AS known FROM held WHERE value IS NOT NULL) AS placed
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A query for what each person holds: columns `id`, and `value` as rules compare it, NULL where it isn't known."""

    statement: str
    parameters: tuple[Any, ...]

    def ask(self, statement: str, *more: Any, kept: bool = False) -> list[Row]:
        """The rows of a statement about `held`. more: its parameters after this query; kept: it reads `held` more than once."""
        return sql.rows(f"WITH held AS {'MATERIALIZED ' if kept else ''}({self.statement}) {statement}", [*self.parameters, *more])

    def most(self, many: int) -> list[Row]:
        """(value, one person who has it, people, kinds of value) of the most frequent values, and, first of all, of those without any."""
        counted = "SELECT value, min(id), count(*) AS people, count(*) OVER () FROM held GROUP BY value"
        order = f"ORDER BY value IS NOT NULL, people DESC, value{_plain_order()} LIMIT %s"
        return self.ask(f"{counted} {order}", many + 1)

    def beginning(self, start: str, many: int) -> list[Row]:
        """(value, one person who has it, people) of the most frequent values that begin like this."""
        counted = "SELECT value, min(id), count(*) AS people FROM held WHERE substr(value, 1, %s) = %s GROUP BY value"
        return self.ask(f"{counted} ORDER BY people DESC, value{_plain_order()} LIMIT %s", len(start), start, many)

    def known(self) -> tuple[int, int]:
        """(people, those of whom it is known)."""
        people, known = self.ask("SELECT count(*), count(value) FROM held")[0]
        return people, known

    def months(self) -> list[Row]:
        """(month as "2026-03", people), from the first on, and (None, people) for those who have no such value."""
        return self.ask("SELECT substr(value, 1, 7) AS month, count(*) FROM held GROUP BY month ORDER BY month")

    def measures(self, hundredths: Sequence[int]) -> Row:
        """(people, those with a number, least, largest, average, how many aren't whole), and the numbers at these hundredths of the
        way from the least to the largest person's."""
        places = [f"max(CASE WHEN place = 1 + (known - 1) * {int(part)} / 100 THEN value END)" for part in hundredths]
        return self.ask(_MEASURED.format(places=", ".join(places)), kept=True)[0]

    def between(self, edges: Sequence[float]) -> dict[int, int]:
        """How many numbers are below the first of the edges (0), below the second (1), …, and not below the last (len(edges))."""
        cases = " ".join(f"WHEN value < %s THEN {place}" for place in range(len(edges)))
        bins = f"SELECT CASE {cases} ELSE {len(edges)} END AS bin FROM held WHERE value IS NOT NULL"
        return dict(self.ask(f"SELECT bin, count(*) FROM ({bins}) AS binned GROUP BY bin", *edges))


def attribute(workspace_id: int, ids: BitMap64, name: str, type_: Type) -> Held:
    """What these people hold of an attribute, or a part of one, that isn't a list. name: as rules call it."""
    kind = "text" if type_ in _FORMS else type_
    whose, who = _whose(workspace_id, ids)
    if sql.on_postgres():
        value = _POSTGRESQL[kind]
        if type_ in _FORMS:
            value = value.replace(" THEN", f" AND m #>> '{{}}' {_FORMS[type_][1]} THEN")
        members = f"SELECT id, folded -> %s AS m FROM audience_profile WHERE {whose} OFFSET 0"  # OFFSET 0: taken out once, not per use
        return Held(f"SELECT id, {value} AS value FROM ({members}) AS members OFFSET 0", (name, *who))
    value, path = _SQLITE[kind], f'$."{name}"'
    if type_ in _FORMS:
        value = value.replace(" THEN", f" AND json_extract(folded, %s) {_FORMS[type_][0]} THEN")
    return Held(f"SELECT id, {value} AS value FROM audience_profile WHERE {whose}", (*[path] * value.count("%s"), *who))


def field(workspace_id: int, ids: BitMap64, column: str) -> Held:
    """What these people hold in one of a profile's own text fields."""
    return _of_column(workspace_id, ids, f"nullif({column}, '')")


def presence(workspace_id: int, ids: BitMap64, column: str) -> Held:
    """Whether these people have anything in one of the profile's own fields: 'true' or not known."""
    return _of_column(workspace_id, ids, f"CASE WHEN {column} <> '' THEN 'true' END")


def created(workspace_id: int, ids: BitMap64) -> Held:
    """Since when these people are known, in UTC."""
    return _of_column(workspace_id, ids, "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if sql.on_postgres() else "created_at")


def items(workspace_id: int, ids: BitMap64, name: str) -> Held:
    """What these people hold of an attribute that is a list: a row for each person and each item."""
    whose, who = _whose(workspace_id, ids)
    if sql.on_postgres():
        members = f"SELECT id, folded -> %s AS m FROM audience_profile WHERE {whose} OFFSET 0"
        inside = "jsonb_array_elements(CASE WHEN jsonb_typeof(m) = 'array' THEN m ELSE '[]' END) AS e(item)"
        texts = f"SELECT DISTINCT e.item #>> '{{}}' AS value FROM {inside} WHERE jsonb_typeof(e.item) = 'string'"
        each = f"({texts}) AS each"  # within the person: over everybody it would be a sort of them all
        return Held(f"SELECT id, each.value FROM ({members}) AS members CROSS JOIN LATERAL {each}", (name, *who))
    people = f"SELECT id, folded FROM audience_profile WHERE {whose}"
    fits = "json_type(p.folded, %s) = 'array' AND e.type = 'text'"
    path = f'$."{name}"'
    statement = f"SELECT DISTINCT p.id, e.atom AS value FROM ({people}) AS p, json_each(p.folded, %s) AS e WHERE {fits}"
    return Held(statement, (*who, path, path))


def lists(workspace_id: int, ids: BitMap64, name: str, *, of: Literal["text", "number"]) -> Held:
    """Whether these people hold anything of an attribute that is kept as a list of texts, or of numbers: 'true' or not known."""
    whose, who = _whose(workspace_id, ids)
    if sql.on_postgres():
        members = f"SELECT id, folded -> %s AS m FROM audience_profile WHERE {whose} OFFSET 0"
        kind = "string" if of == "text" else "number"
        value = f"CASE WHEN jsonb_typeof(m) = 'array' AND jsonb_typeof(m -> 0) = '{kind}' THEN 'true' END"
        return Held(f"SELECT id, {value} AS value FROM ({members}) AS members", (name, *who))
    kinds = "'text'" if of == "text" else "'integer', 'real'"
    value = f"CASE WHEN json_type(folded, %s) IN ({kinds}) THEN 'true' END"
    return Held(f"SELECT id, {value} AS value FROM audience_profile WHERE {whose}", (f'$."{name}"[0]', *who))


def _of_column(workspace_id: int, ids: BitMap64, value: str) -> Held:
    whose, who = _whose(workspace_id, ids)
    return Held(f"SELECT id, {value} AS value FROM audience_profile WHERE {whose}", tuple(who))


def _whose(workspace_id: int, ids: BitMap64) -> tuple[str, list[Any]]:
    """Which rows, as a condition with its parameters: the ids travel as one parameter, however many they are."""
    return f"workspace_id = %s AND gone_at IS NULL AND {sql.among('id')}", [workspace_id, sql.listed(list(ids))]


def _plain_order() -> str:
    """Texts in the order of their characters on both databases."""
    return ' COLLATE "C"' if sql.on_postgres() else ""
