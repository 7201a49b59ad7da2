"""What happens when several act on people in the same instant, on a database that lets them; and that no feed row is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from audience import door as audience
from audience.models import Event, EventFeed, Profile, Subscription
from governance import door as governance
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


def test_whatever_is_told_while_two_are_merged_is_told_of_the_one_who_stays(open_workspace_id: int, now: datetime) -> None:
    """Importers by row and by COPY, events, refusals by number: of people who are merged at the same moment nothing is left behind."""
    pairs = 40
    rows = [audience.ProfileRow(f"{side}{n:02}") for n in range(pairs) for side in ("anon", "user")]
    audience.upsert(open_workspace_id, rows, source="test", now=now)
    numbers = audience.ids_of(open_workspace_id, [row.external_id for row in rows])
    actor = governance.system_actor(open_workspace_id, label="tests")

    def merger() -> None:
        for n in range(pairs):
            audience.merge(actor, f"user{n:02}", f"anon{n:02}", now=now)

    def importer() -> None:
        for n in range(pairs):
            audience.upsert(open_workspace_id, [audience.ProfileRow(f"anon{n:02}", attributes={"stays": n})], source="test", now=now)

    def large_importer() -> None:
        for _ in range(4):
            some = [audience.ProfileRow(f"anon{n:02}", attributes={"city": f"city {n}"}) for n in range(pairs)]
            audience.upsert(open_workspace_id, some, source="test", now=now)

    def teller() -> None:
        for n in range(pairs):
            audience.record(open_workspace_id, [audience.NewEvent(f"e{n}", "looked", numbers[f"anon{n:02}"], now)], now=now)

    def refuser() -> None:
        for n in range(pairs):
            refusal: Any = {"channel": "email", "topic": "*", "state": "unsubscribed", "source": "link"}
            assert audience.set_consent(open_workspace_id, [numbers[f"anon{n:02}"]], **refusal, now=now) == 1

    together([merger, importer, large_importer, teller, refuser])
    stay = [numbers[f"user{n:02}"] for n in range(pairs)]
    people = audience.load(open_workspace_id, stay)
    assert [person.attributes for person in people] == [{"stays": n, "city": f"city {n}"} for n in range(pairs)]
    assert not Profile.objects.exclude(gone_at=None).exclude(attributes={}).exists()
    assert sorted(Event.objects.values_list("profile_id", flat=True)) == sorted(stay)
    assert sorted(Subscription.objects.values_list("profile_id", flat=True)) == sorted(stay)
