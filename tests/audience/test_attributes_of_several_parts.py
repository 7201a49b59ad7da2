"""Objects, scores and places: taken in as given, asked by their parts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from audience import door as audience
from audience.door import ProfileRow, SegmentBody
from governance import door as governance
from governance.door import Invalid, parse
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MUNICH, STUTTGART, SYDNEY = {"lat": 48.137, "lon": 11.575}, {"lat": 48.775, "lon": 9.183}, {"lat": -33.87, "lon": 151.21}


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    fields = [{"name": "city", "type": "text"}, {"name": "since", "type": "date"}]
    for name, body in {
        "address": {"title": "Address", "type": "object", "fields": fields},
        "churn": {"title": "Churn risk", "type": "score"},
        "home": {"title": "Home", "type": "place"},
    }.items():
        factories.put("attribute", name, factories.attribute(**body), now=NOW)


def person(**attributes: Any) -> int:
    return factories.profile(now=NOW, attributes=attributes)


def body(rule: dict[str, Any]) -> SegmentBody:
    return parse(SegmentBody, factories.segment(rule=rule))


def who(rule: dict[str, Any]) -> set[int]:
    return set(audience.resolve(factories.workspace().pk, body(rule), as_of=NOW).ids)


def findings(attributes: dict[str, Any]) -> list[tuple[str, str, str]]:
    row = ProfileRow(external_id="ada", attributes=attributes)
    (rejected,) = audience.upsert(factories.workspace().pk, [row], source="tests", now=NOW).rejected
    return [(finding.path, finding.found, finding.expected) for finding in rejected.findings]


def test_an_object_is_asked_by_its_fields() -> None:
    ada, ben = person(address={"city": "Rome", "since": "2020-05-01"}), person(address={"city": "Paris"})
    assert who({"attribute": "address.city", "op": "is", "value": "ROME"}) == {ada}
    assert who({"attribute": "address.since", "op": "exists"}) == {ada}
    assert who({"attribute": "address.since", "op": "missing"}) == {ben}


def test_an_object_that_is_sent_again_replaces_the_old_one_whole() -> None:
    ada = person(address={"city": "Rome", "since": "2020-05-01"})
    found = audience.load(factories.workspace().pk, [ada])[0]
    row = ProfileRow(external_id=found.external_id, attributes={"address": {"city": "Oslo"}})
    audience.upsert(factories.workspace().pk, [row], source="tests", now=NOW)
    assert audience.load(factories.workspace().pk, [ada])[0].attributes["address"] == {"city": "Oslo"}
    assert who({"attribute": "address.since", "op": "exists"}) == set()
    audience.upsert(
        factories.workspace().pk, [ProfileRow(external_id=found.external_id, attributes={"address": None})], source="tests", now=NOW
    )
    assert who({"attribute": "address.city", "op": "exists"}) == set()


def test_a_score_that_is_too_old_is_as_good_as_none() -> None:
    fresh, stale, none = (
        person(churn={"value": 0.9, "at": "2026-03-01T00:00:00Z"}),
        person(churn={"value": 0.9, "at": "2026-01-01T00:00:00Z"}),
        person(),
    )
    high = {"attribute": "churn", "op": "gt", "value": 0.8}
    week = {"fresh": {"amount": 7, "unit": "days"}}
    assert who(high) == {fresh, stale} and who(high | week) == {fresh}
    assert who({"attribute": "churn", "op": "missing"} | week) == {stale, none}
    told = audience.explain(factories.workspace().pk, body(high | week), stale, as_of=NOW)
    assert not told.matched and told.facts == {"value": 0.9, "made": "2026-01-01T00:00:00.000000Z"}
    assert told.sentence == "whose Churn risk is more than 0.8, by a score not older than 7 days,"


def test_near_is_by_the_shortest_way_over_the_earth() -> None:
    munich, stuttgart, sydney = person(home=MUNICH), person(home=STUTTGART), person(home=SYDNEY)
    person()
    near = lambda km, spot=MUNICH: who({"attribute": "home", "op": "near", "value": spot | {"km": km}})  # noqa: E731
    assert near(1) == {munich} and near(189) == {munich} and near(192) == {munich, stuttgart}  # 190.4 km
    assert near(20_015) == {munich, stuttgart, sydney}
    assert audience.sentence(body({"attribute": "home", "op": "near", "value": MUNICH | {"km": 25}}).rule) == (
        "People whose home is within 25 km of 48.137, 11.575."
    )


def test_places_on_both_sides_of_the_date_line_are_near() -> None:
    here = person(home={"lat": 0, "lon": 179.999})
    assert who({"attribute": "home", "op": "near", "value": {"lat": 0, "lon": -179.999, "km": 1}}) == {here}


@pytest.mark.parametrize(
    ("attributes", "found", "expected"),
    [
        ({"address": "Rome"}, "text", "an object with its fields"),
        ({"address": {"town": "Rome"}}, "the part town", "an object with its fields: only city, since"),
        ({"address": {"city": 5}}, "a number", "text in city"),
        ({"address": {"city": {"name": {"deep": 1}}}}, "an object", "text in city"),
        ({"churn": 0.8}, "a number", "a score such as"),
        ({"churn": {"value": 0.8}}, "a score without its value or its moment", "a score such as"),
        ({"churn": {"value": float("nan"), "at": "2026-01-01T00:00:00Z"}}, "a number that is too large", "a number between"),
        ({"home": [48.1, 11.5]}, "a list", "a place such as"),
        ({"home": {"lat": 91, "lon": 0}}, "a number", "a latitude from -90 to 90"),
        ({"home": {"lat": "48", "lon": 0}}, "text", "a latitude from -90 to 90"),
        ({"home": {"lat": 1}}, "NoneType", "a latitude from -90 to 90"),
    ],
)
def test_what_doesnt_fit_is_named_without_its_value(attributes: dict[str, Any], found: str, expected: str) -> None:
    ((path, seen, wanted),) = findings(attributes)
    assert path == f"/attributes/{next(iter(attributes))}" and seen == found and wanted.startswith(expected)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"attribute": "address", "op": "exists"}, "/rule/attribute"),
        ({"attribute": "address.zip", "op": "exists"}, "/rule/attribute"),
        ({"attribute": "home", "op": "is", "value": "Munich"}, "/rule/op"),
        ({"attribute": "home", "op": "near", "value": MUNICH}, "/rule/value/km"),
        ({"attribute": "home", "op": "near", "value": MUNICH | {"km": 0}}, "/rule/value/km"),
        ({"attribute": "home", "op": "near", "value": "Munich"}, "/rule/value"),
        ({"attribute": "address.city", "op": "is", "value": "Rome", "fresh": {"amount": 1, "unit": "days"}}, "/rule/fresh"),
    ],
)
def test_what_cant_be_asked_is_refused_where_it_stands(rule: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        who(rule)
    assert path in [finding.path for finding in refused.value.findings]


def test_a_segment_refers_to_the_attribute_whose_field_it_asks() -> None:
    factories.put("segment", "romans", factories.segment(rule={"attribute": "address.city", "op": "is", "value": "Rome"}), now=NOW)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"type": "object"}, ""),
        ({"type": "text", "fields": [{"name": "city", "type": "text"}]}, "/fields"),
        ({"type": "object", "fields": [{"name": "a", "type": "text"}, {"name": "a", "type": "date"}]}, "/fields/1/name"),
        ({"type": "object", "fields": [{"name": "a", "type": "object"}]}, "/fields/0/type"),
        ({"type": "object", "fields": [{"name": "a.b", "type": "text"}]}, "/fields/0/name"),
    ],
)
def test_the_catalogue_refuses_what_it_couldnt_keep(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        factories.put("attribute", "thing", factories.attribute(**changes), now=NOW)
    assert path in [finding.path for finding in refused.value.findings]


def checked(kind: str, key: str) -> list[tuple[str, str]]:
    found = governance.check_latest(factories.person("ada", now=NOW), kind, key, now=NOW)
    return [(finding.level, finding.path) for finding in found]


def test_what_a_released_segment_asks_for_cant_be_taken_away() -> None:
    factories.put("segment", "romans", factories.segment(rule={"attribute": "address.city", "op": "is", "value": "Rome"}), now=NOW)
    factories.release("segment", "romans", now=NOW)
    fewer = factories.attribute(type="object", fields=[{"name": "since", "type": "date"}])
    factories.put("attribute", "address", fewer, now=NOW)
    assert ("error", "/type") in checked("attribute", "address")
    more = [{"name": name, "type": kind} for name, kind in (("city", "text"), ("since", "datetime"), ("zip", "text"))]
    factories.put("attribute", "address", factories.attribute(type="object", fields=more), now=NOW)
    assert checked("attribute", "address") == [("warning", "/type")], "nobody asks for the day"


def test_a_deprecated_attribute_answers_as_before_and_warns_who_asks_for_it() -> None:
    ada = person(home=MUNICH)
    old = factories.attribute(type="place", deprecated="Ask for “address.city” instead.")
    factories.put("attribute", "home", old, now=NOW)
    rule = {"attribute": "home", "op": "exists"}
    factories.put("segment", "homely", factories.segment(rule=rule), now=NOW)
    assert who(rule) == {ada} and ("warning", "/rule/attribute") in checked("segment", "homely")
