"""What happens when several act on people in the same instant, on a database that lets them; and that no feed row is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from audience import door as audience
from audience.models import EventFeed, Profile
from tests.audience.conftest import CATALOGUE
from tests.together import together

pytestmark = pytest.mark.postgres


def test_importers_of_the_same_people_never_deadlock_and_lose_nothing(open_workspace_id: int, now: datetime) -> None:
    values = {"stays": 1, "city": "Rome", "vip": True, "first_name": "Ann"}
    assert set(values) <= set(CATALOGUE)

    def importer(name: str, value: Any, backwards: bool) -> Callable[[], Any]:
        rows = [audience.ProfileRow(f"u{n:04}", attributes={name: value}) for n in range(1_500)]
        return lambda: audience.upsert(open_workspace_id, rows[::-1] if backwards else rows, source="test", now=now)

    outcomes = together([importer(name, value, place % 2 == 0) for place, (name, value) in enumerate(values.items())])
    assert [outcome.taken for outcome in outcomes] == [1_500] * 4
    assert sum(outcome.created for outcome in outcomes) == Profile.objects.count() == 1_500
    assert all(row.attributes == values and row.folded["city"] == "rome" for row in Profile.objects.all())


def test_of_many_who_tell_the_same_events_each_id_is_accepted_once(open_workspace_id: int, now: datetime) -> None:
    audience.upsert(open_workspace_id, [audience.ProfileRow("ann")], source="test", now=now)
    events = [audience.NewEvent(f"e{n}", "visit", "ann", now) for n in range(500)]

    def teller(ordered: list[audience.NewEvent]) -> Callable[[], Any]:
        return lambda: audience.record(open_workspace_id, ordered, now=now)

    outcomes = together([teller(events), teller(events[::-1]), teller(events[250:] + events[:250])])
    assert sum(outcome.accepted for outcome in outcomes) == 500 == EventFeed.objects.count()
    assert sum(outcome.duplicates for outcome in outcomes) == 1_000


def test_a_row_whose_writer_commits_late_is_not_lost(open_workspace_id: int, now: datetime) -> None:
    """The cursor that would lose it is the negative control: ids are drawn before their transactions commit."""
    audience.upsert(open_workspace_id, [audience.ProfileRow("ann")], source="test", now=now)
    written, may_commit = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            audience.record(open_workspace_id, [audience.NewEvent("late", "visit", "ann", now)], now=now)
            written.set()
            assert may_commit.wait(timeout=20)

    def early() -> list[str]:
        assert written.wait(timeout=20)
        audience.record(open_workspace_id, [audience.NewEvent("early", "visit", "ann", now)], now=now)
        cursor = max(EventFeed.objects.values_list("id", flat=True))  # what `id > last` would remember
        first = [event.event_id for event in audience.take_events(10)]
        may_commit.set()
        while not EventFeed.objects.exists():
            threading.Event().wait(0.01)
        assert not EventFeed.objects.filter(id__gt=cursor).exists(), "a cursor has passed the late row for good"
        return first + [event.event_id for event in audience.take_events(10)]

    assert together([late, early])[1] == ["early", "late"]


def test_two_takers_never_get_the_same_event(open_workspace_id: int, now: datetime) -> None:
    audience.upsert(open_workspace_id, [audience.ProfileRow("ann")], source="test", now=now)
    audience.record(open_workspace_id, [audience.NewEvent(f"e{n:03}", "visit", "ann", now) for n in range(300)], now=now)

    def taker() -> list[str]:
        taken: list[str] = []
        while True:
            with transaction.atomic():
                some = audience.take_events(20)
            if not some:
                return taken
            taken += [event.event_id for event in some]

    taken = [event for each in together([taker] * 3) for event in each]
    assert len(taken) == len(set(taken)) == 300
