"""Clocks are set back, jump ahead and change by law, and years have leap days: no planned instant launches twice, none is missed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from delivery.models import OutboxMail
from tests import factories as make
from workflow import pipeline, worker
from workflow.models import Occurrence, Run

pytestmark = pytest.mark.django_db(transaction=True)


def released(began: datetime, cron: str, zone: str = "UTC") -> None:
    """A campaign by this schedule, which two people get each time."""
    make.profiles(2, now=began)
    trigger: dict[str, Any] = {"type": "schedule", "cron": cron, "zone": zone, "late_limit_minutes": 60}
    make.spring_sale(now=began, trigger=trigger, reentry=True)


def launched(moments: Iterable[datetime]) -> list[int]:
    """How many launch as the scheduler's clock shows these moments; what was launched is sent before the next."""
    started = []
    for moment in moments:
        started.append(pipeline.tick(now=moment))
        if started[-1]:
            worker.drain(now=lambda at=moment: at)  # type: ignore[misc]
    assert OutboxMail.objects.count() == 2 * Run.objects.count() and not Occurrence.objects.exclude(outcome="launched").exists()
    return started


def local_days(zone: str) -> list[str]:
    """The days, as that zone counts them, on which something was planned and launched."""
    planned = Run.objects.order_by("planned_at").values_list("planned_at", flat=True)
    return [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d}" for at in planned if at]


def test_a_clock_that_is_set_back_an_hour_launches_nothing_again() -> None:
    nine = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    released(nine - timedelta(days=1, hours=1), "0 * * * *")
    hours = [nine + timedelta(minutes=minutes) for minutes in (0, 59, 0, 1, 59, 60, 119, 60, 120)]
    assert launched(hours) == [1, 0, 0, 0, 0, 1, 0, 0, 1]


def test_a_clock_that_jumps_a_day_ahead_and_back_skips_nothing_and_repeats_nothing() -> None:
    """While the clock is wrong, the day that it shows is launched; what it jumped over is launched when it has been set right."""
    monday = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    released(monday - timedelta(hours=12), "0 9 * * *")
    day, minute = timedelta(days=1), timedelta(minutes=1)
    shown = [monday - minute, monday + day - minute, monday + day, monday, monday + minute, monday + day, monday + 2 * day]
    assert launched(shown) == [0, 0, 1, 1, 0, 0, 1]


def test_a_day_that_a_clock_jumped_over_for_good_is_too_late_and_the_next_ones_are_launched() -> None:
    monday = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    released(monday - timedelta(hours=12), "0 9 * * *")
    assert launched([monday - timedelta(minutes=1), *(monday + timedelta(days=days) for days in (1, 2))]) == [0, 1, 1]


@pytest.mark.parametrize(
    ("zone", "at", "eve"),
    [
        ("Europe/Paris", "02:30", "2026-03-28"),  # on the next day it isn't there
        ("Europe/Paris", "02:30", "2026-10-24"),  # on the next day it comes twice
        ("Australia/Lord_Howe", "02:15", "2026-10-03"),  # half an hour is left out
        ("Australia/Lord_Howe", "01:45", "2026-04-04"),  # half an hour comes twice
    ],
)
def test_a_local_time_that_is_skipped_or_comes_twice_launches_once_that_day(zone: str, at: str, eve: str) -> None:
    midnight = datetime.fromisoformat(eve).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    hour, minute = at.split(":")
    released(midnight - timedelta(hours=1), f"{minute} {hour} * * *", zone)
    launched(midnight + timedelta(hours=hours) for hours in range(2 * 24))
    day = datetime.fromisoformat(eve)
    assert local_days(zone) == [f"{day:%Y-%m-%d}", f"{day + timedelta(days=1):%Y-%m-%d}"]


def test_a_leap_day_is_a_day() -> None:
    at_nine = [datetime(year, 2, 28, 9, 0, tzinfo=UTC) + timedelta(days=days) for year in (2027, 2028) for days in range(3)]
    released(datetime(2027, 2, 1, tzinfo=UTC), "0 9 * 2,3 *")
    assert launched(at_nine) == [1, 1, 1, 1, 1, 1]
    assert local_days("UTC")[3:] == ["2028-02-28", "2028-02-29", "2028-03-01"]


def test_what_is_planned_for_leap_days_launches_on_no_other_day() -> None:
    released(datetime(2027, 2, 1, tzinfo=UTC), "0 9 29 2 *")
    at_nine = [datetime(year, 2, 28, 9, 0, tzinfo=UTC) + timedelta(days=days) for year in (2027, 2028) for days in range(3)]
    launched(at_nine)
    assert local_days("UTC") == ["2028-02-29"]
