"""Attributes computed from events: whatever came in whatever order, what is kept is what a recount finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience import door as audience
from audience.door import NewEvent, ProfileRow, SegmentBody
from audience.models import ComputedSeed, Event, Profile, ProfileFeed, Recount
from governance import door as governance
from governance.door import Invalid, parse
from tests import factories

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT_MORE = {"property": "x", "op": "gt", "value": "1"}
SHAPES: dict[str, dict[str, Any]] = {
    "buys": {"how": "count"},
    "buys_30": {"how": "count", "days": 30},
    "spent_30": {"how": "sum", "of": "total", "days": 30},
    "mean_10": {"how": "average", "of": "total", "days": 10},
    "least": {"how": "smallest", "of": "total"},
    "most_10": {"how": "largest", "of": "total", "days": 10},
    "first_buy": {"how": "first"},
    "last_big": {"how": "last", "days": 20, "where": [{"property": "total", "op": "gt", "value": 5}]},
}


def computed(name: str, now: datetime = START) -> None:
    shape = SHAPES[name]
    type_ = "datetime" if shape["how"] in ("first", "last") else "number"
    factories.in_force("attribute", name, factories.attribute(title=name, type=type_, computed={"event": "paid", **shape}), now=now)


def kept(person: int) -> dict[str, Any]:
    row = Profile.objects.get(pk=person)
    assert row.attributes == row.folded
    return row.attributes


def recounted(person: int, now: datetime) -> dict[str, Any]:
    """In plain Python from all events there are."""
    found: dict[str, Any] = {}
    for name, shape in SHAPES.items():
        rows = [row for row in Event.objects.filter(profile_id=person, name="paid") if row.at <= now]
        if shape.get("days"):
            rows = [row for row in rows if row.at >= now - timedelta(days=shape["days"])]
        if shape.get("where"):
            rows = [row for row in rows if isinstance(row.properties.get("total"), int | float) and row.properties["total"] > 5]
        if shape.get("of"):
            rows = [row for row in rows if isinstance(row.properties.get("total"), int | float)]
        if not rows:
            continue
        numbers, moments = [row.properties.get("total") for row in rows], sorted(row.at for row in rows)
        found[name] = {
            "count": lambda numbers=numbers: len(numbers),
            "sum": lambda numbers=numbers: sum(numbers),
            "average": lambda numbers=numbers: sum(numbers) / len(numbers),
            "smallest": lambda numbers=numbers: min(numbers),
            "largest": lambda numbers=numbers: max(numbers),
            "first": lambda moments=moments: f"{moments[0]:%Y-%m-%dT%H:%M:%S.%fZ}",
            "last": lambda moments=moments: f"{moments[-1]:%Y-%m-%dT%H:%M:%S.%fZ}",
        }[shape["how"]]()
    return found


happening = st.tuples(
    st.integers(0, 2),  # whose
    st.floats(-0.03, 40).map(lambda days: round(days * 4) / 4 if days > 0 else days),  # so many days before now; some lie ahead
    st.sampled_from([1, 2, 5, 6, 10, None, "7"]),
)
steps = st.lists(st.one_of(st.lists(happening, min_size=1, max_size=6), st.sampled_from([0.001, 1, 9, 10, 25])), max_size=8)


def test_what_is_kept_is_what_a_recount_finds() -> None:
    for name in SHAPES:
        computed(name)

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps)
    def holds(story: list[Any]) -> None:
        now, people, told = START, [factories.profile(now=START) for _ in range(3)], 0
        for step in story:
            if isinstance(step, list):
                events = [
                    NewEvent(f"{people[0]}-{told + place}", "paid", people[whose], now - timedelta(days=ago), {"total": total})
                    for place, (whose, ago, total) in enumerate(step)
                ]
                told += len(events)
                audience.record(factories.workspace().pk, [*events, events[0]], now=now)
            else:
                now += timedelta(days=step)
            audience.keep_computed(now=now)
            for person in people:
                assert kept(person) == recounted(person, now), step

    holds()


def paid(person: int, *ago: float, now: datetime, total: Any = 10) -> None:
    events = [NewEvent(f"{person}-{now}-{days}", "paid", person, now - timedelta(days=days), {"total": total}) for days in ago]
    audience.record(factories.workspace().pk, events, now=now)


def test_events_of_before_its_release_count_too() -> None:
    ada, ben = factories.profile(now=START), factories.profile(now=START)
    paid(ada, 1, 2, 40, now=START)
    assert not Recount.objects.exists()
    computed("buys")
    computed("buys_30")
    audience.keep_computed(now=START)
    assert kept(ada) == {"buys": 3, "buys_30": 2} and kept(ben) == {}


def test_an_event_whose_transaction_began_before_the_release_is_found_minutes_later() -> None:
    ada = factories.profile(now=START)
    computed("buys")
    audience.keep_computed(now=START)
    at = {"at": START, "received_at": START}
    Event.objects.create(workspace=factories.workspace(), event_id="late", profile_id=ada, name="paid", **at)
    audience.keep_computed(now=START + timedelta(minutes=1))
    assert kept(ada) == {}
    audience.keep_computed(now=START + timedelta(minutes=6))
    assert kept(ada) == {"buys": 1}


def test_rules_ask_for_it_like_for_any_attribute_and_the_index_hears_of_it() -> None:
    ada = factories.profile(now=START)
    computed("spent_30")
    audience.keep_computed(now=START)
    ProfileFeed.objects.all().delete()
    paid(ada, 1, 2, now=START, total=0.1)
    assert audience.recounts_waiting(factories.workspace().pk, now=START + timedelta(seconds=3)) == (1, 3.0)
    audience.keep_computed(now=START)
    rule = parse(SegmentBody, factories.segment(rule={"attribute": "spent_30", "op": "between", "value": [0.2, 0.2]}))
    assert set(audience.resolve(factories.workspace().pk, rule, as_of=START).ids) == {ada}
    assert [row.profile_id for row in ProfileFeed.objects.all()] == [ada]
    audience.keep_computed(now=START)
    assert ProfileFeed.objects.count() == 1, "nothing changed"


def test_a_changed_definition_counts_everybody_anew_and_one_that_is_gone_is_cleared() -> None:
    ada = factories.profile(now=START)
    paid(ada, 1, 15, now=START)
    computed("buys")
    audience.keep_computed(now=START)
    factories.in_force(
        "attribute", "buys", factories.attribute(type="number", computed={"event": "paid", "how": "count", "days": 10}), now=START
    )
    audience.keep_computed(now=START)
    assert kept(ada) == {"buys": 1}
    factories.in_force("attribute", "buys", factories.attribute(type="number"), now=START)
    audience.keep_computed(now=START)
    assert kept(ada) == {} and not Recount.objects.exists() and not ComputedSeed.objects.exists()


def test_nobody_else_may_say_what_is_computed() -> None:
    computed("buys")
    row = ProfileRow(external_id="ada", attributes={"buys": 5})
    (rejected,) = audience.upsert(factories.workspace().pk, [row], source="tests", now=START).rejected
    assert [(one.path, one.expected) for one in rejected.findings] == [("/attributes/buys", "none: it is computed from events")]


def test_who_is_forgotten_is_not_counted() -> None:
    ada = factories.profile(now=START)
    computed("buys")
    audience.keep_computed(now=START)
    paid(ada, 1, now=START)
    audience.erase(factories.person("ada", now=START), audience.load(factories.workspace().pk, [ada])[0].external_id, now=START)
    assert not Recount.objects.exists()
    audience.keep_computed(now=START)
    assert kept(ada) == {}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"type": "text", "computed": {"event": "paid", "how": "count"}}, "/type"),
        ({"type": "number", "computed": {"event": "paid", "how": "first"}}, "/type"),
        ({"type": "number", "computed": {"event": "paid", "how": "sum"}}, "/computed/of"),
        ({"type": "number", "computed": {"event": "paid", "how": "count", "of": "total"}}, "/computed/of"),
        ({"type": "number", "computed": {"event": "paid", "how": "count", "days": 0}}, "/computed/days"),
        ({"type": "number", "computed": {"event": "paid", "how": "median"}}, "/computed/how"),
        ({"type": "number", "computed": {"event": "paid", "how": "count", "where": [TEXT_MORE]}}, "/computed/where/0/value"),
    ],
)
def test_what_cant_be_computed_is_refused_where_it_stands(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        factories.put("attribute", "thing", factories.attribute(**changes), now=START)
    paths = [finding.path for finding in refused.value.findings]
    assert path in paths or path.removesuffix("/of") in paths
    assert governance.documents(factories.workspace().pk, "attribute") == []
