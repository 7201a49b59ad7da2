"""Writing checked rows on SQLite: read once, merge here, write with executemany.

Its transactions are immediate, so nobody else writes between the reading and the writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from audience import sql
from audience.ingest.rows import STORED, CleanRow

_COLUMNS = (*STORED, "attributes", "folded")
_READ = f"SELECT external_id, id, {', '.join(_COLUMNS)} FROM audience_profile WHERE workspace_id = %s AND "
_INSERT = (
    f"INSERT INTO audience_profile (workspace_id, external_id, {', '.join(_COLUMNS)}, created_at, updated_at) "
    f"VALUES ({', '.join(['%s'] * (len(_COLUMNS) + 4))})"
)
_UPDATE = (
    f"UPDATE audience_profile SET {', '.join(f'{name} = %s' for name in _COLUMNS)}, updated_at = %s WHERE workspace_id = %s AND id = %s"
)
_TELL = (
    "INSERT INTO audience_profilefeed (workspace_id, profile_id, at) "
    "SELECT workspace_id, id, %s FROM audience_profile WHERE workspace_id = %s AND "
)
Stored = tuple[Any, ...]  # the values of _COLUMNS


def write(workspace_id: int, rows: Sequence[CleanRow], now: datetime) -> tuple[int, int]:
    """Merge the rows, one per person, in the caller's transaction. Returns how many people were created and how many changed."""
    at = sql.moment(now)
    found = sql.rows(_READ + sql.among("external_id"), [workspace_id, sql.listed(row.external_id for row in rows)])
    known: dict[str, tuple[int, Stored]] = {row[0]: (row[1], row[2:]) for row in found}
    inserts, updates, changed = [], [], []
    for row in rows:
        if row.external_id not in known:
            inserts.append((workspace_id, row.external_id, *_after(row, None), at, at))
            changed.append(row.external_id)
            continue
        number, before = known[row.external_id]
        after = _after(row, before)
        if after != _canonical(before):
            updates.append((*after, at, workspace_id, number))
            changed.append(row.external_id)
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, inserts)
        cursor.executemany(_UPDATE, updates)
        cursor.execute(_TELL + sql.among("external_id") + " ORDER BY id", [at, workspace_id, sql.listed(changed)])
    return len(inserts), len(updates)


def _after(row: CleanRow, before: Stored | None) -> Stored:
    """What is stored once this row is taken."""
    fields = []
    for place, name in enumerate(STORED):
        given = getattr(row, name)
        fields.append((before[place] if before else None) if given is None else given or None)
    attributes, folded = (orjson.loads(before[6]), orjson.loads(before[7])) if before else ({}, {})
    return (*fields, _json(attributes | row.attributes), _json(folded | row.folded))


def _canonical(stored: Stored) -> Stored:
    return (*stored[:6], _json(orjson.loads(stored[6])), _json(orjson.loads(stored[7])))


def _json(values: dict[str, Any]) -> str:
    return orjson.dumps({name: value for name, value in values.items() if value is not None}, option=orjson.OPT_SORT_KEYS).decode()
