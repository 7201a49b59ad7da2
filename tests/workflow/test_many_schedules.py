"""A month of many schedules, with eight schedulers whose clocks don't agree: each planned instant launches exactly once.

`OMNI_TEST_SCHEDULES=1000 OMNI_TEST_DAYS=30` makes it a whole month of a thousand.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from delivery.models import OutboxMail
from tests import factories as make
from tests.together import together
from workflow import pipeline, worker
from workflow.models import Occurrence, Run

MANY, DAYS = int(os.environ.get("OMNI_TEST_SCHEDULES", "6")), int(os.environ.get("OMNI_TEST_DAYS", "4"))
SCHEDULERS, EVERY = 8, timedelta(hours=12)
ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"]
DAY_NAMES = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
BEGAN = datetime(2026, 3, 6, 0, 0, tzinfo=UTC)  # two days before the clocks of New York change; those of Paris do on the 29th


@dataclass(frozen=True)
class Planned:
    """A schedule of one local time, on one day of each week or of each month. hour: from 4 on, when no zone's clock is changed."""

    key: str
    weekday: int | None
    monthday: int
    hour: int
    minute: int
    zone: str

    @classmethod
    def drawn(cls, place: int, draw: Random) -> Planned:
        weekday = draw.randrange(7) if draw.random() < 0.5 else None
        return cls(f"planned-{place}", weekday, draw.randint(1, 28), draw.randrange(4, 24), draw.randrange(60), draw.choice(ZONES))

    @property
    def trigger(self) -> dict[str, Any]:
        days = f"{self.monthday} * *" if self.weekday is None else f"* * {DAY_NAMES[self.weekday]}"
        return {"type": "schedule", "cron": f"{self.minute} {self.hour} {days}", "zone": self.zone, "late_limit_minutes": 1440}

    def instants(self, until: datetime) -> Iterator[datetime]:
        """When it should launch, by the calendar: no cron line is read."""
        for ordinal in range(BEGAN.toordinal() - 2, until.toordinal() + 2):
            day = date.fromordinal(ordinal)
            instant = datetime.combine(day, time(self.hour, self.minute), ZoneInfo(self.zone)).astimezone(UTC)
            its_day = day.day == self.monthday if self.weekday is None else day.weekday() == self.weekday
            if its_day and BEGAN < instant <= until:
                yield instant


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_schedulers_launch_every_planned_instant_exactly_once() -> None:
    draw, until = Random(9), BEGAN + timedelta(days=DAYS)
    schedules = [Planned.drawn(place, draw) for place in range(MANY)]
    make.profiles(2, now=BEGAN)
    make.spring_sale(now=BEGAN)
    for each in schedules:
        make.in_force("campaign", each.key, make.campaign(title=each.key, trigger=each.trigger, reentry=True), now=BEGAN)

    started, moment = 0, BEGAN
    while moment < until:
        moment += EVERY
        clocks = [moment + timedelta(seconds=place) for place in range(SCHEDULERS)]
        started += sum(together([partial(pipeline.tick, now=clock) for clock in clocks]))
        worker.drain(now=lambda at=clocks[-1]: at)  # type: ignore[misc]  # a campaign launches again only when its last run has ended

    expected = Counter((each.key, instant) for each in schedules for instant in each.instants(until))
    refused = Occurrence.objects.exclude(outcome="launched").values_list("campaign_key", "planned_at", "reason")
    assert not list(refused) and set(expected.values()) == {1}
    assert Counter(Run.objects.values_list("campaign_key", "planned_at")) == expected and started == len(expected)
    assert OutboxMail.objects.count() == 2 * len(expected)
