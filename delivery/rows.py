"""Write ledger rows in bulk: COPY on PostgreSQL, executemany on SQLite. Set-based; no model objects.

Every column has a fixed width and none is null, so a block of PostgreSQL's binary COPY format is one numpy array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

import numpy as np
from django.db import connection

from delivery import sql

COLUMNS = ("dispatch_id", "n", "workspace_id", "profile_id", "state", "reason", "attempt_id", "variant", "at", "address_hash")
_WIDE = frozenset(COLUMNS) - {"state", "reason", "variant"}
_FIELDS = [("count", ">i2")]
for _name in COLUMNS:
    _FIELDS += [(f"{_name}_bytes", ">i4"), (_name, ">i8" if _name in _WIDE else ">i2")]
_ROW = np.dtype(_FIELDS)
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8, b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # where PostgreSQL's clock starts
_INTO = f"delivery_message ({', '.join(COLUMNS)})"


@dataclass(slots=True)
class NewRow:
    """One row of the ledger, without what all rows of one write share."""

    n: int
    profile_id: int
    state: int
    reason: int
    attempt_id: int
    variant: int
    address_hash: int


def write(workspace_id: int, dispatch_id: int, rows: Sequence[NewRow], *, at: datetime) -> None:
    """Insert the rows in the caller's transaction. Raises IntegrityError where a number exists already."""
    if not rows:
        return
    if sql.on_postgres():
        _copy(workspace_id, dispatch_id, rows, at)
    else:
        _insert(workspace_id, dispatch_id, rows, at)


def _copy(workspace_id: int, dispatch_id: int, rows: Sequence[NewRow], at: datetime) -> None:
    block = np.empty(len(rows), dtype=_ROW)
    block["count"] = len(COLUMNS)
    for name in COLUMNS:
        block[f"{name}_bytes"] = 8 if name in _WIDE else 2
    block["workspace_id"], block["dispatch_id"] = workspace_id, dispatch_id
    passed = at - _EPOCH
    block["at"] = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    for name in ("n", "profile_id", "state", "reason", "attempt_id", "variant", "address_hash"):
        block[name] = list(map(attrgetter(name), rows))
    copying = f"COPY {_INTO} FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.cursor.copy(copying) as copy:
        copy.write(_HEADER + block.tobytes() + _TRAILER)


def _insert(workspace_id: int, dispatch_id: int, rows: Sequence[NewRow], at: datetime) -> None:
    when, places = sql.moment(at), ", ".join(["%s"] * len(COLUMNS))
    values = [
        (dispatch_id, row.n, workspace_id, row.profile_id, row.state, row.reason, row.attempt_id, row.variant, when, row.address_hash)
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {_INTO} VALUES ({places})", values)
