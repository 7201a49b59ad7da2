"""Rows into the profiles table, set by set, with what the index must hear written in the same transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils.timezone import is_aware

from audience.catalogue import Catalogue, catalogue
from audience.consent import set_consent
from audience.ingest.rows import CleanRow, ProfileRow, Rejected, clean

AT_ONCE = 2_000  # rows per transaction
COLUMNS = ("external_id", "email", "email_key", "phone", "locale", "country", "zone")


@dataclass(slots=True)
class UpsertOutcome:
    """What became of the rows that were given."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, other: UpsertOutcome) -> None:
        """Count another chunk in."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected

    @property
    def taken(self) -> int:
        """Rows that were accepted."""
        return self.created + self.updated + self.unchanged


def upsert(workspace_id: int, rows: Iterable[ProfileRow], *, source: str, now: datetime) -> UpsertOutcome:
    """Create or change people. Bad rows are reported and never stop the others; the same rows again change nothing.

    source: recorded with consents. Two rows about one person in a chunk are merged in their order. Memory is bounded by the chunk.
    """
    known = catalogue(workspace_id)
    outcome = UpsertOutcome()
    for part in upsert_chunks(workspace_id, rows, known, source=source, now=now):
        outcome.add(part)
    return outcome


def upsert_chunks(
    workspace_id: int, rows: Iterable[ProfileRow], known: Catalogue, *, source: str, now: datetime
) -> Iterator[UpsertOutcome]:
    """As `upsert`, one outcome per committed chunk, for callers that show progress."""
    assert is_aware(now)
    remaining = iter(rows)
    while chunk := list(islice(remaining, AT_ONCE)):
        checked = [clean(row, known) for row in chunk]
        rejected = [row for row in checked if isinstance(row, Rejected)]
        good = _merged([row for row in checked if isinstance(row, CleanRow)])
        with transaction.atomic():
            created, updated = _write(workspace_id, good, now) if good else (0, 0)
            _consents(workspace_id, good, source, now)
        repeated = len(checked) - len(rejected) - len(good)
        yield UpsertOutcome(created, updated, len(good) - created - updated + repeated, rejected)


def _merged(rows: list[CleanRow]) -> list[CleanRow]:
    """One row per person, later ones over earlier ones."""
    people: dict[str, CleanRow] = {}
    for row in rows:
        before = people.get(row.external_id)
        if before is None:
            people[row.external_id] = row
            continue
        for name in COLUMNS[1:]:
            if getattr(row, name) is not None:
                setattr(before, name, getattr(row, name))
        before.attributes.update(row.attributes)
        before.folded.update(row.folded)
        before.consents += row.consents
    return sorted(people.values(), key=lambda row: row.external_id)  # one order: two importers can't deadlock


def _write(workspace_id: int, rows: Sequence[CleanRow], now: datetime) -> tuple[int, int]:
    return (_write_postgresql if connection.vendor == "postgresql" else _write_sqlite)(workspace_id, rows, now)


_MERGE = """
WITH changed AS (
  INSERT INTO audience_profile AS p
    (workspace_id, external_id, email, email_key, phone, locale, country, zone, attributes, folded, created_at, updated_at)
  SELECT %(workspace)s, external_id, nullif(email, ''), nullif(email_key, ''), nullif(phone, ''), nullif(locale, ''), nullif(country, ''),
         nullif(zone, ''), jsonb_strip_nulls(attributes), jsonb_strip_nulls(folded), %(now)s, %(now)s
    FROM incoming_profile
  ON CONFLICT (workspace_id, external_id) DO UPDATE SET
    (email, email_key, phone, locale, country, zone, attributes, folded, updated_at, erased_at) = (
      SELECT CASE WHEN i.email IS NULL THEN p.email ELSE nullif(i.email, '') END,
             CASE WHEN i.email_key IS NULL THEN p.email_key ELSE nullif(i.email_key, '') END,
             CASE WHEN i.phone IS NULL THEN p.phone ELSE nullif(i.phone, '') END,
             CASE WHEN i.locale IS NULL THEN p.locale ELSE nullif(i.locale, '') END,
             CASE WHEN i.country IS NULL THEN p.country ELSE nullif(i.country, '') END,
             CASE WHEN i.zone IS NULL THEN p.zone ELSE nullif(i.zone, '') END,
             jsonb_strip_nulls(p.attributes || i.attributes), jsonb_strip_nulls(p.folded || i.folded), %(now)s, NULL::timestamptz
        FROM incoming_profile i WHERE i.external_id = p.external_id)
  WHERE EXISTS (
    SELECT 1 FROM incoming_profile i WHERE i.external_id = p.external_id AND (
      p.erased_at IS NOT NULL
      OR (i.email IS NOT NULL AND nullif(i.email, '') IS DISTINCT FROM p.email)
      OR (i.phone IS NOT NULL AND nullif(i.phone, '') IS DISTINCT FROM p.phone)
      OR (i.locale IS NOT NULL AND nullif(i.locale, '') IS DISTINCT FROM p.locale)
      OR (i.country IS NOT NULL AND nullif(i.country, '') IS DISTINCT FROM p.country)
      OR (i.zone IS NOT NULL AND nullif(i.zone, '') IS DISTINCT FROM p.zone)
      OR jsonb_strip_nulls(p.attributes || i.attributes) <> p.attributes
      OR jsonb_strip_nulls(p.folded || i.folded) <> p.folded))
  RETURNING id, (xmax = 0) AS created
), fed AS (
  INSERT INTO audience_profilefeed (workspace_id, profile_id, at) SELECT %(workspace)s, id, %(now)s FROM changed
)
SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created) FROM changed
"""


def _write_postgresql(workspace_id: int, rows: Sequence[CleanRow], now: datetime) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS incoming_profile (external_id text PRIMARY KEY, email text, email_key text, phone text, "
            "locale text, country text, zone text, attributes jsonb, folded jsonb) ON COMMIT DELETE ROWS"
        )
        cursor.execute("DELETE FROM incoming_profile")
        with cursor.cursor.copy("COPY incoming_profile FROM STDIN") as copy:  # psycopg's own cursor
            for row in rows:
                copy.write_row(
                    (*(getattr(row, name) for name in COLUMNS), orjson.dumps(row.attributes).decode(), orjson.dumps(row.folded).decode())
                )
        cursor.execute(_MERGE, {"workspace": workspace_id, "now": now})
        created, updated = cursor.fetchone()
    return created, updated


def _write_sqlite(workspace_id: int, rows: Sequence[CleanRow], now: datetime) -> tuple[int, int]:
    """One writer at a time (immediate transactions), so reading first and merging here is safe."""
    with connection.cursor() as cursor:
        wanted = json.dumps([row.external_id for row in rows])
        cursor.execute(
            "SELECT external_id, id, email, email_key, phone, locale, country, zone, attributes, folded, erased_at FROM audience_profile "
            "WHERE workspace_id = %s AND external_id IN (SELECT value FROM json_each(%s))",
            [workspace_id, wanted],
        )
        before = {found[0]: found for found in cursor.fetchall()}
        inserts, updates = [], []
        for row in rows:
            old = before.get(row.external_id)
            new = _after(row, old)
            if old is None:
                inserts.append((workspace_id, row.external_id, *new, now, now))
            elif old[10] is not None or new != _stored(old):
                updates.append((*new, now, old[1]))
        columns = "email, email_key, phone, locale, country, zone, attributes, folded"
        cursor.executemany(
            f"INSERT INTO audience_profile (workspace_id, external_id, {columns}, created_at, updated_at) VALUES ({', '.join(['%s'] * 12)})",
            inserts,
        )
        assignments = ", ".join(f"{name} = %s" for name in columns.split(", "))
        cursor.executemany(f"UPDATE audience_profile SET {assignments}, updated_at = %s, erased_at = NULL WHERE id = %s", updates)
        changed = json.dumps(
            [each[1] for each in inserts] + [row.external_id for row in rows if _id(before, row) in {u[-1] for u in updates}]
        )
        cursor.execute(
            "INSERT INTO audience_profilefeed (workspace_id, profile_id, at) SELECT workspace_id, id, %s FROM audience_profile "
            "WHERE workspace_id = %s AND external_id IN (SELECT value FROM json_each(%s))",
            [now, workspace_id, changed],
        )
    return len(inserts), len(updates)


def _id(before: dict[str, Any], row: CleanRow) -> int | None:
    found = before.get(row.external_id)
    return found[1] if found else None


def _after(row: CleanRow, old: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """The stored columns after this row."""
    columns = []
    for place, name in enumerate(COLUMNS[1:]):
        given = getattr(row, name)
        columns.append((old[2 + place] if old else None) if given is None else (given or None))
    attributes = {**(orjson.loads(old[8]) if old else {}), **row.attributes}
    folded = {**(orjson.loads(old[9]) if old else {}), **row.folded}
    return (*columns, _json(attributes), _json(folded))


def _stored(old: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*old[2:8], _json(orjson.loads(old[8])), _json(orjson.loads(old[9])))


def _json(values: dict[str, Any]) -> str:
    return orjson.dumps({name: value for name, value in values.items() if value is not None}, option=orjson.OPT_SORT_KEYS).decode()


def _consents(workspace_id: int, rows: Sequence[CleanRow], source: str, now: datetime) -> None:
    said: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        for consent in dict.fromkeys(row.consents):
            said[consent].append(row.external_id)
    if not said:
        return
    ids = ids_of(workspace_id, [row.external_id for row in rows])
    for (channel, topic, state), people in said.items():
        profile_ids = [ids[each] for each in people if each in ids]
        set_consent(workspace_id, profile_ids, channel=channel, topic=topic, state=state, source=source, now=now)  # type: ignore[arg-type]


def ids_of(workspace_id: int, external_ids: Sequence[str]) -> dict[str, int]:
    """Profile ids by external id, in one query; erased people are left out."""
    given, value = (
        ("= ANY(%s)", list(external_ids))
        if connection.vendor == "postgresql"
        else ("IN (SELECT value FROM json_each(%s))", json.dumps(list(external_ids)))
    )
    with connection.cursor() as cursor:
        sql = f"SELECT external_id, id FROM audience_profile WHERE workspace_id = %s AND erased_at IS NULL AND external_id {given}"
        cursor.execute(sql, [workspace_id, value])
        return dict(cursor.fetchall())
