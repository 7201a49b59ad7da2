"""Two who turn out to be one person: whatever was kept of either is hers, and both ids lead to her for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from audience import door as audience
from audience.device_forms import device_address
from audience.devices import devices_of
from audience.models import Event, ListMember, Profile, ProfileFeed, Recount
from audience.rules.nodes import read_node
from governance.door import Actor, Conflict, Invalid, Missing, User
from tests import factories
from tests.audience.conftest import Api
from tests.tables import over

Row = audience.ProfileRow


def people(ada: Actor, now: datetime, *rows: audience.ProfileRow) -> dict[str, int]:
    assert not audience.upsert(ada.workspace_id, rows, source="test", now=now).rejected
    return audience.ids_of(ada.workspace_id, [row.external_id for row in rows])


def seen(ada: Actor, now: datetime, who: str, *names: str) -> None:
    events = [audience.NewEvent(f"{who}-{name}", name, who, now) for name in names]
    assert audience.record(ada.workspace_id, events, now=now).accepted == len(names)


def standing(ada: Actor, number: int) -> dict[tuple[str, str], str]:
    return {(each.channel, each.topic): each.state for each in audience.consents(ada.workspace_id, number)}


def test_whoever_signs_in_keeps_what_she_did_before(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("anon-7", country="FR", attributes={"city": "Paris", "stays": 1}), Row("ann", email="ann@example.com"))
    seen(ada, now, "anon-7", "looked", "searched")
    audience.register_device(ada.workspace_id, ids["anon-7"], device_address("fcm", "token-of-her-phone-000000", None), now=now)
    audience.change_list(ada, "fair", ["anon-7"], by="external_id", now=now)
    ProfileFeed.objects.all().delete()

    done = audience.merge(ada, "ann", "anon-7", now=now)

    assert done is not None and (done.events, done.devices, done.lists) == (2, 1, 1)
    ann = audience.find(ada.workspace_id, external_id="anon-7")
    assert ann is not None and ann.id == ids["ann"] and ann.external_id == "ann"
    assert (ann.email, ann.country, ann.attributes) == ("ann@example.com", "FR", {"city": "Paris", "stays": 1})
    assert [event.name for event in audience.events_of(ada.workspace_id, ann.id)] == ["searched", "looked"]
    assert len(devices_of(ada.workspace_id, ann.id)) == 1
    assert list(ListMember.objects.values_list("profile_id", flat=True)) == [ann.id]
    assert set(ProfileFeed.objects.values_list("profile_id", flat=True)) == set(ids.values()), "the index hears of both"
    went = Profile.objects.get(pk=ids["anon-7"])
    assert (went.external_id, went.merged_into, went.attributes, went.country) == ("anon-7", ann.id, {}, None)
    assert audience.everyone(ada.workspace_id) == 1 and audience.load(ada.workspace_id, [went.pk]) == []
    rule = read_node({"attribute": "city", "op": "is", "value": "Paris"})
    assert list(audience.resolve(ada.workspace_id, rule, as_of=now).ids) == [ann.id]


def test_what_both_have_stays_hers_and_the_other_is_told_by_name_only(ada: Actor, now: datetime) -> None:
    first = Row("a", email="old@example.com", phone="+442079460958", attributes={"city": "Rome", "stays": 9})
    people(ada, now, first, Row("b", email="new@example.com", attributes={"city": "Oslo"}))
    done = audience.merge(ada, "b", "a", now=now)
    assert done is not None and (done.fields, done.left, dict(done.attributes)) == (("phone",), ("email", "city"), {"stays": 9})
    assert "old@" not in repr(done)
    kept = audience.find(ada.workspace_id, external_id="b")
    assert kept is not None and (kept.email, kept.phone, kept.attributes) == (
        "new@example.com",
        "+442079460958",
        {"city": "Oslo", "stays": 9},
    )


@over(
    ("hers", "other", "same_address", "after"),
    [
        (None, "unsubscribed", True, "unsubscribed"),
        (None, "unsubscribed", False, "unsubscribed"),
        (None, "subscribed", True, "subscribed"),
        (None, "subscribed", False, None),  # she agreed for an address that isn't kept
        ("subscribed", "unsubscribed", False, "unsubscribed"),
        ("unsubscribed", "subscribed", True, "unsubscribed"),
        ("subscribed", "subscribed", True, "subscribed"),
        ("subscribed", None, True, "subscribed"),
    ],
)
def test_the_stricter_statement_holds(ada: Actor, now: datetime, hers: Any, other: Any, same_address: bool, after: str | None) -> None:
    a, b = (f"{name} of {hers}-{other}-{same_address}" for name in "ab")
    addresses = {b: "b@example.com", a: "B@Example.com" if same_address else "a@example.com"}
    ids = people(ada, now, *(Row(name, email=address) for name, address in addresses.items()))
    for name, state in ((b, hers), (a, other)):
        if state is not None:
            audience.set_consent(ada.workspace_id, [ids[name]], channel="email", topic="offers", state=state, source="form", now=now)
    audience.merge(ada, b, a, now=now)
    assert standing(ada, ids[b]).get(("email", "offers")) == after
    assert standing(ada, ids[a]) == {}
    said = [each.source for each in audience.proof(ada.workspace_id, ids[b])]
    assert said.count("form") == sum(state is not None for state in (hers, other)), "every word of both stands in her proof"
    if hers != after:
        assert "merged: form" in said


def test_of_two_agreements_the_one_that_ends_first_holds(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("a", email="x@example.com"), Row("b", email="x@example.com"))
    for name, days in (("a", 3), ("b", 30)):
        terms: Any = {"state": "subscribed", "source": "form", "expires_at": now + timedelta(days=days)}
        audience.set_consent(ada.workspace_id, [ids[name]], channel="email", topic="offers", now=now, **terms)
    audience.merge(ada, "b", "a", now=now)
    assert [each.expires_at for each in audience.consents(ada.workspace_id, ids["b"])] == [now + timedelta(days=3)]


def test_whatever_comes_under_the_former_id_is_hers(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("a"), Row("b"))
    audience.merge(ada, "b", "a", now=now)
    outcome = audience.upsert(ada.workspace_id, [Row("a", country="IT"), Row("b", attributes={"stays": 4})], source="test", now=now)
    assert (outcome.created, outcome.updated, outcome.unchanged) == (0, 1, 1)
    crowd = [Row(f"crowd-{n}") for n in range(60)]  # as many as travel by COPY
    outcome = audience.upsert(
        ada.workspace_id, [*crowd, Row("a", zone="Europe/Rome"), Row("b", phone="+390612345678")], source="test", now=now
    )
    assert (outcome.created, outcome.updated) == (60, 1)
    seen(ada, now, "a", "looked")
    audience.set_consent(ada.workspace_id, [ids["a"]], channel="sms", topic="*", state="unsubscribed", source="link", now=now)
    one = audience.upsert_one(ada.workspace_id, Row("a", locale="it-IT"), now=now)
    assert one == audience.find(ada.workspace_id, external_id="b")
    assert (one.country, one.zone, one.phone, one.locale, one.attributes) == ("IT", "Europe/Rome", "+390612345678", "it-IT", {"stays": 4})
    assert list(Event.objects.values_list("profile_id", flat=True)) == [ids["b"]] and standing(ada, ids["b"]) == {
        ("sms", "*"): "unsubscribed"
    }
    assert Profile.objects.get(pk=ids["a"]).country is None


def test_an_event_told_by_the_former_number_is_hers_too(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("a"), Row("b"))
    audience.merge(ada, "b", "a", now=now)
    audience.record(ada.workspace_id, [audience.NewEvent("e", "message.opened", ids["a"], now)], now=now)
    assert Event.objects.get().profile_id == ids["b"]


def test_one_after_the_other_all_ids_lead_to_the_last(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("a"), Row("b"), Row("c"))
    audience.merge(ada, "b", "a", now=now)
    audience.merge(ada, "c", "b", now=now)
    assert set(audience.ids_of(ada.workspace_id, ["a", "b", "c"]).values()) == {ids["c"]}
    assert [each.external_id for each in audience.other_ids(ada.workspace_id, ids["c"])] == ["a", "b"]
    assert audience.numbers_of(ada.workspace_id, ids["c"]) == [ids["c"], ids["a"], ids["b"]]


def test_done_again_nothing_changes(ada: Actor, now: datetime) -> None:
    people(ada, now, Row("a", country="FR"), Row("b"))
    audience.merge(ada, "b", "a", now=now)
    ProfileFeed.objects.all().delete()
    assert audience.merge(ada, "b", "a", now=now) is None and audience.merge(ada, "a", "b", now=now) is None
    assert not ProfileFeed.objects.exists()


def test_an_id_that_nobody_has_becomes_another_of_hers(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("ann"))
    assert audience.merge(ada, "ann", "anon-1", now=now) is None
    assert audience.ids_of(ada.workspace_id, ["anon-1"]) == {"anon-1": ids["ann"]}
    seen(ada, now, "anon-1", "looked")
    assert Event.objects.get().profile_id == ids["ann"] and audience.everyone(ada.workspace_id) == 1


def test_who_signs_in_on_a_borrowed_phone_is_not_merged_with_its_owner(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("owner"), Row("guest"), Row("anon-1"))
    audience.merge(ada, "owner", "anon-1", now=now)
    audience.add_other_id(ada, "owner", "anon-2", now=now)
    for anonymous in ("anon-1", "anon-2"):
        with pytest.raises(Conflict):
            audience.merge(ada, "guest", anonymous, now=now)
        with pytest.raises(Conflict):
            audience.add_other_id(ada, "guest", anonymous, now=now)
    assert audience.ids_of(ada.workspace_id, ["anon-1", "anon-2", "guest"]) == {
        "anon-1": ids["owner"],
        "anon-2": ids["owner"],
        "guest": ids["guest"],
    }


def test_what_can_not_be_merged_is_refused_in_words(ada: Actor, now: datetime) -> None:
    people(ada, now, Row("ann"))
    with pytest.raises(Missing):
        audience.merge(ada, "nobody", "ann", now=now)
    with pytest.raises(Invalid):
        audience.merge(ada, "ann", "erased-7", now=now)
    with pytest.raises(Invalid):
        audience.merge(ada, "ann", "", now=now)
    assert audience.other_ids(ada.workspace_id, audience.ids_of(ada.workspace_id, ["ann"])["ann"]) == []


def test_a_name_is_taken_back_but_a_merge_is_not(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("ann"), Row("anon"))
    audience.add_other_id(ada, "ann", "crm-1", now=now)
    audience.merge(ada, "ann", "anon", now=now)
    audience.remove_other_id(ada, "ann", "crm-1", now=now)
    with pytest.raises(Conflict):
        audience.remove_other_id(ada, "ann", "anon", now=now)
    with pytest.raises(Missing):
        audience.remove_other_id(ada, "ann", "crm-1", now=now)
    assert people(ada, now, Row("crm-1"))["crm-1"] not in ids.values(), "somebody new may have it"


def test_computed_attributes_are_those_of_both(ada: Actor, now: datetime) -> None:
    looks = factories.attribute(title="Looks", type="number", computed={"how": "count", "event": "looked"})
    factories.in_force("attribute", "looks", looks, now=now)
    ids = people(ada, now, Row("a"), Row("b"))
    seen(ada, now, "a", "looked")
    seen(ada, now, "b", "looked")
    audience.keep_computed(now=now)
    audience.merge(ada, "b", "a", now=now)
    audience.keep_computed(now=now)
    assert Profile.objects.get(pk=ids["b"]).attributes == {"looks": 2}
    assert not Recount.objects.filter(profile_id=ids["a"]).exists()


def test_forgetting_her_forgets_both_and_frees_both_ids(ada: Actor, now: datetime) -> None:
    ids = people(ada, now, Row("a"), Row("b"))
    audience.set_consent(ada.workspace_id, [ids["a"]], channel="email", topic="offers", state="unsubscribed", source="form", now=now)
    audience.merge(ada, "b", "a", now=now)
    audience.erase(ada, "a", now=now)
    assert audience.ids_of(ada.workspace_id, ["a", "b"]) == {} and audience.proof(ada.workspace_id, ids["a"]) == []
    assert not Profile.objects.filter(external_id__in=["a", "b"]).exists()
    assert set(people(ada, now, Row("a"), Row("b")).values()).isdisjoint(ids.values())
    audience.gather_stragglers(now=now)


def test_what_was_under_way_follows_later(ada: Actor, now: datetime) -> None:
    """As a writer that had read the former number before the merge, and committed after it, leaves things."""
    ids = people(ada, now, Row("a"), Row("b"))
    seen(ada, now, "a", "looked")
    audience.merge(ada, "b", "a", now=now)
    Event.objects.update(profile_id=ids["a"])
    audience.gather_stragglers(now=now)
    assert Event.objects.get().profile_id == ids["b"]


def test_by_http_a_program_merges_names_and_asks(api: Api, ada: Actor, now: datetime) -> None:
    people(ada, now, Row("anon-1", country="FR"), Row("ann", email="ann@example.com"), Row("ben", email="ANN@example.com"))
    seen(ada, now, "anon-1", "looked")
    status, answer = api.call("POST", "profiles/ann/merge", {"external_id": "anon-1"})
    assert (status, answer["merged"], answer["fields"], answer["events"], answer["external_id"]) == (200, True, ["country"], 1, "ann")
    assert api.call("POST", "profiles/ann/merge", {"external_id": "anon-1"})[1]["merged"] is False
    assert api.call("GET", "profiles/anon-1")[1]["external_id"] == "ann"
    assert api.call("PUT", "profiles/ann/other-ids", {"external_id": "crm-9"})[0] == 200
    assert [each["external_id"] for each in api.call("GET", "profiles/crm-9/other-ids")[1]["items"]] == ["anon-1", "crm-9"]
    status, answer = api.call("PUT", "profiles/ann/other-ids", {"external_id": "ben"})
    assert (status, answer["title"]) == (409, "Somebody else's id")
    status, answer = api.call("DELETE", "profiles/ann/other-ids", {"external_id": "anon-1"})
    assert (status, answer["title"]) == (409, "The id of somebody who was merged")
    assert api.call("DELETE", "profiles/ann/other-ids", {"external_id": "crm-9"})[0] == 204
    assert api.call("GET", "profiles/crm-9")[0] == 404
    assert api.call("POST", "profiles/nobody/merge", {"external_id": "ann"})[0] == 404
    assert api.call("POST", "profiles/ann/merge", {})[0] == 422
    assert api.call("GET", "duplicates")[1] == {"items": [{"count": 2, "external_ids": ["ann", "ben"]}], "next": None}
    assert api.call("GET", "duplicates?by=shoe-size")[0] == 422 == api.call("GET", "duplicates?cursor=x")[0]


def test_people_with_one_address_are_found_page_by_page_however_it_was_written(ada: Actor, now: datetime) -> None:
    rows = [
        Row(f"p{n}{side}", email=f"P{n}@münchen.example" if side else f"p{n}@xn--mnchen-3ya.example") for n in range(5) for side in (0, 1)
    ]
    people(ada, now, *rows, Row("alone", email="alone@example.com"), Row("x", phone="+442079460958"), Row("y", phone="+44 20 7946 0958"))
    found, after = list[audience.Sharing](), None
    while page := audience.duplicates(ada.workspace_id, by="email", after=after, limit=2):
        found += page
        after = page[-1].mark
    assert [[person.external_id for person in each.people] for each in found] == [[f"p{n}0", f"p{n}1"] for n in range(5)]
    assert [[person.external_id for person in each.people] for each in audience.duplicates(ada.workspace_id, by="phone")] == [["x", "y"]]


def page_of(who: str, now: datetime) -> Client:
    factories.person(who, now=now)
    client = Client()
    client.force_login(User.objects.get(username=who))
    return client


def test_in_the_console_an_administrator_sees_what_merging_does_before_it_is_done(ada: Actor, now: datetime) -> None:
    ids = people(
        ada,
        now,
        Row("a", email="x@example.com", phone="+442079460958", attributes={"city": "Rome", "first_name": "Ann"}),
        Row("b", email="x@example.com", attributes={"city": "Oslo"}),
    )
    client = page_of("cleo", now)
    listed = client.get("/console/profiles/duplicates/").content.decode()
    assert "x@example.com" in listed and f"/console/profiles/{ids['a']}/merge/{ids['b']}/" in listed
    address = f"/console/profiles/{ids['b']}/merge/{ids['a']}/"
    for typed in ("a", "+44 20 7946 0958"):
        assert client.post(f"/console/profiles/{ids['b']}/merge/", {"other": typed}).headers["Location"] == address
    assert client.post(f"/console/profiles/{ids['b']}/merge/", {"other": "nobody"}).headers["Location"] == f"/console/profiles/{ids['b']}/"
    shown = client.get(address).content.decode()
    assert "Rome" in shown and "given up" in shown and "taken over" in shown
    client.post(address, {"goes": "somebody else"})  # an old page
    assert audience.everyone(ada.workspace_id) == 2
    assert client.post(address, {"goes": "a"}).headers["Location"] == f"/console/profiles/{ids['b']}/"
    assert audience.everyone(ada.workspace_id) == 1
    assert client.get(f"/console/profiles/{ids['a']}/").headers["Location"] == f"/console/profiles/{ids['b']}/"
    assert "merged" in client.get(f"/console/profiles/{ids['b']}/").content.decode()
    assert page_of("ada", now).get(address).status_code == 403


def test_of_many_who_were_merged_only_those_with_something_left_are_looked_after(
    ada: Actor, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        people(ada, now, Row(f"a{n}"), Row(f"b{n}"))
        audience.merge(ada, f"b{n}", f"a{n}", now=now)
    with django_assert_max_num_queries(12):
        audience.gather_stragglers(now=now)
