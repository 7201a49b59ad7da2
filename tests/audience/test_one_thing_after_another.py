"""Who did one thing and then another, or not, and in whose days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audience import door as audience
from audience.door import NewEvent, SegmentBody
from governance.door import Invalid, parse
from tests import factories

pytestmark = pytest.mark.django_db
DAYS = {"amount": 3, "unit": "days"}
MIXED = {"property": "x", "op": "in", "value": [1, "a"]}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def body(rule: dict[str, Any]) -> SegmentBody:
    return parse(SegmentBody, factories.segment(rule=rule))


def among(rule: dict[str, Any], people: list[int], as_of: datetime) -> list[int]:
    found = audience.resolve(factories.workspace().pk, body(rule), as_of=as_of).ids
    return [person for person in people if person in found]


def did(now: datetime, *what: tuple[str, float], **properties: Any) -> int:
    """Somebody who did these things so many days ago."""
    person = factories.profile(now=now - timedelta(days=400))
    events = [NewEvent(f"{person}-{place}", name, person, now - timedelta(days=ago), properties) for place, (name, ago) in enumerate(what)]
    assert audience.record(factories.workspace().pk, events, now=now).accepted == len(what)
    return person


def after(*names: str, **more: Any) -> dict[str, Any]:
    return {"sequence": [{"event": name} for name in names], "apart": DAYS} | more


def test_the_second_must_come_after_the_first_and_soon_enough(now: datetime) -> None:
    soon, late = did(now, ("cart", 10), ("paid", 7)), did(now, ("cart", 10), ("paid", 6.9))
    before, together = did(now, ("paid", 10), ("cart", 9)), did(now, ("cart", 5), ("paid", 5))
    people = [soon, late, before, together]
    assert among(after("cart", "paid"), people, now) == [soon]
    assert among({"none": [after("cart", "paid")]}, people, now) == [late, before, together]


def test_any_of_the_first_may_begin_it(now: datetime) -> None:
    person = did(now, ("cart", 40), ("cart", 10), ("paid", 9))
    assert among(after("cart", "paid"), [person], now) == [person]
    assert among(after("cart", "paid", within={"last": 8, "unit": "days"}), [person], now) == []


def test_the_last_one_stayed_away_only_once_its_time_is_over(now: datetime) -> None:
    left, bought, fresh = did(now, ("cart", 5)), did(now, ("cart", 5), ("paid", 4)), did(now, ("cart", 1))
    both = did(now, ("cart", 20), ("cart", 5), ("paid", 4))
    people = [left, bought, fresh, both]
    assert among(after("cart", "paid", op="not_followed"), people, now) == [left, both]
    assert among(after("cart", "paid", op="not_followed", within={"last": 9, "unit": "days"}), people, now) == [left]
    assert among(after("cart", "paid", op="not_followed"), people, now + timedelta(days=3)) == [left, fresh, both]


def test_three_steps_are_each_near_the_one_before(now: datetime) -> None:
    person, gap = did(now, ("a", 10), ("b", 8), ("c", 6)), did(now, ("a", 10), ("b", 8), ("c", 2))
    assert among(after("a", "b", "c"), [person, gap], now) == [person]
    assert among(after("a", "b", "c", op="not_followed"), [person, gap], now) == [gap]
    assert among(after("a", "a"), [person], now) == []


def test_a_step_may_ask_what_is_in_its_event(now: datetime) -> None:
    person = did(now, ("cart", 3), ("paid", 2), plan="gold")
    rule = after("cart", "paid")
    rule["sequence"][1]["where"] = [{"property": "plan", "op": "is", "value": "Gold"}]
    assert among(rule, [person], now) == [person]
    rule["sequence"][1]["where"] = [{"property": "plan", "op": "is", "value": "silver"}]
    assert among(rule, [person], now) == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"sequence": [{"event": "cart"}]}, "/rule/sequence"),
        ({"sequence": [{"event": "e"}] * 6}, "/rule/sequence"),
        ({"apart": {"amount": 53, "unit": "weeks"}}, "/rule/apart/amount"),
        ({"apart": {"amount": 3, "unit": "months"}}, "/rule/apart/unit"),
        ({"sequence": [{"event": "a"}, {"event": "b", "where": [MIXED]}]}, "/rule/sequence/1/where/0/value"),
    ],
)  # fmt: skip
def test_what_cant_be_asked_is_refused_where_it_stands(changes: dict[str, Any], where: str, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        among(after("cart", "paid") | changes, [], now)
    assert where in [finding.path for finding in refused.value.findings]


def test_it_is_said_in_a_sentence() -> None:
    said = lambda **more: audience.sentence(body(after("cart", "paid", **more)).rule)  # noqa: E731
    assert said() == "People who did “cart” and then “paid”, within 3 days."
    window = {"last": 30, "unit": "days"}
    assert said(op="not_followed", within=window) == "People who did “cart” in the last 30 days and then not “paid” within 3 days."
    three = audience.sentence(body(after("a", "b", "c", op="not_followed")).rule)
    assert three == "People who did “a”, then “b”, within 3 days of each other, and then not “c” within 3 days."


def born(day: str, zone: str | None) -> int:
    return factories.profile(attributes={"born": day}, zone=zone, now=NOW)


def test_whose_birthday_it_is_hangs_on_their_own_calendar() -> None:
    factories.put("attribute", "born", factories.attribute(type="date"), now=NOW)
    at = datetime.fromisoformat("2026-03-01T23:30:00+00:00")
    tokyo, rome, nobody = (born("1990-03-02", zone) for zone in ("Asia/Tokyo", "Europe/Rome", None))
    honolulu, late = born("1990-03-01", "Pacific/Honolulu"), born("1990-03-01", "Asia/Tokyo")
    people = [tokyo, rome, nobody, honolulu, late]
    today = {"attribute": "born", "op": "anniversary"}
    assert among(today, people, at) == [honolulu, late]
    assert among(today | {"zone": "own"}, people, at) == [tokyo, rome, honolulu]
    told = audience.explain(factories.workspace().pk, body(today | {"zone": "own"}), tokyo, as_of=at)
    assert told.matched and told.facts == {"value": "1990-03-02", "zone": "Asia/Tokyo"}
    assert audience.sentence(body(today | {"zone": "own"}).rule).endswith("comes round today (by the day in their own time zone).")


def test_a_day_begins_at_their_midnight_even_where_clocks_change() -> None:
    factories.put("attribute", "seen", factories.attribute(type="datetime"), now=NOW)
    at = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
    # Midnight of 6 September 2026 doesn't exist in Santiago: the day begins at one o'clock, 04:00 in UTC.
    early, first = (
        factories.profile(attributes={"seen": f"2026-09-06T{time}Z"}, zone="America/Santiago", now=NOW) for time in ("03:59:59", "04:00:00")
    )
    assert among({"attribute": "seen", "op": "before", "value": "2026-09-06", "zone": "own"}, [early, first], at) == [early]
    assert among({"attribute": "seen", "op": "before", "value": "2026-09-06"}, [early, first], at) == []


@pytest.mark.parametrize(
    "test",
    [
        {"attribute": "born", "op": "before", "value": "2026-01-01"},
        {"attribute": "seen", "op": "in_last", "value": DAYS},
        {"attribute": "seen", "op": "before", "value": "2026-01-01T00:00:00Z"},
        {"attribute": "born", "op": "exists"},
        {"profile": "country", "op": "is", "value": "GB"},
    ],
)
def test_where_no_zone_makes_a_difference_it_is_refused(test: dict[str, Any], now: datetime) -> None:
    factories.put("attribute", "born", factories.attribute(type="date"), now=NOW)
    factories.put("attribute", "seen", factories.attribute(type="datetime"), now=NOW)
    with pytest.raises(Invalid) as refused:
        among(test | {"zone": "own"}, [], now)
    assert [finding.path for finding in refused.value.findings] == ["/rule/zone"]
