"""Events and recounts at the same moment, by several processes' worth of threads: nothing is missed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from audience import door as audience
from audience.door import NewEvent
from audience.models import Event, Profile
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.postgres  # SQLite has one writer at a time
def test_what_comes_while_somebody_is_counted_is_counted_next() -> None:
    factories.in_force("attribute", "buys", factories.attribute(type="number", computed={"event": "paid", "how": "count"}), now=START)
    home, people = factories.workspace().pk, factories.profiles(5, now=START)
    recording, faults = threading.Event(), []

    def record(who: int) -> None:
        try:
            for number in range(60):
                events = [NewEvent(f"{who}-{number}-{person}", "paid", person, START - timedelta(minutes=number), {}) for person in people]
                audience.record(home, events if number % 2 else events[::-1], now=START)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    def count() -> None:
        try:
            while not recording.is_set():
                audience.keep_computed(now=START)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    recorders = [threading.Thread(target=record, args=(who,)) for who in range(3)]
    counters = [threading.Thread(target=count) for _ in range(2)]
    for thread in (*recorders, *counters):
        thread.start()
    for thread in recorders:
        thread.join()
    recording.set()
    for thread in counters:
        thread.join()
    audience.keep_computed(now=START)
    assert faults == [] and Event.objects.count() == 3 * 60 * 5
    assert {row.attributes["buys"] for row in Profile.objects.filter(pk__in=people)} == {180}
