"""How long events are kept, by their name: older ones go, and nothing that still looks at them is cut short unsaid."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from audience import door as audience
from audience.models import Event, EventFeed
from governance import door as governance
from tests import factories

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


def event_type(name: str, days: int | None, **more: Any) -> dict[str, Any]:
    return {"title": name.capitalize(), "name": name, "keep_days": days, **more}


def told(now: datetime, *happened: tuple[str, float]) -> None:
    """Events of one person, by name and age in days."""
    factories.profile(now=now, external_id="ann")
    events = [audience.NewEvent(f"e{n}", name, "ann", now - A_DAY * age) for n, (name, age) in enumerate(happened)]
    audience.record(factories.workspace().pk, events, now=now)
    audience.take_events(100)


def findings(kind: str, key: str, body: dict[str, Any], now: datetime) -> list[tuple[str, str]]:
    factories.put(kind, key, body, now=now)
    found = governance.check_latest(factories.person("ada", now=now), kind, key, now=now)
    return [(each.level, each.path) for each in found]


def test_what_is_older_than_its_type_says_goes_and_nothing_else(now: datetime) -> None:
    told(now, ("looked", 91), ("looked", 89), ("bought", 400), ("searched", 400))
    factories.in_force("event_type", "looked", event_type("looked", 90), now=now)
    factories.in_force("event_type", "bought", event_type("bought", None), now=now)
    factories.put("event_type", "searched", event_type("searched", 1), now=now)  # a draft decides nothing
    assert audience.let_events_go(now=now) == 1
    assert sorted(Event.objects.values_list("name", "at")) == [
        ("bought", now - 400 * A_DAY),
        ("looked", now - 89 * A_DAY),
        ("searched", now - 400 * A_DAY),
    ]
    assert audience.let_events_go(now=now) == 0 and audience.let_events_go(now=now + 2 * A_DAY) == 1


def test_what_waits_for_its_triggers_stays(now: datetime) -> None:
    factories.profile(now=now, external_id="ann")
    audience.record(factories.workspace().pk, [audience.NewEvent("e", "looked", "ann", now - 3 * A_DAY)], now=now)
    factories.in_force("event_type", "looked", event_type("looked", 1), now=now)
    assert audience.let_events_go(now=now) == 0 and EventFeed.objects.exists()
    audience.take_events(10)
    assert audience.let_events_go(now=now) == 1


def test_a_computed_attribute_is_never_cut_short(now: datetime) -> None:
    def looks(days: int | None) -> dict[str, Any]:
        return factories.attribute(title="Looks", type="number", computed={"event": "looked", "how": "count", "days": days})

    factories.in_force("attribute", "looks_30", looks(30), now=now)
    assert findings("event_type", "looked", event_type("looked", 29), now) == [("error", "/keep_days")]
    factories.in_force("event_type", "looked-30", event_type("looked again", 1), now=now)
    governance.save(factories.person("ada", now=now), "event_type", "looked", event_type("looked", 30), base=1, now=now)
    factories.release("event_type", "looked", now=now)
    assert findings("attribute", "looks_ever", looks(None), now) == [("error", "/computed/days")]
    assert findings("attribute", "looks_31", looks(31), now) == [("error", "/computed/days")]
    assert findings("attribute", "looks_7", looks(7), now) == []


def test_a_rule_that_looks_further_back_is_warned(now: datetime) -> None:
    factories.in_force("event_type", "looked", event_type("looked", 30), now=now)
    week, year = {"last": 1, "unit": "weeks"}, {"last": 1, "unit": "years"}
    rule = {"any": [{"event": "looked", "within": week}, {"event": "looked"}, {"event": "looked", "within": year}, {"event": "bought"}]}
    assert findings("segment", "lookers", factories.segment(rule=rule), now) == [
        ("warning", "/rule/any/1/within"),
        ("warning", "/rule/any/2/within"),
    ]


def test_two_types_of_one_name_and_names_of_the_ledger_are_refused(now: datetime) -> None:
    factories.put("event_type", "looked", event_type("looked", 30), now=now)
    assert findings("event_type", "looked-too", event_type("looked", 90), now) == [("error", "/name")]
    assert findings("event_type", "sent", event_type("message.sent", 90), now) == [("error", "/name")]
    counted = factories.attribute(title="Sent", type="number", computed={"event": "message.sent", "how": "count"})
    assert findings("attribute", "sent", counted, now) == [("error", "/computed/event")]
