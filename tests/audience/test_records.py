"""Records beside people: they come in, are asked for in rules, are read back, and leave with whoever is forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience import door as audience
from audience import rule_forms
from audience.models import ProfileFeed, Record, Relation
from audience.names import names_of
from audience.record_rows import RecordRow
from audience.record_upsert import upsert_records
from audience.records import give_records
from audience.rule_words import record_noun
from audience.rules.nodes import read_node
from audience.telling import everything_of
from governance import door as governance
from governance.door import Invalid
from tests import factories
from tests.audience.conftest import Api
from tests.audience.statements import noting
from tests.tables import over
from tests.together import together

ROME = {"external_id": "b-1", "attributes": {"city": "Rome", "nights": 3, "arrival": "2026-04-01"}}
STAYS = {"record": "booking", "role": "guest", "where": [{"field": "city", "op": "is", "value": "ROME"}]}


@pytest.fixture
def api(api: Api, now: datetime) -> Api:
    """Of a workspace with Ada and Bob, and bookings."""
    api.call("POST", "profiles", {"profiles": [{"external_id": "ada"}, {"external_id": "bob"}]})
    factories.put("record_type", "booking", factories.record_type(), now=now)
    ProfileFeed.objects.all().delete()
    return api


def send(api: Api, *records: Any, people: str = "replace", type: str = "booking") -> tuple[int, Any]:
    return api.call("POST", f"records/{type}", {"records": list(records), "people": people})


def related(*people: str, role: str = "guest", **changes: Any) -> dict[str, Any]:
    return {**ROME, "people": [{"external_id": each, "role": role} for each in people], **changes}


def statements_of(act: Callable[[], object]) -> list[str]:
    asked: list[str] = []
    with connection.execute_wrapper(noting(asked)):
        act()
    return asked


def counts(**said: int) -> dict[str, Any]:
    return {**dict.fromkeys(("created", "updated", "unchanged", "related", "unrelated"), 0), "rejected": [], **said}


def in_segment(rule: dict[str, Any], now: datetime) -> set[str]:
    home = governance.default_workspace().pk
    segment = governance.parse(audience.SegmentBody, {"title": "Some", "rule": rule})
    return {person.external_id for person in audience.load(home, audience.resolve(home, segment, as_of=now).ids)}


# ── in and out ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_booking_comes_in_with_its_people_and_is_read_back(api: Api) -> None:
    assert send(api, related("ada", "bob")) == (200, counts(created=1, related=2))
    status, booking = api.call("GET", "records/booking/b-1")
    assert status == 200 and booking["attributes"] == ROME["attributes"]
    assert booking["people"] == [{"external_id": "ada", "role": "guest"}, {"external_id": "bob", "role": "guest"}]
    ((mine,), _) = api.call("GET", "profiles/ada/records")[1].values()
    assert (mine["type"], mine["external_id"], mine["roles"]) == ("booking", "b-1", ["guest"])
    assert api.call("GET", "profiles/ada/records?type=firm")[1]["items"] == []


def test_the_same_again_changes_nothing_and_tells_nobody(api: Api) -> None:
    send(api, related("ada"))
    ProfileFeed.objects.all().delete()
    assert send(api, related("ada")) == (200, counts(unchanged=1))
    assert not ProfileFeed.objects.exists()


def test_what_is_left_out_stays_and_null_removes(api: Api) -> None:
    send(api, related("ada"))
    change = {"external_id": "b-1", "attributes": {"city": None, "nights": 4}}
    assert send(api, change)[1] == counts(updated=1)
    booking = api.call("GET", "records/booking/b-1")[1]
    assert booking["attributes"] == {"nights": 4, "arrival": "2026-04-01"} and len(booking["people"]) == 1


def test_people_replace_those_who_were_there_or_come_to_them(api: Api) -> None:
    send(api, related("ada"))
    assert send(api, related("bob"), people="merge")[1] == counts(updated=1, related=1)
    assert send(api, related("bob"))[1] == counts(updated=1, unrelated=1)
    assert send(api, related())[1] == counts(updated=1, unrelated=1)
    assert api.call("GET", "records/booking/b-1")[1]["people"] == []


def test_whoever_gains_loses_or_has_a_changed_record_is_told_to_the_index(api: Api) -> None:
    ids = audience.ids_of(governance.default_workspace().pk, ["ada", "bob"])

    def told() -> set[int]:
        found = set(ProfileFeed.objects.values_list("profile_id", flat=True))
        ProfileFeed.objects.all().delete()
        return found

    send(api, related("ada"))
    assert told() == {ids["ada"]}
    send(api, related("bob"), people="merge")
    assert told() == {ids["bob"]}
    send(api, {"external_id": "b-1", "attributes": {"nights": 9}})
    assert told() == set(ids.values())
    send(api, related("ada", attributes={}))
    assert told() == {ids["bob"]}
    assert api.call("DELETE", "records/booking/b-1")[0] == 204
    assert told() == {ids["ada"]}
    assert api.call("DELETE", "records/booking/b-1")[0] == 404


def test_two_rows_about_one_record_end_as_one_after_the_other(api: Api) -> None:
    twice = [related("ada"), {"external_id": " b-1 ", "attributes": {"nights": 8}, "people": [{"external_id": "bob", "role": "payer"}]}]
    assert send(api, *twice)[1] == counts(created=1, unchanged=1, related=1)
    booking = api.call("GET", "records/booking/b-1")[1]
    assert booking["attributes"]["nights"] == 8 and booking["attributes"]["city"] == "Rome"
    assert booking["people"] == [{"external_id": "bob", "role": "payer"}]


@over(
    ("record", "path"),
    [
        ({"external_id": ""}, "/external_id"),
        ({"external_id": "x" * 201}, "/external_id"),
        ({"external_id": "a\u0007b"}, "/external_id"),
        ({"external_id": 7}, "/external_id"),
        ({"attributes": {"colour": "red"}}, "/attributes/colour"),
        ({"attributes": {"city": ["Rome"]}}, "/attributes/city"),
        ({"attributes": {"city": json.loads('{"a":' * 10 + "1" + "}" * 10)}}, "/attributes/city"),
        ({"attributes": {"city": "x" * 40_000}}, "/attributes/city"),
        ({"attributes": {"nights": "3"}}, "/attributes/nights"),
        ({"attributes": {"nights": True}}, "/attributes/nights"),
        ({"attributes": {"nights": list(range(5_000))}}, "/attributes/nights"),
        ({"attributes": {"arrival": "tomorrow"}}, "/attributes/arrival"),
        ({"attributes": []}, "/attributes"),
        ({"people": "ada"}, "/people"),
        ({"people": [{"external_id": "nobody", "role": "guest"}]}, "/people/0/external_id"),
        ({"people": [{"external_id": "ada"}]}, "/people/0/role"),
        ({"people": [{"external_id": "ada", "role": "owner"}]}, "/people/0/role"),
        ({"people": [{"external_id": f"p-{n}", "role": "guest"} for n in range(10_000)]}, "/people"),
        ({"peple": []}, "/peple"),
    ],
)
def test_a_bad_record_is_named_and_harms_no_other(api: Api, record: dict[str, Any], path: str) -> None:
    status, answer = send(api, {"external_id": "good"}, {**ROME, **record})
    assert status == 200 and [each["place"] for each in answer["rejected"]] == [1]
    assert [each["path"] for each in answer["rejected"][0]["findings"]] == [f"/records/1{path}"]
    assert not {"Rome", "tomorrow", "red"} & set(json.dumps(answer).split('"')[::2])


def test_all_that_is_wrong_with_a_record_is_told_at_once(api: Api) -> None:
    _, answer = send(api, related("ada", "nobody", attributes={"city": "Rome", "nights": "many"}), ROME)
    assert [each["path"] for each in answer["rejected"][0]["findings"]] == [
        "/records/0/attributes/nights",
        "/records/0/people/1/external_id",
    ]


def test_a_request_of_bad_records_only_is_refused(api: Api) -> None:
    assert send(api, {"external_id": ""})[0] == 422
    assert send(api, *[{"external_id": str(n)} for n in range(1_001)])[0] == 422
    assert send(api, ROME, people="both")[0] == 422
    assert send(api, ROME, type="bookings")[0] == 404
    nan = api.client.generic("POST", "/api/v1/records/booking", b'{"records": [{"external_id": "b", "attributes": {"nights": NaN}}]}')
    assert nan.status_code in (400, 415)
    nan = api.client.generic("POST", "/api/v1/records/booking", b'{"records": [{"x": NaN}]}', content_type="application/json")
    assert nan.status_code in (400, 422)
    assert not Record.objects.exists()


def test_somebody_has_so_many_records_of_a_type_and_no_more(api: Api, now: datetime) -> None:
    factories.put("record_type", "booking", factories.record_type(most_per_person=2), now=now)
    many = [related("ada", external_id=f"b-{n}") for n in range(3)]
    status, answer = send(api, *many)
    assert answer["created"] == 2
    assert [each["path"] for each in answer["rejected"][0]["findings"]] == ["/records/2/people/0"]
    assert send(api, *many[:2])[1]["unchanged"] == 2
    assert send(api, {**many[0], "people": [{"external_id": "ada", "role": "payer"}]}, people="merge")[1]["related"] == 1


def test_a_record_has_so_many_people_and_no_more(api: Api, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audience.record_upsert.MOST_PEOPLE", 1)
    send(api, related("ada"))
    status, answer = send(api, related("bob"), people="merge")
    assert status == 422 and answer["findings"][0]["path"] == "/records/0/people"
    assert send(api, related("bob"))[1]["related"] == 1


def test_however_many_records_there_are_statements_are_few(api: Api, now: datetime) -> None:
    home = governance.default_workspace().pk

    def rows(count: int, nights: int) -> list[RecordRow]:
        return [RecordRow(f"b-{n}", {"nights": nights}, [("ada", "guest"), ("bob", "payer")]) for n in range(count)]

    few = statements_of(lambda: upsert_records(home, "booking", rows(3, 1), now=now))
    many = statements_of(lambda: upsert_records(home, "booking", rows(600, 2), now=now))
    assert len(many) <= len(few) + 4
    assert Relation.objects.count() == 1_200


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.builds(
            RecordRow,
            st.sampled_from(["a", "b", "c"]),
            st.dictionaries(st.sampled_from(["city", "nights"]), st.sampled_from([None, 1, 2, "x"]), max_size=2),
            st.one_of(st.none(), st.lists(st.tuples(st.sampled_from(["ada", "bob"]), st.sampled_from(["guest", "payer"])), max_size=3)),
        ),
        max_size=8,
    ),
    st.booleans(),
)
def test_rows_at_once_end_as_rows_one_by_one(api: Api, now: datetime, rows: list[RecordRow], merge: bool) -> None:
    home = governance.default_workspace().pk

    def ends(*chunks: list[RecordRow]) -> Any:
        Record.objects.all().delete()
        for chunk in chunks:
            upsert_records(home, "booking", chunk, now=now, merge=merge)
        held = Relation.objects.values_list("record__external_id", "profile__external_id", "role")
        return dict(Record.objects.values_list("external_id", "attributes")), set(held)

    assert ends(rows) == ends(*[[row] for row in rows]) == ends(rows, rows if merge else [])


# ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_asks_how_many_records_somebody_has(api: Api, now: datetime) -> None:
    send(api, related("ada"), related("ada", "bob", external_id="b-2", role="payer"), {**ROME, "external_id": "b-3"})
    assert in_segment(STAYS, now) == {"ada"}
    assert in_segment({"record": "booking"}, now) == {"ada", "bob"}
    assert in_segment({"record": "booking", "op": "exactly", "count": 2}, now) == {"ada"}
    assert in_segment({"record": "booking", "op": "never", "role": "guest"}, now) == {"bob"}
    soon = {"field": "arrival", "op": "in_next", "value": {"amount": 400, "unit": "weeks"}, "zone": "own"}
    assert in_segment({"record": "booking", "where": [soon]}, now) in ({"ada", "bob"}, set())  # by the clock of the test


def test_somebody_who_is_guest_and_payer_has_one_booking(api: Api, now: datetime) -> None:
    send(api, related("ada"))
    send(api, related("ada", role="payer"), people="merge")
    assert in_segment({"record": "booking", "op": "exactly", "count": 1}, now) == {"ada"}


@over(
    ("rule", "path"),
    [
        ({"record": "bookings"}, "/rule/record"),
        ({"record": "booking", "role": "owner"}, "/rule/role"),
        ({"record": "booking", "where": [{"field": "town", "op": "exists"}]}, "/rule/where/0/field"),
        ({"record": "booking", "where": [{"field": "nights", "op": "contains", "value": "3"}]}, "/rule/where/0/op"),
        ({"record": "booking", "where": [{"field": "city", "op": "is", "value": 3}]}, "/rule/where/0/value"),
        ({"record": "booking", "where": [{"field": "city", "op": "is", "value": "x", "zone": "own"}]}, "/rule/where/0/zone"),
        ({"record": "booking", "op": "at_least", "count": 0}, "/rule/count"),
        ({"record": "booking", "within": {"last": 3, "unit": "days"}}, "/rule/within"),
        ({"all": [{"record": "booking", "where": [{"field": "nights", "op": "gt", "value": "x"}]}]}, "/rule/all/0/where/0/value"),
    ],
)
def test_a_faulty_condition_is_told_with_its_place(api: Api, now: datetime, rule: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        in_segment(rule, now)
    assert [each.path for each in refused.value.findings] == [path]


def test_the_condition_reads_as_a_sentence(api: Api) -> None:
    def said(**changes: Any) -> str:
        return audience.sentence(governance.parse(audience.SegmentBody, {"title": "x", "rule": {**STAYS, **changes}}).rule)

    assert said() == "People with at least 1 “booking” as “guest” that has city “ROME”."
    assert said(op="exactly", count=2) == "People with exactly 2 “booking” as “guest” that have city “ROME”."
    assert said(op="never", where=[]) == "People with no “booking” as “guest”."
    soon = {"field": "arrival", "op": "in_next", "value": {"amount": 7, "unit": "days"}, "zone": "own"}
    assert "arrival in the next 7 days (by the day in their own time zone)" in said(where=[soon])


def test_a_sentence_calls_fields_as_the_builder_does(api: Api, now: datetime) -> None:
    fields = [{"name": "city", "type": "text", "title": "Town"}, {"name": "arrival_day", "type": "date"}]
    factories.in_force("record_type", "trip", {"title": "Trip", "fields": fields, "roles": ["guest"]}, now=now)
    soon = {"field": "arrival_day", "op": "in_next", "value": {"amount": 7, "unit": "days"}}
    rule = read_node({"record": "trip", "where": [{"field": "city", "op": "is", "value": "Rome"}, soon]})
    assert "that has Town “Rome” and arrival day in the next 7 days" in audience.sentence(rule, names_of(factories.workspace().pk))


@pytest.mark.parametrize(
    ("title", "one", "many"),
    [
        ("Booking", "booking", "bookings"),
        ("VIP stay", "VIP stay", "VIP stays"),
        ("Company", "company", "companies"),
        ("Bus", "bus", "buses"),
    ],
)
def test_records_are_counted_by_what_they_are_called(title: str, one: str, many: str) -> None:
    assert (record_noun(title, many=False), record_noun(title, many=True)) == (one, many)


def test_the_reason_tells_how_many_records_there_are(api: Api, now: datetime) -> None:
    send(api, related("ada"))
    home = governance.default_workspace().pk
    (number,) = audience.ids_of(home, ["ada"]).values()
    segment = governance.parse(audience.SegmentBody, {"title": "x", "rule": STAYS})
    told = audience.explain(home, segment, number, as_of=now)
    assert told.matched and told.node == "record" and told.facts == {"records": 1}


# ── types ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_released_segment_asks_for_can_t_be_taken_away(api: Api, now: datetime) -> None:
    factories.release("record_type", "booking", now=now)
    factories.in_force("segment", "romans", {"title": "Romans", "rule": STAYS}, now=now)
    body = factories.record_type()
    without_city = {**body, "fields": [each for each in body["fields"] if each["name"] != "city"]}
    for broken, path in ((without_city, "/fields"), ({**body, "roles": ["payer"]}, "/roles")):
        factories.put("record_type", "booking", broken, now=now)
        found = governance.check_latest(factories.person("ada", now=now), "record_type", "booking", now=now)
        assert [(each.level, each.path) for each in found] == [("error", path)], found


@over(
    ("changes", "path"),
    [
        ({"fields": []}, "/fields"),
        ({"fields": [{"name": "city", "type": "text"}] * 2}, "/fields/1/name"),
        ({"fields": [{"name": "external_id", "type": "text"}]}, "/fields/0/name"),
        ({"fields": [{"name": "where", "type": "object"}]}, "/fields/0/type"),
        ({"roles": ["guest", "guest"]}, "/roles/1"),
        ({"roles": ["The Guest"]}, "/roles/0"),
        ({"order_by": "price"}, "/order_by"),
        ({"shown": 51}, "/shown"),
    ],
)
def test_a_faulty_type_is_refused(api: Api, now: datetime, changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        factories.put("record_type", "broken", factories.record_type(**changes), now=now)
    assert [each.path for each in refused.value.findings] == [path]


# ── forgetting ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_is_forgotten_has_nothing_to_do_with_a_record_any_more(api: Api, now: datetime) -> None:
    send(api, related("ada"), related("ada", "bob", external_id="b-2"))
    assert api.call("DELETE", "profiles/ada")[0] == 204
    assert set(Relation.objects.values_list("record__external_id", "profile__external_id")) == {("b-2", "bob")}
    assert Record.objects.count() == 2, "a record stays"
    factories.put("record_type", "booking", factories.record_type(keep_unrelated=False), now=now)
    assert api.call("DELETE", "profiles/bob")[0] == 204
    assert set(Record.objects.values_list("external_id", flat=True)) == {"b-1"}, "unless its type says that it goes with the last"


def test_of_two_who_turn_out_to_be_one_the_records_of_both_are_kept(api: Api, now: datetime) -> None:
    send(api, related("ada"), related("ada", "bob", external_id="b-2"), related("bob", external_id="b-3", role="payer"))
    ada, bob = (audience.ids_of(factories.workspace().pk, [name])[name] for name in ("ada", "bob"))
    api.client.force_login(governance.User.objects.get(pk=factories.person("cleo", now=now).user_id))
    assert "1 related record," in api.client.get(f"/console/profiles/{ada}/merge/{bob}/").content.decode(), "one of his two is hers already"
    assert api.call("POST", "profiles/ada/merge", {"external_id": "bob"})[1]["records"] == 1
    held = set(Relation.objects.values_list("record__external_id", "profile__external_id", "role"))
    assert held == {("b-1", "ada", "guest"), ("b-2", "ada", "guest"), ("b-3", "ada", "payer")}
    assert in_segment({"record": "booking", "op": "exactly", "count": 3}, now) == {"ada"}
    assert send(api, related("bob", external_id="b-4"))[1]["related"] == 1, "whoever is named by the former id is the one who stays"
    assert len(api.call("GET", "profiles/ada/records")[1]["items"]) == 4


def test_everything_that_is_kept_of_somebody_has_their_records_in_it(api: Api, now: datetime) -> None:
    send(api, related("ada"))
    told = everything_of(factories.person("cleo", now=now), "ada", now=now)
    assert told["records"] == [{"type": "booking", "external_id": "b-1", "roles": ["guest"], "attributes": ROME["attributes"]}]


def test_what_is_personal_in_a_record_is_no_viewer_s(api: Api, now: datetime) -> None:
    fields = [
        {"name": "city", "type": "text"},
        {"name": "room", "type": "text", "sensitivity": "personal"},
        {"name": "wishes", "type": "text", "sensitivity": "sensitive"},
    ]
    factories.put("record_type", "booking", factories.record_type(fields=fields), now=now)
    send(api, related("ada", attributes={"city": "Rome", "room": "R-101", "wishes": "W-nut"}))
    home = governance.default_workspace().pk
    (number,) = audience.ids_of(home, ["ada"]).values()

    def sees(who: str) -> set[str]:
        actor, client = factories.person(who, now=now), Client()
        client.force_login(governance.User.objects.get(username=who))
        _, key = governance.create_api_key(factories.person("cleo", now=now), who, actor.role, ["profiles:read"], None, now)
        heads = {"Authorization": f"Bearer {key}"}
        pages = [client.get(f"/console/profiles/{number}/").content.decode()]
        pages += [client.get(f"/api/v1/{path}", headers=heads).content.decode() for path in ("records/booking/b-1", "profiles/ada/records")]
        (person,) = audience.shown(actor, audience.load(home, [number]))
        give_records(home, [person], ["booking"])
        pages.append(str(person.records))
        seen = [{each for each in ("Rome", "R-101", "W-nut") if each in page} for page in pages]
        assert all(each == seen[0] for each in seen), seen
        return seen[0]

    assert (sees("vera"), sees("ada"), sees("cleo")) == ({"Rome"}, {"Rome", "R-101"}, {"Rome", "R-101", "W-nut"})


# ── for messages ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_messages_get_a_person_s_records_in_the_type_s_order_and_typed(api: Api, now: datetime) -> None:
    home = governance.default_workspace().pk
    factories.put("record_type", "booking", factories.record_type(order_by="arrival", order="ascending", shown=2), now=now)
    days = {"b-1": "2026-05-01", "b-2": "2026-04-01", "b-3": "2026-06-01", "b-4": None}
    send(api, *[related("ada", external_id=key, attributes={"arrival": day, "nights": 2}) for key, day in days.items()])
    people = audience.load(home, list(audience.ids_of(home, ["ada", "bob"]).values()))
    asked = statements_of(lambda: give_records(home, people, ["booking", "gone"]))
    assert len([each for each in asked if "audience_relation" in each]) == 1
    ada, bob = people
    assert [each["external_id"] for each in ada.records["booking"]] == ["b-2", "b-1"]
    assert ada.records["booking"][0]["arrival"].isoformat() == "2026-04-01"
    assert bob.records == {"booking": [], "gone": []}
    factories.put("record_type", "booking", factories.record_type(order_by="nights"), now=now)
    send(api, {"external_id": "b-3", "attributes": {"nights": 10}}, {"external_id": "b-1", "attributes": {"nights": None}})
    give_records(home, people, ["booking"])
    assert [each["external_id"] for each in ada.records["booking"]] == ["b-3", "b-4", "b-2", "b-1"], "by number, without one last"


def test_the_newest_come_first_where_a_type_has_no_order(api: Api, now: datetime) -> None:
    home = governance.default_workspace().pk
    for age in (1, 3, 2):
        row = RecordRow(f"b-{age}", {"city": f"x{age}"}, [("ada", "guest"), ("ada", "payer")])
        upsert_records(home, "booking", [row], now=now - timedelta(days=age))
    (ada,) = audience.load(home, list(audience.ids_of(home, ["ada"]).values()))
    give_records(home, [ada], ["booking"])
    assert [each["city"] for each in ada.records["booking"]] == ["x1", "x2", "x3"]


# ── at its edges ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_condition_with_as_many_tests_as_it_may_have_is_answered(api: Api, now: datetime) -> None:
    send(api, related("ada"))
    soon = {"field": "arrival", "op": "in_next", "value": {"amount": 100, "unit": "years"}, "zone": "own"}
    last = {**soon, "op": "in_last"}
    rule = {"any": [{"record": "booking", "where": [soon] * 20}, {"none": [{"record": "booking", "where": [soon, last] * 10}]}]}
    assert in_segment({"all": [rule] * 9}, now) == {"ada", "bob"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_the_same_new_record_both_are_heard(now: datetime) -> None:
    home = factories.workspace().pk
    factories.put("record_type", "booking", factories.record_type(), now=now)
    for name in ("ada", "bob"):
        factories.profile(now=now, external_id=name)
    said: list[tuple[dict[str, Any], str]] = [({"city": "Rome"}, "ada"), ({"nights": 3}, "bob")]
    acts = [
        partial(
            audience.upsert_records,
            home,
            "booking",
            [RecordRow(f"b-{n}", given, [(who, "guest")]) for n in range(300)],
            now=now,
            merge=True,
        )
        for given, who in said
    ]
    outcomes = together(acts)
    assert sorted((each.created, each.updated) for each in outcomes)[1][0] > 0, outcomes
    assert sum(each.created for each in outcomes) == 300 and sum(each.related for each in outcomes) == 600
    assert {str(each) for each in Record.objects.values_list("attributes", flat=True)} == {"{'city': 'Rome', 'nights': 3}"}


def test_a_rule_about_records_is_built_with_fields_of_their_types(api: Api, now: datetime) -> None:
    send(api, related("ada"), related("bob", external_id="b-2", attributes={"city": "Oslo", "nights": 9}))
    factories.person("ada", now=now)
    client = Client()
    client.force_login(governance.User.objects.get(username="ada"))
    form = {"/title": "Romans", "/rule/word": "all", "/rule/of/0/subject": "record:booking", "do": "look"}

    def drawn(**fields: str) -> str:
        form.update({f"/rule/of/0/{name.replace('__', '/')}": value for name, value in fields.items()})
        return client.post("/console/new/segments/", form, headers={"HX-Request": "true"}).content.decode()

    assert "as guest" in drawn() and "as payer" in drawn()
    assert "add:/rule/of/0/where:field" in drawn(role="guest", count="1")
    page = drawn(where__0__field="nights")
    assert '<option value="gte"' in page and 'inputmode="decimal"' in page and '<option value="starts_with"' not in page
    page = drawn(where__0__op="lte", where__0__value="5", where__1__field="arrival", where__1__op="in_next", where__1__amount="90")
    assert '<option value="lte" selected' in page and "by the day in their own time zone" in page
    looked = client.post("/console/look/segments/", form).content.decode()
    assert "“Booking”" in looked and "has nights at most 5" in looked
    page = drawn(where__0__field="city")
    assert '<option value="lte"' not in page, "a text isn't compared by size"
    form |= {"/rule/of/0/where/0/field": "nights", "do": "save"}
    assert client.post("/console/new/segments/", form).status_code == 302
    rule = governance.document(governance.default_workspace().pk, "segment", "romans").latest.body["rule"]
    nights = {"field": "nights", "op": "lte", "value": 5}
    arrival = {"field": "arrival", "op": "in_next", "value": {"amount": 90, "unit": "days"}}
    assert rule == {"all": [{"record": "booking", "role": "guest", "count": 1, "where": [nights, arrival]}]}


def test_a_fault_in_a_condition_on_a_record_is_told_at_its_field(api: Api, now: datetime) -> None:
    factories.person("ada", now=now)
    client = Client()
    client.force_login(governance.User.objects.get(username="ada"))
    form = {"/title": "Romans", "/rule/word": "all", "/rule/of/0/subject": "record:booking", "do": "save"}
    form |= {"/rule/of/0/where/0/field": "nights", "/rule/of/0/where/0/op": "gt", "/rule/of/0/where/0/value": "many"}
    page = client.post("/console/new/segments/", form).content.decode()
    assert "Condition 1 (Booking), part 1" in page
    assert re.search(r'name="/rule/of/0/where/0/value" value="many"[^>]*aria-invalid="true"', page)


def test_the_builder_keeps_a_record_that_it_does_not_know(api: Api) -> None:
    body = {"title": "Romans", "rule": {"all": [{**STAYS, "op": "exactly", "count": 2}, {"profile": "country", "op": "is", "value": "GB"}]}}
    assert rule_forms.to_body(rule_forms.to_form(body, {}), {}) == body
    assert rule_forms.to_body(rule_forms.to_form({"rule": STAYS}, {}), {}) == {"rule": STAYS}


def test_the_pages_of_record_types_are_there(api: Api, now: datetime) -> None:
    factories.person("vera", now=now)
    factories.person("cleo", now=now)
    client = Client()
    client.force_login(governance.User.objects.get(username="cleo"))
    for address in ("/console/record-types/", "/console/record-types/booking/", "/console/new/record-types/"):
        assert client.get(address).status_code == 200, address
