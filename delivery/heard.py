"""What vendors said in the last day, counted by vendor, kind and hour, at a million events a day within half a second on either database.

PostgreSQL groups the day at once. SQLite sorts what it groups by, three times as long as it takes to group hour by hour. There an hour
that is over is remembered, in this process, for as long as it has as many events as when it was counted: one look at the index.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import CharField, Count, F, Func

from delivery import sql
from delivery.adapters.registry import ADAPTERS
from delivery.clicks import DECIDED
from delivery.floors import heard_since
from delivery.models import VendorEvent

HOUR, HOURS = timedelta(hours=1), 24
WORTH = 5_000  # events that are worth counting hour by hour, and those of an hour remembering
REMEMBERED = 2_000  # hours
Said = list[tuple[str, str, str, bool, int]]  # vendor, kind, hour as `hour_name` has it, by a machine, events
_Kinds = list[tuple[str, bool, int]]
_ended: dict[tuple[int, str, datetime], tuple[int, _Kinds]] = {}


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
    return _grouped(workspace_id, now) if sql.on_postgres() else _hour_by_hour(workspace_id, now)


def _grouped(workspace_id: int, now: datetime) -> Said:
    said = heard_since(workspace_id, first_hour(now)).annotate(hour=HourOf(F("received_at")))
    return list(said.values_list("vendor", "kind", "hour", "machine").annotate(Count("id")).order_by())


def _hour_by_hour(workspace_id: int, now: datetime) -> Said:
    found: Said = []
    spoken = _many(workspace_id, first_hour(now))
    if sum(many for _, _, many in spoken) < WORTH:
        return _grouped(workspace_id, now)
    for vendor, begins, many in spoken:
        over, key = begins + HOUR <= now, (workspace_id, vendor, begins)
        counted, kinds = _ended.get(key, (0, [])) if over else (0, [])
        if counted != many:
            kinds = _kinds(workspace_id, vendor, begins)
            if over and many >= WORTH and not any(kind in DECIDED for kind, _, _ in kinds):
                _remember(key, many, kinds)
        found += [(vendor, kind, hour_name(begins), machine, events) for kind, machine, events in kinds]
    return found


def _many(workspace_id: int, first: datetime) -> list[tuple[str, datetime, int]]:
    """Vendors and hours in which they said something, and how much: ranges of one index, nothing is read but that."""
    edges = [sql.moment(first + place * HOUR) for place in range(HOURS + 1)]
    asked = [(vendor, place, edges[place], edges[place + 1]) for vendor in ADAPTERS for place in range(HOURS)]
    table, parameters = sql.table("asked", {"vendor": "text", "place": "int", "begins": "text", "ends": "text"}, asked)
    counted = sql.rows(
        f"""SELECT asked.vendor, asked.place, (SELECT COUNT(*) FROM delivery_vendorevent e WHERE e.workspace_id = %s
        AND e.vendor = asked.vendor AND e.received_at >= asked.begins AND e.received_at < asked.ends) FROM {table}""",
        [workspace_id, *parameters],
    )
    return [(vendor, first + place * HOUR, many) for vendor, place, many in counted if many]


def _kinds(workspace_id: int, vendor: str, begins: datetime) -> _Kinds:
    said = VendorEvent.objects.filter(workspace_id=workspace_id, vendor=vendor, received_at__gte=begins, received_at__lt=begins + HOUR)
    return list(said.values_list("kind", "machine").annotate(Count("id")).order_by())


def _remember(key: tuple[int, str, datetime], many: int, kinds: _Kinds) -> None:
    if len(_ended) >= REMEMBERED:
        _ended.clear()
    _ended[key] = many, kinds
