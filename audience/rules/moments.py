"""Days and instants: their comparable form, and what lies a span before or after one. UTC throughout."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from audience.rules.values import Unit

_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_LENGTHS: dict[str, timedelta] = {
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
    "weeks": timedelta(weeks=1),
}


def comparable_day(day: date) -> str:
    """The form in which days are kept and compared: "2026-01-31"."""
    return day.isoformat()


def comparable_moment(moment: datetime) -> str:
    """The form in which instants are kept and compared: UTC, of one width, so that their order is that of their texts."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def day_of(moment: datetime) -> date:
    """The day in UTC."""
    return moment.astimezone(UTC).date()


def day_bounds(given: date | datetime, zone: tzinfo = UTC) -> tuple[datetime, datetime]:
    """When a day of the zone starts and when its next one starts, as instants in UTC; an instant is both its own start and end."""
    if isinstance(given, datetime):
        return given, given
    return _start(given, zone), _start(given + timedelta(days=1), zone) if given < date.max else _LATEST


def _start(day: date, zone: tzinfo) -> datetime:
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return _EARLIEST if day.year == 1 else _LATEST


def shift(moment: datetime, amount: int, unit: Unit) -> datetime:
    """`amount` units later (earlier if negative). Months and years keep the day of the month, or take the month's last.

    A result outside the years 1 to 9999 is the earliest or the latest instant.
    """
    moment = moment.astimezone(UTC)
    try:
        if unit in ("months", "years"):
            return _shift_months(moment, amount * (12 if unit == "years" else 1))
        return moment + amount * _LENGTHS[unit]
    except (OverflowError, ValueError):
        return _LATEST if amount > 0 else _EARLIEST


def _shift_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1] if 0 < year < 10_000 else 28
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
