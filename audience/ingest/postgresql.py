"""Writing checked rows on PostgreSQL: COPY into a temporary table, then one statement that merges, tells and counts. It carries a
few rows itself.

People are merged in the order of their external ids, so that two writers never wait for each other in a circle. Those who are
known keep their number, and no number is drawn for them: sets of people are bitmaps, which want numbers close together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson
from django.db import connection

from audience import sql
from audience.ingest.rows import STORED, CleanRow
from audience.profiles import Person, person_of

_TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_profile (
  external_id text PRIMARY KEY, email text, email_key text, phone text, locale text, country text, zone text,
  attributes jsonb, folded jsonb) ON COMMIT DELETE ROWS
"""
_KEPT = ", ".join(f"CASE WHEN i.{name} IS NULL THEN p.{name} ELSE nullif(i.{name}, '') END" for name in STORED)
_NEW = " OR ".join(f"(i.{name} IS NOT NULL AND nullif(i.{name}, '') IS DISTINCT FROM p.{name})" for name in STORED)
_MERGE = f"""
WITH {{given}}changed AS (
  INSERT INTO audience_profile AS p (id, workspace_id, external_id, {", ".join(STORED)}, attributes, folded, created_at, updated_at)
  SELECT coalesce((SELECT id FROM audience_profile WHERE workspace_id = %(workspace)s AND external_id = i.external_id),
                  nextval((SELECT pg_get_serial_sequence('audience_profile', 'id'))::regclass)), %(workspace)s, i.external_id,
         {", ".join(f"nullif(i.{name}, '')" for name in STORED)},
         jsonb_strip_nulls(i.attributes), jsonb_strip_nulls(i.folded), %(now)s, %(now)s
    FROM incoming_profile i ORDER BY i.external_id
  ON CONFLICT (workspace_id, external_id) DO UPDATE SET
    ({", ".join(STORED)}, attributes, folded, updated_at) = (
      SELECT {_KEPT}, jsonb_strip_nulls(p.attributes || i.attributes), jsonb_strip_nulls(p.folded || i.folded), %(now)s
        FROM incoming_profile i WHERE i.external_id = p.external_id)
  WHERE EXISTS (
    SELECT 1 FROM incoming_profile i WHERE i.external_id = p.external_id
       AND ({_NEW} OR jsonb_strip_nulls(p.attributes || i.attributes) <> p.attributes
                   OR jsonb_strip_nulls(p.folded || i.folded) <> p.folded))
  RETURNING id, (xmax = 0) AS created
), told AS (
  INSERT INTO audience_profilefeed (workspace_id, profile_id, at) SELECT %(workspace)s, id, %(now)s FROM changed
)
SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created) FROM changed
"""
_MANY = _MERGE.format(given="")
_FEW = _MERGE.format(
    given=f"""incoming_profile AS (
  SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS r(external_id text, {" text, ".join(STORED)} text, attributes jsonb, folded jsonb)), """
)
_FOUND_OR_NEW = f"""
WITH known AS (
  SELECT id, external_id, {", ".join(STORED)}, attributes::text FROM audience_profile
   WHERE workspace_id = %s AND external_id = %s AND erased_at IS NULL
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


def write(workspace_id: int, rows: Sequence[CleanRow], now: datetime) -> tuple[int, int]:
    """Merge the rows, one per person, in the caller's transaction. Returns how many people were created and how many changed."""
    with connection.cursor() as cursor:
        if len(rows) <= FEW:
            given = [{name: getattr(row, name) for name in ("external_id", *STORED, "attributes", "folded")} for row in rows]
            cursor.execute(_FEW, {"workspace": workspace_id, "now": now, "rows": orjson.dumps(given).decode()})
            created, updated = cursor.fetchone()
            return created, updated
        cursor.execute(_TABLE)
        cursor.execute("DELETE FROM incoming_profile")
        with cursor.cursor.copy("COPY incoming_profile FROM STDIN") as copy:
            for row in rows:
                copy.write_row(
                    (
                        row.external_id,
                        *(getattr(row, name) for name in STORED),
                        orjson.dumps(row.attributes).decode(),
                        orjson.dumps(row.folded).decode(),
                    )
                )
        cursor.execute(_MANY, {"workspace": workspace_id, "now": now})
        created, updated = cursor.fetchone()
    return created, updated


def find_or_write_new(workspace_id: int, row: CleanRow, now: datetime) -> Person | None:
    """A person as they are; whoever isn't known becomes what this row of addresses says, in the caller's transaction. None where
    somebody else made them at the same moment."""
    who, values = [workspace_id, row.external_id], [getattr(row, name) or None for name in STORED]
    found = sql.rows(_FOUND_OR_NEW, [*who, *who, *values, now, now, workspace_id, now], often=True)
    return person_of(found[0]) if found else None
