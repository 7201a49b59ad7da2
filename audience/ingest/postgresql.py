"""Writing checked rows on PostgreSQL: COPY into a temporary table, then one statement for the new people and one for those who are
known; both tell and count. A few rows travel in a statement of their own, which merges.

People are merged in the order of their external ids, so that two writers never wait for each other in a circle. Those who are
known keep their number, and no number is drawn for them: sets of people are bitmaps, which want numbers close together. The sort
stands between looking numbers up and writing: a look-up that met what the statement itself has just written took seconds of a first load.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson
from django.db import connection

from audience import sql
from audience.ingest.rows import STORED, CleanRow
from audience.profiles import Person, person_of

_EMPTY_TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_profile (
  external_id text, email text, email_key text, phone text, locale text, country text, zone text,
  attributes jsonb, folded jsonb) ON COMMIT DELETE ROWS;
DELETE FROM incoming_profile;
SET LOCAL work_mem = '64MB'; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off
"""  # memory: for the sort. joins: a few thousand people are looked up one by one, never by reading all of them
_AS_USUAL = "SET LOCAL work_mem = DEFAULT; SET LOCAL enable_hashjoin = DEFAULT; SET LOCAL enable_mergejoin = DEFAULT"
_FROM = f"""
  SELECT coalesce(i.known, nextval((SELECT pg_get_serial_sequence('audience_profile', 'id'))::regclass)), %(workspace)s, i.external_id,
         {", ".join(f"nullif(i.{name}, '')" for name in STORED)},
         jsonb_strip_nulls(i.attributes), jsonb_strip_nulls(i.folded), %(now)s, %(now)s
    FROM (SELECT i.*, (SELECT id FROM audience_profile WHERE workspace_id = %(workspace)s AND external_id = i.external_id) AS known
            FROM incoming_profile i OFFSET 0) i
"""
_COLUMNS = f"id, workspace_id, external_id, {', '.join(STORED)}, attributes, folded, created_at, updated_at"
_TOLD = "INSERT INTO audience_profilefeed (workspace_id, profile_id, at) SELECT %(workspace)s, id, %(now)s FROM changed"
_NEW_PEOPLE = f"""
WITH changed AS (
  INSERT INTO audience_profile ({_COLUMNS}) {_FROM} WHERE i.known IS NULL
   ORDER BY i.external_id COLLATE "C" ON CONFLICT (workspace_id, external_id) DO NOTHING RETURNING id
), told AS ({_TOLD})
SELECT count(*) FROM changed
"""
# Where everybody before was new, nobody is looked up first: whoever is known after all costs a number, which is never used then.
_ALL_NEW = f"""
WITH changed AS (
  INSERT INTO audience_profile ({_COLUMNS.removeprefix("id, ")})
  SELECT %(workspace)s, i.external_id, {", ".join(f"nullif(i.{name}, '')" for name in STORED)},
         jsonb_strip_nulls(i.attributes), jsonb_strip_nulls(i.folded), %(now)s, %(now)s
    FROM incoming_profile i ORDER BY i.external_id COLLATE "C" ON CONFLICT (workspace_id, external_id) DO NOTHING RETURNING id
), told AS ({_TOLD})
SELECT count(*) FROM changed
"""
_ALL_NEW_WHOLE = _ALL_NEW.replace("jsonb_strip_nulls(i.attributes), jsonb_strip_nulls(i.folded)", "i.attributes, i.folded")
_KEPT = [f"CASE WHEN i.{name} IS NULL THEN p.{name} ELSE nullif(i.{name}, '') END" for name in STORED]
_NEW = " OR ".join(f"(i.{name} IS NOT NULL AND nullif(i.{name}, '') IS DISTINCT FROM p.{name})" for name in STORED)
_DIFFERS = (
    f"({_NEW} OR jsonb_strip_nulls(p.attributes || i.attributes) <> p.attributes OR jsonb_strip_nulls(p.folded || i.folded) <> p.folded)"
)
_KNOWN_PEOPLE = f"""
WITH merged AS MATERIALIZED (
  SELECT m.* FROM (SELECT * FROM incoming_profile ORDER BY external_id COLLATE "C" OFFSET 0) i CROSS JOIN LATERAL (
    SELECT p.id, {", ".join(f"{kept} AS {name}" for name, kept in zip(STORED, _KEPT, strict=True))},
           jsonb_strip_nulls(p.attributes || i.attributes) AS attributes, jsonb_strip_nulls(p.folded || i.folded) AS folded
      FROM audience_profile p
     WHERE p.workspace_id = %(workspace)s AND p.external_id = i.external_id AND p.merged_into IS NULL AND {_DIFFERS} FOR NO KEY UPDATE) m
), changed AS (
  UPDATE audience_profile p SET {", ".join(f"{name} = m.{name}" for name in (*STORED, "attributes", "folded"))}, updated_at = %(now)s
    FROM merged m WHERE p.id = m.id RETURNING p.id
), told AS ({_TOLD})
SELECT count(*) FROM changed
"""
_FEW = f"""
WITH incoming_profile AS (
  SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS r(external_id text, {" text, ".join(STORED)} text, attributes jsonb, folded jsonb)
), changed AS (
  INSERT INTO audience_profile AS p ({_COLUMNS}) {_FROM} ORDER BY i.external_id COLLATE "C"
  ON CONFLICT (workspace_id, external_id) DO UPDATE SET
    ({", ".join(STORED)}, attributes, folded, updated_at) = (
      SELECT {", ".join(_KEPT)}, jsonb_strip_nulls(p.attributes || i.attributes), jsonb_strip_nulls(p.folded || i.folded), %(now)s
        FROM incoming_profile i WHERE i.external_id = p.external_id)
  WHERE p.merged_into IS NULL AND EXISTS (
    SELECT 1 FROM incoming_profile i WHERE i.external_id = p.external_id
       AND {_DIFFERS})
  RETURNING id, (xmax = 0) AS created
), told AS ({_TOLD})
SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created) FROM changed
"""
_FOUND_OR_NEW = f"""
WITH known AS (
  SELECT id, external_id, {", ".join(STORED)}, attributes::text FROM audience_profile
   WHERE workspace_id = %s AND external_id = %s AND gone_at IS NULL
), made AS (
  INSERT INTO audience_profile (workspace_id, external_id, {", ".join(STORED)}, attributes, folded, created_at, updated_at)
  SELECT %s, %s, {", ".join(["%s"] * len(STORED))}, '{{}}', '{{}}', %s::timestamptz, %s::timestamptz WHERE NOT EXISTS (SELECT 1 FROM known)
  ON CONFLICT (workspace_id, external_id) DO NOTHING RETURNING id, external_id, {", ".join(STORED)}, attributes::text
), told AS (
  INSERT INTO audience_profilefeed (workspace_id, profile_id, at) SELECT %s, id, %s::timestamptz FROM made
)
SELECT * FROM known UNION ALL SELECT * FROM made
"""
FEW = 20  # rows that a statement may carry itself; a temporary table costs as much as some hundred rows


def write(
    workspace_id: int, rows: Sequence[CleanRow], now: datetime, *, lines: str | None = None, all_new: bool = False
) -> tuple[int, int]:
    """Merge the rows, one per person, in the caller's transaction. lines: the same, as `copied` makes them, if that is done already;
    all_new: hardly anybody of them is known, by what was written before.

    Returns how many people were created and how many changed.
    """
    with connection.cursor() as cursor:
        if len(rows) <= FEW:
            given = [{name: getattr(row, name) for name in ("external_id", *STORED, "attributes", "folded")} for row in rows]
            cursor.execute(_FEW, {"workspace": workspace_id, "now": now, "rows": orjson.dumps(given).decode()})
            created, updated = cursor.fetchone()
            return created, updated
        cursor.execute(_EMPTY_TABLE)
        lines = copied(rows) if lines is None else lines
        with cursor.cursor.copy("COPY incoming_profile FROM STDIN") as copy:
            copy.write(lines)
        new_people = _NEW_PEOPLE if not all_new else _ALL_NEW if "null" in lines else _ALL_NEW_WHOLE
        cursor.execute(new_people, {"workspace": workspace_id, "now": now})
        (created,) = cursor.fetchone()
        updated = 0
        if created < len(rows):
            cursor.execute(_KNOWN_PEOPLE, {"workspace": workspace_id, "now": now})
            (updated,) = cursor.fetchone()
        cursor.execute(_AS_USUAL)
    return created, updated


def copied(rows: Sequence[CleanRow]) -> str:
    """The rows as COPY reads them: a third of the cost of having the driver write each value."""
    dumps = orjson.dumps
    return "\n".join(
        [
            "\t".join(
                [
                    _cell(row.external_id),
                    _cell(row.email),
                    _cell(row.email_key),
                    row.phone if row.phone is not None else "\\N",
                    row.locale if row.locale is not None else "\\N",
                    row.country if row.country is not None else "\\N",
                    row.zone if row.zone is not None else "\\N",
                    dumps(row.attributes).decode().replace("\\", "\\\\"),
                    dumps(row.folded).decode().replace("\\", "\\\\"),
                ]
            )
            for row in rows
        ]
    )


def _cell(text: str | None) -> str:
    """Ids and addresses: they have no tabs and no line ends."""
    return "\\N" if text is None else text if "\\" not in text else text.replace("\\", "\\\\")


def find_or_write_new(workspace_id: int, row: CleanRow, now: datetime) -> Person | None:
    """A person as they are; whoever isn't known becomes what this row of addresses says, in the caller's transaction. None where
    somebody else made them at the same moment."""
    who, values = [workspace_id, row.external_id], [getattr(row, name) or None for name in STORED]
    found = sql.rows(_FOUND_OR_NEW, [*who, *who, *values, now, now, workspace_id, now], often=True)
    return person_of(found[0]) if found else None
