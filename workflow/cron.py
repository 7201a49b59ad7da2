"""Cron lines as campaigns may use them: five fields, reproducible, in a named zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from governance.door import zone_names

FIELDS = ("minute", "hour", "day of month", "month", "day of week")
SHORTEST_INTERVAL = timedelta(minutes=15)
NEVER = timedelta(days=5 * 366)
_ALLOWED = re.compile(r"[0-9A-Za-z*/,\-#]+")


@lru_cache(maxsize=1024)  # every look at a campaign reads its line
def parse_cron(line: str) -> str:
    """The line with single spaces. Raises ValueError with what was expected: never a random or an impossible time."""
    if line.strip().startswith("@"):
        raise ValueError("five fields such as `0 9 * * MON`; shortcuts such as @daily and @reboot are unsupported")
    fields = line.split()
    if len(fields) != 5:
        raise ValueError(f"five fields (minute, hour, day, month, weekday); this line has {len(fields)}")
    for name, field in zip(FIELDS, fields, strict=True):
        if not _ALLOWED.fullmatch(field) or field.upper().startswith(("R", "H")):
            raise ValueError(f"a reproducible {name}: a number, a range, a list or a step")
    line = " ".join(fields)
    try:
        times = CronSim(line, datetime(2026, 1, 1, tzinfo=UTC))
        first = next(times)
        second = next(times)
    except CronSimError as error:
        raise ValueError(f"a valid cron line: {str(error).lower()}") from None
    except StopIteration:
        raise ValueError("a time that happens: this one never does within fifty years") from None
    if first - datetime(2026, 1, 1, tzinfo=UTC) > NEVER:
        raise ValueError("a time that happens within five years")
    if _shortest(line, first, second) < SHORTEST_INTERVAL:
        raise ValueError("at most one launch every 15 minutes")
    return line


def _shortest(line: str, first: datetime, second: datetime) -> timedelta:
    shortest = second - first
    times = CronSim(line, second)
    previous = second
    for _ in range(200):
        following = next(times, None)
        if following is None:
            break
        shortest, previous = min(shortest, following - previous), following
    return shortest


def parse_zone(name: str) -> str:
    """A time zone's name, as the IANA data knows it. Raises ValueError for offsets and unknown names."""
    if name not in zone_names() or name.startswith(("posix", "right", "Etc/GMT")):
        raise ValueError("a time zone such as Europe/Paris")
    return name


def times(line: str, zone: str, after: datetime) -> Iterator[datetime]:
    """The instants (UTC) of a cron line, strictly after `after`.

    A fixed time that a clock change skips fires at the first instant after the gap, a repeated one once, at the first (cronsim's rule).
    """
    for local in CronSim(line, after.astimezone(ZoneInfo(zone))):
        yield local.astimezone(UTC)


def previous_time(line: str, zone: str, *, now: datetime, within: timedelta) -> datetime | None:
    """The latest instant of a cron line in (now - within, now], or None."""
    latest = None
    for instant in times(line, zone, now - within):
        if instant > now:
            return latest
        latest = instant
    return latest


def explain_cron(line: str, zone: str) -> str:
    """The line in words an author recognises, e.g. "At 09:00 on Monday, Europe/Paris"."""
    minute, hour, day, _, weekday = line.split()
    words = str(CronSim(line, datetime(2026, 1, 1, tzinfo=UTC)).explain())
    words = re.sub(
        r"\b([23])([123])th\b", lambda found: found[0][:2] + {"1": "st", "2": "nd", "3": "rd"}[found[2]], words
    )  # cronsim's "31th"
    if day != "*" and weekday != "*":
        words += " (either day is enough)"
    return f"{words}, {zone}"
