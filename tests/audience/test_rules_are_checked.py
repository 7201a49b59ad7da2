"""A faulty rule is told exactly: which place, what was found, what was expected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from audience.door import Rule
from governance.door import DocumentModel, Finding, Invalid, bill, document, parse
from tests import factories
from tests.tables import over

pytestmark = pytest.mark.django_db


class Body(DocumentModel):
    rule: Rule


def findings(rule: Any) -> list[Finding]:
    with pytest.raises(Invalid) as caught:
        parse(Body, {"rule": rule})
    return list(caught.value.findings)


def told(rule: Any) -> tuple[str, str]:
    """The place and the expectation of the one finding."""
    (finding,) = findings(rule)
    return finding.path, finding.expected


def is_x(name: str = "city", value: Any = "x") -> dict[str, Any]:
    return {"attribute": name, "op": "is", "value": value}


@pytest.mark.parametrize("group", ["all", "any", "none"])
def test_an_empty_group_is_refused_because_it_would_match_everyone(group: str) -> None:
    path, expected = told({group: []})
    assert path == f"/rule/{group}" and "an empty group would match everyone" in expected


def test_an_empty_group_deep_inside_is_named_by_its_place() -> None:
    assert told({"all": [is_x(), {"any": [{"none": []}]}]})[0] == "/rule/all/1/any/0/none"


def test_more_than_500_conditions_are_refused_with_the_way_out() -> None:
    path, expected = told({"any": [is_x(value=str(number)) for number in range(501)]})
    assert path == "/rule" and "at most 500" in expected and "“in” takes a list" in expected


def test_500_conditions_are_fine() -> None:
    assert parse(Body, {"rule": {"any": [is_x(value=str(number)) for number in range(500)]}})


@pytest.mark.parametrize("depth", [11, 12, 50, 150, 900, 100_000])
def test_groups_nested_too_deep_are_refused_however_deep_they_are(depth: int) -> None:
    rule: dict[str, Any] = is_x()
    for _ in range(depth):
        rule = {"none": [rule]}
    (finding,) = findings(rule)
    assert "nest" in finding.found + finding.expected or "recursion" in finding.expected


def test_ten_groups_inside_each_other_are_fine() -> None:
    rule: dict[str, Any] = is_x()
    for _ in range(10):
        rule = {"none": [rule]}
    assert parse(Body, {"rule": rule})


def test_a_value_nested_without_end_is_refused() -> None:
    value: list[Any] = []
    for _ in range(10_000):
        value = [value]
    for rule in (is_x(value=value), {"attribute": value, "op": "is", "value": "x"}, value):
        assert findings(rule)


def test_a_list_of_70_000_values_is_refused() -> None:
    path, expected = told({"attribute": "city", "op": "in", "value": [str(number) for number in range(70_000)]})
    assert path == "/rule/value" and "10,000" in expected


def test_lists_are_bounded_together_too() -> None:
    wide = {"attribute": "city", "op": "in", "value": [str(number) for number in range(10_000)]}
    assert "50,000" in told({"any": [wide] * 6})[1]


def test_regular_expressions_do_not_exist() -> None:
    assert told({"attribute": "city", "op": "regex", "value": "(a+)+$"})[0] == "/rule/op"


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"attribute": "n", "op": "is"}, "/rule"),
        ({"attribute": "n", "op": "is", "value": None}, "/rule/value"),
        ({"attribute": "n", "op": "is", "value": ["a"]}, "/rule/value"),
        ({"attribute": "n", "op": "is", "value": {"a": 1}}, "/rule/value"),
        ({"attribute": "n", "op": "is", "value": ""}, "/rule/value"),
        ({"attribute": "n", "op": "is", "value": "x" * 501}, "/rule/value"),
        ({"attribute": "n", "op": "is", "value": "a\x00b"}, "/rule/value"),
        ({"attribute": "n", "op": "is", "value": 2**53 + 1}, "/rule/value"),
        ({"attribute": "n", "op": "is", "value": -1e300}, "/rule/value"),
        ({"attribute": "n", "op": "in", "value": []}, "/rule/value"),
        ({"attribute": "n", "op": "in", "value": "a"}, "/rule/value"),
        ({"attribute": "n", "op": "in", "value": ["a", None]}, "/rule/value/1"),
        ({"attribute": "n", "op": "gt", "value": "5"}, "/rule/value"),
        ({"attribute": "n", "op": "gt", "value": True}, "/rule/value"),
        ({"attribute": "n", "op": "contains", "value": 5}, "/rule/value"),
        ({"attribute": "n", "op": "between", "value": [1]}, "/rule/value"),
        ({"attribute": "n", "op": "between", "value": [2, 1]}, "/rule/value"),
        ({"attribute": "n", "op": "between", "value": [1, "2026-01-01"]}, "/rule/value"),
        ({"attribute": "n", "op": "between", "value": ["2026-01-01", "2026-01-02T00:00:00Z"]}, "/rule/value"),
        ({"attribute": "n", "op": "before", "value": "2026-02-30"}, "/rule/value"),
        ({"attribute": "n", "op": "before", "value": "yesterday"}, "/rule/value"),
        ({"attribute": "n", "op": "before", "value": "2026-01-01T10:00:00"}, "/rule/value"),
        ({"attribute": "n", "op": "before", "value": "0001-01-01T00:00:00+14:00"}, "/rule/value"),
        ({"attribute": "n", "op": "before", "value": "2026-W01-1"}, "/rule/value"),
        ({"attribute": "n", "op": "in_last", "value": {"amount": 0, "unit": "days"}}, "/rule/value/amount"),
        ({"attribute": "n", "op": "in_last", "value": {"amount": 3, "unit": "fortnights"}}, "/rule/value/unit"),
        ({"attribute": "n", "op": "in_last", "value": 3}, "/rule/value"),
        ({"attribute": "n", "op": "exists", "value": True}, "/rule/value"),
        ({"attribute": "n", "op": "is", "value": "x", "boost": 2}, "/rule/boost"),
        ({"attribute": "", "op": "exists"}, "/rule/attribute"),
        ({"profile": "shoe_size", "op": "is", "value": "x"}, "/rule/profile"),
        ({"event": "buy", "op": "never", "count": 1}, "/rule/count"),
        ({"event": "buy", "op": "at_most"}, "/rule"),
        ({"event": "buy", "count": 0}, "/rule/count"),
        ({"event": "buy", "count": -1}, "/rule/count"),
        ({"event": "buy", "count": 1.5}, "/rule/count"),
        ({"event": "buy", "within": {"last": 0, "unit": "days"}}, "/rule/within/last"),
        ({"event": "buy", "where": [{"property": "total", "op": "before", "value": "2026-01-01"}]}, "/rule/where/0/op"),
        ({"consent": {"channel": "email"}}, "/rule/consent/topic"),
        ({"reachable": "pigeon"}, "/rule/reachable"),
        ({"everyone": False}, "/rule/everyone"),
        ({"all": [{"everyone": True}], "any": [{"everyone": True}]}, "/rule"),
        ({"field": "city"}, "/rule"),
        ([], "/rule"),
        ("everyone", "/rule"),
        (None, "/rule"),
        ({"any": [{"trigger": {"property": "city", "op": "is", "value": "Rome"}}]}, "/rule/any/0/trigger"),
    ],
)
def test_a_wrong_value_is_found_at_its_place(condition: Any, place: str) -> None:
    assert [finding.path for finding in findings(condition)] == [place]


def test_every_fault_is_told_at_once() -> None:
    rule = {"all": [{"attribute": "n", "op": "gt", "value": "a"}, {"any": []}, {"event": "buy", "count": -1}]}
    assert [finding.path for finding in findings(rule)] == ["/rule/all/0/value", "/rule/all/1/any", "/rule/all/2/count"]


def test_a_rule_comes_back_as_it_was_written() -> None:
    rule = {
        "all": [
            {"attribute": "n", "op": "exists"},
            {"event": "buy"},
            {"attribute": "d", "op": "in_last", "value": {"amount": 3, "unit": "days"}},
        ]
    }
    assert parse(Body, {"rule": rule}).model_dump() == {"rule": rule}


# ── against the catalogue and other segments ──────────────────────────────────────────────────────────────────────


@pytest.fixture
def catalogue(now: datetime) -> None:
    for name, kind in {"tier": "text", "spent": "number", "born": "date", "seen": "datetime", "vip": "boolean", "tags": "list"}.items():
        factories.put("attribute", name, factories.attribute(type=kind), now=now)


def saved(rule: Any, now: datetime, key: str = "some") -> list[tuple[str, str]]:
    """Save a segment with this rule; the places and expectations of what its checks found."""
    factories.put("segment", key, factories.segment(rule=rule), now=now)
    found = document(factories.workspace().pk, "segment", key).latest.findings
    return [(finding.path, finding.expected) for finding in found]


def test_an_unknown_attribute_comes_with_the_nearest_names(catalogue: None, now: datetime) -> None:
    found = saved(is_x("teir"), now)
    assert ("/rule/attribute", "an attribute of the catalogue, perhaps tier") in found


@over(
    ("condition", "place"),
    [
        ({"attribute": "tier", "op": "gt", "value": 3}, "/rule/op"),
        ({"attribute": "tier", "op": "is", "value": 3}, "/rule/value"),
        ({"attribute": "spent", "op": "is", "value": "3"}, "/rule/value"),
        ({"attribute": "spent", "op": "in", "value": [3, True]}, "/rule/value/1"),
        ({"attribute": "spent", "op": "contains", "value": "3"}, "/rule/op"),
        ({"attribute": "spent", "op": "between", "value": ["2026-01-01", "2026-01-02"]}, "/rule/value/0"),
        ({"attribute": "vip", "op": "is", "value": 1}, "/rule/value"),
        ({"attribute": "born", "op": "before", "value": "2026-01-01T00:00:00Z"}, "/rule/value"),
        ({"attribute": "born", "op": "in_last", "value": {"amount": 3, "unit": "hours"}}, "/rule/value/unit"),
        ({"attribute": "seen", "op": "is", "value": "2026-01-01"}, "/rule/op"),
        ({"attribute": "tags", "op": "is", "value": "a"}, "/rule/op"),
        ({"profile": "country", "op": "is", "value": "Germany"}, "/rule/value"),
        ({"profile": "zone", "op": "in", "value": ["Europe/Berlin", "Mars/Olympus"]}, "/rule/value/1"),
        ({"profile": "country", "op": "contains", "value": "D"}, "/rule/op"),
        ({"event": "buy", "where": [{"property": "total", "op": "in", "value": [1, "a"]}]}, "/rule/where/0/value"),
    ],
)
def test_what_does_not_fit_the_attribute_s_type_is_found(condition: Any, place: str, catalogue: None, now: datetime) -> None:
    assert [path for path, _ in saved(condition, now)] == [place]


def test_a_rule_that_fits_has_no_findings(catalogue: None, now: datetime) -> None:
    assert saved({"all": [is_x("tier"), {"attribute": "seen", "op": "after", "value": "2026-01-01"}]}, now) == []


def test_a_segment_that_does_not_exist_is_found(now: datetime) -> None:
    assert [path for path, _ in saved({"all": [{"segment": "nowhere"}]}, now)] == ["/rule/all/0/segment"]


def test_segments_that_lead_back_to_themselves_are_refused(now: datetime) -> None:
    factories.put("segment", "b", factories.segment(), now=now)
    factories.put("segment", "a", factories.segment(rule={"segment": "b"}), now=now)
    with pytest.raises(Invalid, match="segment a → segment b|segment b → segment a"):
        saved({"any": [{"segment": "a"}]}, now, key="b")


def test_a_segment_names_what_it_uses(catalogue: None, now: datetime) -> None:
    factories.put("segment", "b", factories.segment(rule=is_x("tier")), now=now)
    factories.put("segment", "a", factories.segment(rule={"all": [{"segment": "b"}, {"attribute": "spent", "op": "exists"}]}), now=now)
    items = bill(factories.workspace().pk, "segment", "a", of="draft").items
    assert [(item.kind, item.key) for item in items] == [("attribute", "spent"), ("attribute", "tier"), ("segment", "a"), ("segment", "b")]
