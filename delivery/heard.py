"""What vendors said in the last day, counted by vendor, kind and hour, at a million events a day within half a second on either database.

PostgreSQL groups the day at once. SQLite sorts whatever it groups, row by row out of the table; there each hour of each kind is a range of
one index, and counting a range reads nothing but the index.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from django.db.models import CharField, Count, F, Func

from delivery import sql
from delivery.adapters.incoming import EventKind
from delivery.adapters.registry import ADAPTERS
from delivery.clicks import DECIDED
from delivery.floors import heard_since

HOUR, HOURS = timedelta(hours=1), 24
KINDS: tuple[str, ...] = get_args(EventKind)
BY_MACHINES = tuple(DECIDED.values())  # kinds that a machine may have caused
Said = list[tuple[str, str, str, bool, int]]  # vendor, kind, hour as `hour_name` has it, by a machine, events


class HourOf(Func):
    """The hour of a moment in UTC, as text: both engines do it by themselves, row by row, without asking Python."""

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 13)", **more)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')", **more)


def first_hour(now: datetime) -> datetime:
    """When the oldest of the hours that are shown begins."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * HOUR


def hour_name(begins: datetime) -> str:
    """An hour in UTC: "2026-11-28 23"."""
    return f"{begins:%Y-%m-%d %H}"


def heard(workspace_id: int, *, now: datetime) -> Said:
    """What vendors said in each hour of the last day, the present one included."""
    return _grouped(workspace_id, now) if sql.on_postgres() else _range_by_range(workspace_id, now)


def _grouped(workspace_id: int, now: datetime) -> Said:
    said = heard_since(workspace_id, first_hour(now)).annotate(hour=HourOf(F("received_at")))
    return list(said.values_list("vendor", "kind", "hour", "machine").annotate(Count("id")).order_by())


_WITHIN = """delivery_vendorevent e WHERE e.workspace_id = %s AND e.vendor = asked.vendor AND e.kind = asked.kind
AND e.received_at >= asked.begins AND e.received_at < asked.ends"""


def _range_by_range(workspace_id: int, now: datetime) -> Said:
    first = first_hour(now)
    edges = [sql.moment(first + place * HOUR) for place in range(HOURS + 1)]
    asked = [
        (vendor, kind, place, edges[place], edges[place + 1], kind in BY_MACHINES)
        for vendor in _spoke(workspace_id, edges[0])
        for kind in KINDS
        for place in range(HOURS)
    ]
    columns = {"vendor": "text", "kind": "text", "place": "int", "begins": "text", "ends": "text", "split": "int"}
    table, parameters = sql.table("asked", columns, asked)
    counted = sql.rows(
        f"""SELECT asked.vendor, asked.kind, asked.place, (SELECT COUNT(*) FROM {_WITHIN}),
        CASE WHEN asked.split THEN (SELECT COUNT(*) FROM {_WITHIN} AND e.machine) ELSE 0 END FROM {table}""",
        [workspace_id, workspace_id, *parameters],
    )
    found: Said = []
    for vendor, kind, place, many, machines in counted:
        hour = hour_name(first + place * HOUR)
        found += [(vendor, kind, hour, machine, part) for machine, part in ((False, many - machines), (True, machines)) if part]
    return found


def _spoke(workspace_id: int, since: Any) -> list[str]:
    """Vendors who said something since then."""
    table, parameters = sql.table("asked", {"vendor": "text"}, [[vendor] for vendor in ADAPTERS])
    said = sql.rows(
        f"""SELECT asked.vendor FROM {table} WHERE EXISTS (SELECT 1 FROM delivery_vendorevent e WHERE e.workspace_id = %s
        AND e.vendor = asked.vendor AND e.received_at >= %s)""",
        [*parameters, workspace_id, since],
    )
    return [vendor for (vendor,) in said]
