"""What people did is kept once, refused by field, and heard by triggers exactly where it should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from audience import door as audience
from audience import sql
from audience.models import Event, EventFeed, Profile, ProfileFeed
from governance import door as governance
from governance.door import Actor


@pytest.fixture
def ann(workspace_id: int, now: datetime) -> int:
    audience.upsert(workspace_id, [audience.ProfileRow("ann")], source="test", now=now)
    return audience.ids_of(workspace_id, ["ann"])["ann"]


@pytest.fixture
def visit(now: datetime) -> audience.NewEvent:
    return audience.NewEvent("e1", "visit", "ann", now, {"city": "Straße", "total": 3.0, "paid": True, "note": None})


def faults(workspace_id: int, event: audience.NewEvent, now: datetime) -> list[str]:
    recorded = audience.record(workspace_id, [event], now=now)
    assert recorded.accepted == 0 and not Event.objects.exists() and not EventFeed.objects.exists()
    return [finding.path for finding in recorded.rejected[0].findings]


def test_an_event_keeps_what_was_said_and_what_rules_compare(workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime) -> None:
    assert audience.record(workspace_id, [visit], now=now).accepted == 1
    kept = Event.objects.get()
    assert (kept.profile_id, kept.at, kept.received_at, kept.properties) == (ann, now, now, dict(visit.properties))
    assert kept.folded == {"city": "strasse", "total": 3, "paid": True}


def test_the_same_id_again_changes_nothing_and_triggers_nothing(
    workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime
) -> None:
    first = audience.record(workspace_id, [visit, visit], now=now)
    again = audience.record(workspace_id, [replace(visit, name="other")], now=now)
    assert [(each.accepted, each.duplicates) for each in (first, again)] == [(1, 1), (0, 1)]
    assert [event.name for event in audience.take_events(10)] == ["visit"]


def test_the_same_id_in_another_workspace_is_another_event(workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime) -> None:
    other = governance.create_workspace("other", "Other").pk
    audience.upsert(other, [audience.ProfileRow("ann")], source="test", now=now)
    assert [audience.record(each, [visit], now=now).accepted for each in (workspace_id, other)] == [1, 1]
    assert {event.workspace_id for event in audience.take_events(10)} == {workspace_id, other}


def test_what_is_wrong_is_told_by_field(workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "/external_id": {"profile": "nobody"},
        "/at": {"at": now + timedelta(minutes=61)},
        "/id": {"event_id": "x" * 201},
        "/name": {"name": "a\nb"},
        "/properties": {"properties": {f"p{n}": n for n in range(51)}},
        "/properties/basket": {"properties": {"basket": [1, 2]}},
        "/properties/note": {"properties": {"note": "x" * 4_097}},
        "/properties/nul": {"properties": {"nul": "a\0b"}},
        "/properties/half": {"properties": {"half": "\ud800"}},
        "/properties/huge": {"properties": {"huge": 2**53 + 2}},
        "/properties/a~1b": {"properties": {"a/b": float("nan")}},
    }
    for path, change in wrong.items():
        assert faults(workspace_id, replace(visit, **change), now) == [path]
    assert faults(workspace_id, replace(visit, at=now.replace(tzinfo=None)), now) == ["/at"]
    assert faults(workspace_id, replace(visit, profile="\0", event_id=""), now) == ["/external_id", "/id"]


def test_one_bad_event_does_not_harm_the_others(workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime) -> None:
    events = [replace(visit, event_id=f"e{n}", profile="ann" if n % 2 else "nobody") for n in range(6)]
    recorded = audience.record(workspace_id, events, now=now)
    assert (recorded.accepted, [each.place for each in recorded.rejected]) == (3, [0, 2, 4])


def test_somebody_of_another_workspace_or_forgotten_is_nobody_here(ada: Actor, ann: int, visit: audience.NewEvent, now: datetime) -> None:
    other = governance.create_workspace("other", "Other").pk
    assert faults(other, replace(visit, profile=ann), now) == ["/external_id"]
    audience.erase(ada, "ann", now=now)
    assert faults(ada.workspace_id, replace(visit, profile=ann), now) == ["/external_id"]
    assert faults(ada.workspace_id, visit, now) == ["/external_id"]
    assert faults(ada.workspace_id, replace(visit, profile=2**62), now) == ["/external_id"]


def test_strangers_become_people_only_where_that_is_asked_for(workspace_id: int, visit: audience.NewEvent, now: datetime) -> None:
    assert audience.record(workspace_id, [visit], now=now).accepted == 0
    recorded = audience.record(
        workspace_id, [visit, replace(visit, event_id="e2"), replace(visit, event_id="e3", profile="")], now=now, create=True
    )
    assert (recorded.accepted, [each.findings[0].path for each in recorded.rejected]) == (2, ["/external_id"])
    assert list(Profile.objects.values_list("external_id", flat=True)) == ["ann"] and ProfileFeed.objects.count() == 1


def test_history_and_delivery_events_trigger_nothing(workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime) -> None:
    old = replace(visit, event_id="old", at=now - timedelta(days=366))
    audience.record(workspace_id, [old, replace(visit, event_id="open", name="message.opened")], now=now)
    audience.record(workspace_id, [replace(visit, event_id="loaded")], now=now, triggering=False)
    assert Event.objects.count() == 3 and not audience.events_waiting()
    audience.record(workspace_id, [replace(visit, event_id="soon", at=now + timedelta(minutes=59))], now=now)
    assert audience.events_waiting()


@pytest.mark.postgres
def test_no_more_events_are_taken_than_asked_for_whatever_way_postgresql_goes_about_it(
    workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime
) -> None:
    audience.record(workspace_id, [replace(visit, event_id=f"e{n}") for n in range(5)], now=now)
    with transaction.atomic():
        for way in ("hashjoin", "hashagg", "sort", "material"):  # what is left looks into the oldest once per row of the feed
            sql.run(f"SET LOCAL enable_{way} TO off")
        assert [event.event_id for event in audience.take_events(3)] == ["e0", "e1", "e2"]


def test_taken_events_wait_again_if_the_taker_fails(workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime) -> None:
    audience.record(workspace_id, [replace(visit, event_id=f"e{n}") for n in range(5)], now=now)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert [event.event_id for event in audience.take_events(3)] == ["e0", "e1", "e2"]
        raise ZeroDivisionError
    taken = audience.take_events(3) + audience.take_events(3)
    assert [event.event_id for event in taken] == ["e0", "e1", "e2", "e3", "e4"]
    assert taken[0] == audience.TriggerEvent(taken[0].event_pk, workspace_id, "e0", ann, "visit", now, dict(visit.properties))


def test_forgetting_somebody_takes_their_waiting_events_along(ada: Actor, ann: int, visit: audience.NewEvent, now: datetime) -> None:
    audience.record(ada.workspace_id, [visit], now=now)
    audience.erase(ada, "ann", now=now)
    assert audience.take_events(10) == [] and not Event.objects.exists()


def test_many_events_are_written_in_few_statements(
    workspace_id: int, ann: int, visit: audience.NewEvent, now: datetime, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        recorded = audience.record(workspace_id, [replace(visit, event_id=str(n)) for n in range(3_000)], now=now)
    assert recorded.accepted == 3_000


def test_the_names_of_events_are_listed_once_each_of_this_workspace_only(workspace_id: int, ann: int, now: datetime) -> None:
    assert audience.event_names(workspace_id) == []
    told = [
        audience.NewEvent(f"n{place}", name, "ann", now) for place, name in enumerate(("visited", "booked", "visited", "asked", "booked"))
    ]
    assert audience.record(workspace_id, told, now=now).accepted == 5
    assert audience.event_names(workspace_id) == ["asked", "booked", "visited"]
    assert audience.event_names(workspace_id, limit=2) == ["asked", "booked"]
    assert audience.event_names(workspace_id + 1) == []
