"""Events come late, early and in any order: what rules answer and what is computed hangs on when they happened, never on when they came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience import door as audience
from audience.door import NewEvent, SegmentBody
from audience.models import EventFeed, Profile
from governance.door import parse
from tests import factories

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
COMPUTED: dict[str, dict[str, Any]] = {
    "paid_in_all": {"how": "count"},
    "spent_30": {"how": "sum", "of": "total", "days": 30},
    "most_10": {"how": "largest", "of": "total", "days": 10},
    "first_paid": {"how": "first"},
    "last_paid": {"how": "last"},
}
RULES: list[dict[str, Any]] = [
    {"event": "paid", "op": "at_least", "count": 2, "within": {"last": 10, "unit": "days"}},
    {"event": "paid", "op": "never", "within": {"last": 5, "unit": "days"}},
    {"measure": "paid", "how": "sum", "of": "total", "op": "gte", "value": 9, "within": {"last": 20, "unit": "days"}},
    {"measure": "paid", "how": "last", "op": "in_last", "value": {"amount": 3, "unit": "days"}},
    {"sequence": [{"event": "looked"}, {"event": "paid"}], "apart": {"amount": 3, "unit": "days"}},
    {"sequence": [{"event": "looked"}, {"event": "paid"}], "op": "not_followed", "apart": {"amount": 3, "unit": "days"}},
]


def who(rule: dict[str, Any], now: datetime) -> set[int]:
    return set(audience.resolve(factories.workspace().pk, parse(SegmentBody, factories.segment(rule=rule)), as_of=now).ids)


def record(*events: NewEvent, now: datetime) -> audience.Recorded:
    return audience.record(factories.workspace().pk, events, now=now)


happened = st.tuples(st.sampled_from(["paid", "paid", "looked"]), st.integers(-1, 40 * 24), st.integers(1, 9))  # name, hours ago, total


def test_events_in_any_order_give_the_answers_of_events_in_their_order() -> None:
    for name, shape in COMPUTED.items():
        type_ = "datetime" if shape["how"] in ("first", "last") else "number"
        factories.in_force("attribute", name, factories.attribute(title=name, type=type_, computed={"event": "paid", **shape}), now=START)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(happened, min_size=1, max_size=8), st.randoms(use_true_random=False))
    def holds(story: list[tuple[str, int, int]], chance: Any) -> None:
        orderly, chaotic = factories.profile(now=START), factories.profile(now=START)
        told = sorted(story, key=lambda each: -each[1])
        of = {
            person: [
                NewEvent(f"{person}-{place}", name, person, START - timedelta(hours=ago), {"total": total})
                for place, (name, ago, total) in enumerate(told)
            ]
            for person in (orderly, chaotic)
        }
        record(*of[orderly], now=START)
        late = of[chaotic]
        chance.shuffle(late)
        while late:  # a few at a time, some of them twice, and what is computed is counted in between
            record(*late[: chance.randrange(1, 4)], now=START)
            late = late[1:]
            audience.keep_computed(now=START)
        audience.keep_computed(now=START)
        attributes = [Profile.objects.get(pk=person).attributes for person in (orderly, chaotic)]
        assert attributes[0] == attributes[1]
        for rule in RULES:
            assert len({orderly, chaotic} & who(rule, START)) != 1, rule

    holds()


def test_a_window_asks_when_something_happened_and_not_when_it_came() -> None:
    ann = factories.profile(now=START)
    record(NewEvent("e1", "paid", ann, START - 40 * DAY), now=START)
    assert who({"event": "paid", "op": "at_least", "count": 1}, START) == {ann}
    within = {"event": "paid", "op": "at_least", "count": 1, "within": {"last": 30, "unit": "days"}}
    assert who(within, START) == set() and who(within, START - 15 * DAY) == {ann}, "as of then it is true, although nobody knew it then"


def test_an_event_may_lie_an_hour_ahead_and_counts_from_its_moment_on() -> None:
    ann = factories.profile(now=START)
    found = record(
        NewEvent("e1", "paid", ann, START + timedelta(minutes=59)), NewEvent("e2", "paid", ann, START + timedelta(minutes=61)), now=START
    )
    assert (found.accepted, [each.findings[0].path for each in found.rejected]) == (1, ["/at"])
    rule = {"event": "paid", "op": "at_least", "count": 1}
    assert who(rule, START) == set() and who(rule, START + timedelta(hours=1)) == {ann}


def test_a_late_event_triggers_unless_it_is_older_than_a_year() -> None:
    ann = factories.profile(now=START)
    record(NewEvent("e1", "paid", ann, START - 364 * DAY), NewEvent("e2", "paid", ann, START - 366 * DAY), now=START)
    assert [row.event.event_id for row in EventFeed.objects.select_related("event")] == ["e1"]
    assert who({"event": "paid", "op": "exactly", "count": 2}, START) == {ann}
