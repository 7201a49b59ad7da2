"""Quiet hours by the recipient's own clock. Where the clock is not known, every plausible one must be outside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as phone_zones

from delivery.policy_document import CountryHours, QuietHours

if TYPE_CHECKING:
    from audience.door import Person

LONGEST_SEARCH = timedelta(days=3)
SUNDAY = 7


class Night(NamedTuple):
    """Quiet from `start` to before `end` by the wall clock, over midnight where start is the later one; sundays: all of Sunday, too."""

    start: time
    end: time
    sundays: bool = False


# What is law whatever a policy says: promotional texts, by the country of the person.
# USA: not before 8 and not after 21 o'clock at the called party (47 CFR 64.1200(c)(1)).
LEGAL_FOR_TEXTS: Mapping[str, Night] = dict.fromkeys(("US", "PR", "GU", "VI", "AS", "MP"), Night(time(21), time(8)))


class QuietClock:
    """Answers for one policy, channel, class and moment; remembers each set of zones, so a batch asks each of them once."""

    def __init__(self, quiet: QuietHours | None, channel: str, message_class: str, now: datetime) -> None:
        self._now, self._default = now, (quiet.zone if quiet else "UTC",)
        applies = quiet is not None and channel in quiet.channels and message_class in quiet.classes
        self._always = _nights((quiet,)) if quiet is not None and applies else ()
        rows: dict[str, list[CountryHours]] = {}
        for row in quiet.countries if quiet is not None and applies else ():
            rows.setdefault(row.country, []).append(row)
        self._by_country = {country: _nights(listed) for country, listed in rows.items()}
        if channel == "sms" and message_class == "promotional":
            for country, night in LEGAL_FOR_TEXTS.items():
                self._by_country[country] = (*self._by_country.get(country, ()), night)
        self._known: dict[tuple[tuple[str, ...], tuple[Night, ...]], datetime | None] = {}

    def __bool__(self) -> bool:
        """Whether it can ever be quiet for anybody."""
        return bool(self._always or self._by_country)

    def opens_at(self, person: Person) -> datetime | None:
        """When this person may be written to next; None: now."""
        nights = self._always
        if self._by_country:
            nights += self._by_country.get(country_of(person), ())
        if not nights:
            return None
        key = zones_of(person) or self._default, nights
        if key not in self._known:
            self._known[key] = next_open(*key, self._now)
        return self._known[key]


def _nights(rows: Iterable[QuietHours | CountryHours]) -> tuple[Night, ...]:
    return tuple(Night(time.fromisoformat(row.start), time.fromisoformat(row.end), getattr(row, "sundays", False)) for row in rows)


def next_open(zones: Iterable[str], nights: Sequence[Night], now: datetime) -> datetime | None:
    """The first moment from now on outside all of these nights in all of these zones; None: now is. Where zones lie so far apart
    that there is none within three days, the end of the search: the message waits and in the end expires."""
    moment, places = now, [ZoneInfo(zone) for zone in zones]
    while moment - now < LONGEST_SEARCH:
        ends = [over for place in places for night in nights if (over := _end_of_quiet(place, night, moment)) is not None]
        if not ends:
            return None if moment == now else moment
        moment = max(max(ends), moment + timedelta(minutes=1))
    return moment


def _end_of_quiet(place: ZoneInfo, night: Night, moment: datetime) -> datetime | None:
    """When the quiet hours that `moment` lies in are over in this place; None if it lies in none."""
    local = moment.astimezone(place)
    if night.sundays and local.isoweekday() == SUNDAY:
        return _instant(place, local.date() + timedelta(days=1), time(0))
    start, end, clock = night.start, night.end, local.time()
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    return _instant(place, local.date() + timedelta(days=1 if start > end and clock >= start else 0), end) if quiet else None


def _instant(place: ZoneInfo, day: date, clock: time) -> datetime:
    """A local time. Of a repeated or skipped one the later of both readings: by then it is surely over."""
    return max(datetime.combine(day, clock, place).replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def day_began(zones: Iterable[str], days: int, now: datetime) -> datetime:
    """When the first of so many calendar days began, today being the last; the earliest of all these zones."""
    places = [ZoneInfo(zone) for zone in zones]
    return min(
        datetime.combine(now.astimezone(place).date() - timedelta(days=days - 1), time(0), place).astimezone(UTC) for place in places
    )


def country_of(person: Person) -> str:
    """The country whose law a text to this person is under: their own, else that of their number; "" where neither is known."""
    return person.country.upper() if person.country else _country_of_number(person.phone) if person.phone else ""


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


@lru_cache(maxsize=4096)
def _country_of_number(phone: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or ""
    except phonenumbers.NumberParseException:
        return ""
