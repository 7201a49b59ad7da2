"""PostgreSQL's narrow table of what rules ask most: how it is kept, filled, and asked. audience/facts_keeper.py says whose columns it has.

Each row is one person: columns for numbers and for texts, and beside them country, language and whether there are addresses. One index by
country holds all of it; each number has one more, because who is in the upper part of one, counters above all, is asked most. A trigger
keeps the row in the transaction of whoever writes a person, whichever way. Measured at a million: one index whose key is every column was
asked in three times the time, for of each entry the columns are then taken apart one by one; an index per column of text costs each
write more than it saves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import migrations
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState
from django.db.models.sql.compiler import SQLCompiler

from audience.backends.checks_sql import OfColumn
from audience.rules.bound import Check, DayOfYear, OneOf, Plain, Prefix, Present, Range, Type

EACH = 8  # columns of numbers, and as many of texts
COLUMNS = (*(f"n{place}" for place in range(EACH)), *(f"t{place}" for place in range(EACH)))  # in the order of their places
CLIP = 64  # characters of a text: an entry of an index has an end at 2,700 bytes

_ALWAYS = ("workspace_id", "has_email", "has_phone", "country", "locale")
_NUMBER = "CASE WHEN jsonb_typeof(p.folded -> {name}) = 'number' THEN (p.folded ->> {name})::float8 END"
_TEXT = f"""CASE jsonb_typeof(p.folded -> {{name}}) WHEN 'boolean' THEN CASE WHEN {{type}} = 'boolean' THEN p.folded ->> {{name}} END
    WHEN 'string' THEN CASE {{type}} WHEN 'text' THEN left(p.folded ->> {{name}}, {CLIP})
      WHEN 'date' THEN CASE WHEN p.folded ->> {{name}} ~ '^[0-9]{{{{4}}}}-[0-9]{{{{2}}}}-[0-9]{{{{2}}}}$' THEN p.folded ->> {{name}} END
      WHEN 'datetime' THEN CASE WHEN p.folded ->> {{name}} LIKE '____-__-__T%Z' THEN left(p.folded ->> {{name}}, {CLIP}) END END END"""


def _kept(people: str, condition: str, names: str, types: str) -> str:
    """The statement that keeps some people's facts. people: whose rows, as p; names, types: arrays of what stands in each place."""
    values = [
        (_NUMBER if column[0] == "n" else _TEXT).format(name=f"{names}[{place}]", type=f"{types}[{place}]")
        for place, column in enumerate(COLUMNS, start=1)
    ]
    columns = (*_ALWAYS, *COLUMNS)
    return f"""
  INSERT INTO audience_facts AS f (profile_id, {", ".join(columns)})
  SELECT p.id, p.workspace_id, coalesce(p.email_key <> '', false), coalesce(p.phone <> '', false),
    nullif(p.country, ''), nullif(p.locale, ''), {", ".join(values)}
    FROM {people} p WHERE {condition} p.gone_at IS NULL
  ON CONFLICT (profile_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in columns)}
   WHERE ({", ".join(f"f.{name}" for name in columns)}) IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in columns)})"""


def _places(what: str, workspace: str) -> str:
    """An array of what stands in each place, NULL where nothing does."""
    columns = f"LEFT JOIN audience_factcolumn c ON c.workspace_id = {workspace} AND c.place = g.place"
    return f"ARRAY(SELECT {what} FROM generate_series(0, {len(COLUMNS) - 1}) AS g(place) {columns} ORDER BY g.place)"


# Text of the columns is compared by its bytes, as rules mean it, whatever the database's collation.
_BY_BYTES = ", ".join(f'ALTER COLUMN {name} TYPE text COLLATE "C"' for name in (*COLUMNS[EACH:], "country", "locale"))
CREATE = f"""
ALTER TABLE audience_facts {_BY_BYTES};
CREATE FUNCTION audience_keep_facts() RETURNS trigger LANGUAGE plpgsql AS $keep$
DECLARE
  home bigint; names text[]; types text[];
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    DELETE FROM audience_facts;
    RETURN NULL;
  END IF;
  IF NOT EXISTS (SELECT FROM audience_factcolumn) THEN
    RETURN NULL;
  END IF;
  FOR home IN SELECT w.workspace_id FROM (SELECT DISTINCT workspace_id FROM changed) w
      WHERE EXISTS (SELECT FROM audience_factcolumn c WHERE c.workspace_id = w.workspace_id) LOOP
    IF TG_OP = 'DELETE' THEN
      DELETE FROM audience_facts WHERE profile_id IN (SELECT id FROM changed WHERE workspace_id = home);
    ELSE
      names := {_places("c.name", "home")};
      types := {_places("c.type", "home")};{_kept("changed", "p.workspace_id = home AND", "names", "types")};
      DELETE FROM audience_facts WHERE profile_id IN (SELECT id FROM changed WHERE workspace_id = home AND gone_at IS NOT NULL);
    END IF;
  END LOOP;
  RETURN NULL;
END $keep$;
CREATE TRIGGER facts_of_new AFTER INSERT ON audience_profile
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audience_keep_facts();
CREATE TRIGGER facts_of_changed AFTER UPDATE ON audience_profile
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audience_keep_facts();
CREATE TRIGGER facts_of_nobody AFTER TRUNCATE ON audience_profile FOR EACH STATEMENT EXECUTE FUNCTION audience_keep_facts();
CREATE TRIGGER facts_of_deleted AFTER DELETE ON audience_profile
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audience_keep_facts()
"""
DROP = """
DROP TRIGGER facts_of_new ON audience_profile; DROP TRIGGER facts_of_changed ON audience_profile;
DROP TRIGGER facts_of_nobody ON audience_profile; DROP TRIGGER facts_of_deleted ON audience_profile;
DROP FUNCTION audience_keep_facts()
"""
# The people of one round, locked in the order in which everybody locks people: whoever is writing one of them is waited for.
_SOME = """
round AS MATERIALIZED (
  SELECT id FROM audience_profile WHERE workspace_id = %(workspace)s AND id > %(after)s AND id <= %(until)s AND gone_at IS NULL
), locked AS MATERIALIZED (
  SELECT p.* FROM audience_profile p JOIN round USING (id) ORDER BY p.external_id COLLATE "C" FOR NO KEY UPDATE OF p
)"""
FILL = f"""
WITH {_SOME}, places AS MATERIALIZED (
  SELECT {_places("c.name", "%(workspace)s")} AS names, {_places("c.type", "%(workspace)s")} AS types
){_kept("locked", "", "(SELECT names FROM places)", "(SELECT types FROM places)").replace("LIKE '____-__-__T%Z'", "LIKE '____-__-__T%%Z'")}
"""


class OnPostgresql(migrations.RunSQL):
    """`RunSQL` for what only PostgreSQL has."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def answers(type_: Type, check: Check) -> bool:
    """Whether a column says exactly what the value as kept would. A text may be clipped: then what is looked for must be shorter."""
    match check:
        case Present():
            return True
        case OneOf(values=values):
            return type_ != "text" or all(len(str(one)) < CLIP for one in values)
        case Prefix(text=text):
            return len(text) < CLIP
        case Range(low=low, high=high):
            return type_ != "text" or all(len(str(end)) < CLIP for end in (low, high) if end is not None)
        case DayOfYear():
            return True
    return False


class Known(OfColumn):
    """Whether the value in a column passes the check: true or false, never NULL."""

    def __init__(self, column: str, type_: Type, check: Check) -> None:
        super().__init__(column)
        self.type, self.check = type_, check

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list[Any]]:
        """Plain comparisons, which an index answers. There is no such table on SQLite."""
        column, _ = compiler.compile(self.column)
        conditions, given = _passes(column, self.type, self.check)
        return f"({' AND '.join([f'{column} IS NOT NULL', *conditions])})", given


def _passes(column: str, type_: Type, check: Check) -> tuple[list[str], list[Any]]:
    match check:
        case OneOf(values=values):
            plain: list[Any] = [str(one).lower() if type_ == "boolean" else one for one in values]
            return [f"{column} = ANY(%s::{'float8' if type_ == 'number' else 'text'}[])"], [_floats(type_, plain)]
        case Prefix(text=text):
            return [f"starts_with({column}, %s)"], [text]
        case DayOfYear(days=days):
            return [f"substr({column}, 6, 5) = ANY(%s::text[])"], [list(days)]
        case Range(low=low, high=high, open_low=open_low, open_high=open_high):
            ends = [(low, ">" if open_low else ">="), (high, "<" if open_high else "<=")]
            told = [(f"{column} {sign} %s", end) for end, sign in ends if end is not None]
            return [words for words, _ in told], _floats(type_, [end for _, end in told])
    return [], []


def _floats(type_: Type, values: Sequence[Plain]) -> list[Any]:
    """Numbers as the columns hold them. Of two numbers as JSON writes them the smaller is the smaller float, too."""
    return [float(one) for one in values] if type_ == "number" else list(values)
