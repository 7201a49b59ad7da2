"""Sums, averages, extremes and firsts of what people did; and shares of everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audience import door as audience
from audience.documents import SegmentBody
from audience.explain import explain
from audience.shares import place_of
from governance.door import Invalid, parse
from tests import factories
from tests.audience.world import NOW

pytestmark = pytest.mark.django_db


def body(rule: dict[str, Any]) -> SegmentBody:
    return parse(SegmentBody, {"title": "Somebody", "rule": rule})


def among(rule: dict[str, Any], ids: list[int]) -> list[int]:
    return sorted(audience.matching(factories.workspace().pk, rule, ids, as_of=NOW))


def bought(*totals: Any, days_ago: int = 1, name: str = "purchase") -> int:
    """Somebody who bought for so much, each a day earlier than the one before."""
    person = factories.profile(now=NOW)
    events = [
        audience.NewEvent(f"{person}-{n}", name, person, NOW - timedelta(days=days_ago + n), {} if total is None else {"total": total})
        for n, total in enumerate(totals)
    ]
    assert audience.record(factories.workspace().pk, events, now=NOW).accepted == len(events)
    return person


def measure(how: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    of = {} if how in ("first", "last") else {"of": "total"}
    return {"measure": "purchase", "how": how, "op": op, "value": value, **of, **more}


def test_sums_are_those_of_the_decimals_that_were_written() -> None:
    dime = bought(0.1, 0.2)  # as binary fractions: 0.30000000000000004
    cents = bought(*[0.01] * 30)
    people = [dime, cents]
    assert among(measure("sum", "gte", 0.3), people) == people and among(measure("sum", "lte", 0.3), people) == people
    assert among(measure("sum", "gt", 0.3), people) == [] and among(measure("sum", "lt", 0.3), people) == []


def test_a_sum_of_more_digits_than_usual_is_not_rounded() -> None:
    person = bought(2**53, 1e-13, -(2**53))
    assert among(measure("sum", "between", [1e-13, 1e-13]), [person]) == [person]


def test_an_average_is_compared_without_being_rounded() -> None:
    thirds = bought(1, 0, 0)
    assert among(measure("average", "gt", 0.3333333333333333), [thirds]) == [thirds]
    assert among(measure("average", "lt", 0.33333333333333337), [thirds]) == [thirds]


def test_whoever_has_no_such_number_has_no_sum_of_nothing() -> None:
    people = [bought(), bought(None), bought("12"), bought(True), bought(12, name="visit")]
    for how in ("sum", "average", "smallest", "largest"):
        for op in ("lt", "gte"):
            assert among(measure(how, op, 0 if op == "gte" else 100), people) == [], (how, op)
    assert among({"none": [measure("sum", "gt", 0)]}, people) == people


def test_what_isnt_a_number_is_passed_over_and_the_rest_counts() -> None:
    mixed = bought(5, "7", None, 9)
    assert among(measure("sum", "between", [14, 14]), [mixed]) == [mixed]
    assert among(measure("smallest", "lt", 6), [mixed]) == [mixed] and among(measure("largest", "gt", 8.9), [mixed]) == [mixed]


def test_only_the_window_and_what_passes_are_taken() -> None:
    person = bought(10, 20, 40)  # one, two and three days ago
    assert among(measure("sum", "between", [30, 30], within={"last": 2, "unit": "days"}), [person]) == [person]
    large = [{"property": "total", "op": "gt", "value": 15}]
    assert among(measure("sum", "between", [60, 60], where=large), [person]) == [person]


def test_first_and_last_are_about_when() -> None:
    new, old, back = bought(1, days_ago=3), bought(1, days_ago=90), bought(1, *[None] * 50)
    people = [new, old, back]
    week = {"amount": 7, "unit": "days"}
    assert among(measure("first", "in_last", week), people) == [new]
    assert among(measure("last", "in_last", week), people) == [new, back]
    assert among(measure("last", "more_than_ago", {"amount": 30, "unit": "days"}), people) == [old]
    assert among(measure("first", "before", "2026-01-01"), people) == [old]


def test_it_is_explained_with_what_was_found() -> None:
    person = bought(10, 20)
    told = explain(factories.workspace().pk, body(measure("sum", "gte", 25)), person, as_of=NOW)
    assert told.matched and told.node == "measure" and told.facts["times"] == 2
    assert told.sentence == "whose total total of all “purchase” is at least 25"


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        ({"measure": "purchase", "how": "sum", "op": "gt", "value": 1}, "/rule", "the property that is meant"),
        ({"measure": "purchase", "how": "first", "of": "total", "op": "after", "value": "2026-01-01"}, "/rule/of", "no property"),
        ({"measure": "purchase", "how": "median", "of": "total", "op": "gt", "value": 1}, "/rule/how", "'sum'"),
        ({"measure": "purchase", "how": "sum", "of": "total", "op": "gt", "value": "much"}, "/rule/value", "a number"),
        ({"share": {"percent": 0, "salt": "a"}}, "/rule/share/percent", "more than 0"),
        ({"share": {"percent": 12.34567, "salt": "a"}}, "/rule/share/percent", "four digits"),
        ({"share": {"percent": 10}}, "/rule/share/salt", ""),
    ],
)
def test_a_faulty_one_is_named_at_its_place(rule: dict[str, Any], path: str, expected: str) -> None:
    with pytest.raises(Invalid) as refused:
        body(rule)
    assert [finding.path for finding in refused.value.findings] == [path] and expected in refused.value.findings[0].expected


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (measure("sum", "in_last", {"amount": 1, "unit": "days"}), "/rule/op"),
        (measure("first", "gt", 3), "/rule/op"),
        ({"attribute": "born", "op": "anniversary", "value": {"amount": 3, "unit": "hours"}}, "/rule/value/unit"),
    ],
)
def test_what_doesnt_fit_its_type_is_refused_when_it_is_asked(rule: dict[str, Any], path: str) -> None:
    factories.put("attribute", "born", factories.attribute(title="Born", type="date"), now=NOW)
    with pytest.raises(Invalid) as refused:
        audience.matching(factories.workspace().pk, rule, [1], as_of=NOW)
    assert [finding.path for finding in refused.value.findings] == [path]


# ── shares ────────────────────────────────────────────────────────────────────────────────────────────────────────


def share(percent: float, salt: str = "spring") -> dict[str, Any]:
    return {"share": {"percent": percent, "salt": salt}}


def test_a_share_is_always_the_same_people_and_a_larger_one_holds_it() -> None:
    ids = factories.profiles(2_000, now=NOW)
    tenth, half = among(share(10), ids), among(share(50), ids)
    assert tenth == among(share(10), ids) and set(tenth) < set(half)
    assert set(tenth) == {person for person in ids if place_of(person, "spring") < 100_000}
    assert 150 < len(tenth) < 250 and 900 < len(half) < 1_100


def test_shares_of_two_salts_overlap_as_chance_has_it() -> None:
    numbers = range(1, 100_001)
    drawn = {salt: {n for n in numbers if place_of(n, salt) < 200_000} for salt in ("a", "b", "c", "spring", "autumn")}
    for one, first in drawn.items():
        assert 19_000 < len(first) < 21_000, one
        for other, second in drawn.items():
            assert one == other or 3_600 < len(first & second) < 4_400, (one, other)


# ── days of the year and lists ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "born", "matches"),
    [
        (None, "1990-03-02", True),
        (None, "1990-03-03", False),
        ({"amount": 1, "unit": "days"}, "1990-03-03", True),
        ({"amount": 1, "unit": "days"}, "1990-03-01", False),
        ({"amount": 10, "unit": "months"}, "2001-01-02", True),
        ({"amount": 10, "unit": "months"}, "2001-01-03", False),
        ({"amount": 5, "unit": "years"}, "2000-02-29", True),
    ],
)
def test_a_birthday_is_found_whatever_the_year(value: Any, born: str, matches: bool) -> None:
    factories.put("attribute", "born", factories.attribute(title="Born", type="date"), now=NOW)
    person = factories.profile(now=NOW, attributes={"born": born})
    rule = {"attribute": "born", "op": "anniversary"} | ({} if value is None else {"value": value})
    assert among(rule, [person]) == ([person] if matches else [])


def test_the_29th_of_february_is_the_28th_where_there_is_none() -> None:
    factories.put("attribute", "born", factories.attribute(title="Born", type="date"), now=NOW)
    leap, eve = (factories.profile(now=NOW, attributes={"born": born}) for born in ("2000-02-29", "2001-02-28"))
    rule, home = {"attribute": "born", "op": "anniversary"}, factories.workspace().pk
    for day, expected in (((2026, 2, 28), [leap, eve]), ((2028, 2, 28), [eve]), ((2028, 2, 29), [leap]), ((2026, 3, 1), [])):
        moment = NOW.replace(year=day[0], month=day[1], day=day[2])
        assert sorted(audience.matching(home, rule, [leap, eve], as_of=moment)) == expected, day


def test_a_list_has_all_of_them_or_not() -> None:
    factories.put("attribute", "tags", factories.attribute(title="Tags", type="list"), now=NOW)
    both, one, none = (factories.profile(now=NOW, attributes={"tags": tags}) for tags in (["Beach", "city"], ["beach"], []))
    assert among({"attribute": "tags", "op": "has_all", "value": ["BEACH", "City"]}, [both, one, none]) == [both]
    assert among({"attribute": "tags", "op": "has_all", "value": ["beach"]}, [both, one, none]) == [both, one]
