"""Quiet hours by the recipient's own clock. Where the clock is not known, every plausible one must be outside them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as phone_zones

from delivery.documents import QuietHours

if TYPE_CHECKING:
    from audience.door import Person

LONGEST_SEARCH = timedelta(days=3)


class QuietClock:
    """Answers for one policy and one moment; remembers each set of zones, so a batch asks each of them once."""

    def __init__(self, quiet: QuietHours, now: datetime) -> None:
        self._start, self._end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
        self._default, self._now = (quiet.zone,), now
        self._known: dict[tuple[str, ...], datetime | None] = {}

    def opens_at(self, person: Person) -> datetime | None:
        """When this person may be written to next; None: now."""
        zones = zones_of(person) or self._default
        if zones not in self._known:
            self._known[zones] = next_open(zones, self._start, self._end, self._now)
        return self._known[zones]


def next_open(zones: Iterable[str], start: time, end: time, now: datetime) -> datetime | None:
    """The first moment from now on outside [start, end) in all of these zones; None: now is. Where zones lie so far apart
    that there is none within three days, the end of the search: the message waits and in the end expires."""
    moment, places = now, [ZoneInfo(zone) for zone in zones]
    while moment - now < LONGEST_SEARCH:
        ends = [over for place in places if (over := _end_of_quiet(place, start, end, moment)) is not None]
        if not ends:
            return None if moment == now else moment
        moment = max(max(ends), moment + timedelta(minutes=1))
    return moment


def _end_of_quiet(place: ZoneInfo, start: time, end: time, moment: datetime) -> datetime | None:
    """When the quiet hours that `moment` lies in are over in this place; None if it lies in none."""
    local = moment.astimezone(place)
    clock = local.time()
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not quiet:
        return None
    day = local.date() + timedelta(days=1 if start > end and clock >= start else 0)
    # A repeated or skipped local time: the later of both readings is surely over.
    return max(datetime.combine(day, end, place).replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def zones_of(person: Person) -> tuple[str, ...]:
    """The zones this person may live in: their own, else their country's, else those of their telephone number, else none."""
    if person.zone and _exists(person.zone):
        return (person.zone,)
    if person.country and (zones := _zones_by_country().get(person.country.upper())):
        return zones
    return _zones_of_number(person.phone) if person.phone else ()


@lru_cache(maxsize=1024)
def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


@lru_cache(maxsize=1)
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    """From the time zone database's own table."""
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text()
    zones: dict[str, list[str]] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones.setdefault(country, []).append(zone)
    return {country: tuple(listed) for country, listed in zones.items()}


@lru_cache(maxsize=4096)
def _zones_of_number(phone: str) -> tuple[str, ...]:
    try:
        zones = phone_zones.time_zones_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in zones if _exists(zone))
