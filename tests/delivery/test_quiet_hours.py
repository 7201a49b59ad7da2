"""Nothing goes out in anybody's night, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience.door import Person
from delivery.policy_document import QuietHours
from delivery.quiet import Night, QuietClock, next_open, zones_of

NIGHT = Night(time(21), time(8))
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


def person(zone: str | None = None, country: str | None = None, phone: str | None = None) -> Person:
    return Person(1, "p1", None, None, phone, None, country, zone, {})


def quiet(moment: datetime, zone: str, start: time, end: time) -> bool:
    clock = moment.astimezone(ZoneInfo(zone)).time()
    return start <= clock < end if start < end else clock >= start or clock < end


@given(MOMENTS, st.sampled_from(ZONES), st.times(), st.times())
def test_the_moment_a_message_waits_for_is_never_quiet(now: datetime, zone: str, start: time, end: time) -> None:
    start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    if start == end:
        return
    opens = next_open([zone], [Night(start, end)], now)
    assert (opens is None) == (not quiet(now, zone, start, end))
    if opens is not None:
        assert opens > now and not quiet(opens, zone, start, end)
        assert opens - now <= timedelta(hours=25)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"])
def test_a_whole_year_hour_by_hour(zone: str) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment.year == 2026:
        opens = next_open([zone], [NIGHT], moment)
        assert opens is None or not quiet(opens, zone, NIGHT.start, NIGHT.end)
        assert (opens is None) != quiet(moment, zone, NIGHT.start, NIGHT.end)
        moment += timedelta(hours=1)


@given(MOMENTS, st.lists(st.sampled_from(ZONES), min_size=2, max_size=4))
def test_several_plausible_clocks_are_all_outside(now: datetime, zones: list[str]) -> None:
    opens = next_open(zones, [NIGHT], now) or now
    if opens - now < timedelta(days=3):
        assert not any(quiet(opens, zone, NIGHT.start, NIGHT.end) for zone in zones)


def test_who_lives_where() -> None:
    assert zones_of(person("Europe/Paris", "US")) == ("Europe/Paris",)
    assert zones_of(person("Mars/Olympus", "FR")) == ("Europe/Paris",)
    assert {"America/New_York", "Pacific/Honolulu"} <= set(zones_of(person(None, "us")))
    assert zones_of(person(phone="+33612345678")) == ("Europe/Paris",)
    assert zones_of(person()) == ()


def test_the_policys_zone_counts_for_those_of_whom_nothing_is_known() -> None:
    rule = QuietHours(start="21:00", end="08:00", zone="Asia/Tokyo")
    noon_in_london = datetime(2026, 6, 1, 13, tzinfo=UTC)
    assert QuietClock(rule, "sms", "promotional", noon_in_london).opens_at(person("Europe/London")) is None
    assert QuietClock(rule, "sms", "promotional", noon_in_london).opens_at(person()) == datetime(2026, 6, 1, 23, tzinfo=UTC)
