"""One question, one answer: why did or didn't they get it, and where is that message."""

from __future__ import annotations

import pytest

from delivery import door as delivery
from governance.door import Invalid, Missing
from tests import factories
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def test_a_message_tells_its_way_in_order(street: Street) -> None:
    street.route("sendgrid")
    street.launch(street.people(3))
    street.work()
    street.clock.pass_(minutes=1)
    street.hear("delivered", street.vendor.accepted[:1])

    told = delivery.timeline(street.workspace_id, street.vendor.accepted[0].message_id)

    assert told.state == "delivered"
    assert [stop.room for stop in told.stops] == ["audience", "delivery", "rendering", "delivery", "vendor", "vendor", "vendor"]
    posted, answered, heard = told.stops[4:]
    assert posted.facts["account"] == "sendgrid" and (answered.facts["answered"], answered.facts["by"]) == ("sent", "vendor")
    assert (heard.facts["event"], heard.facts["by"], heard.facts["received_at"]) == ("delivered", "sendgrid", street.clock())


def test_a_doubt_that_an_event_ended_shows_how_long_it_lasted(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop"
    street.launch(street.people(1))
    street.work()
    street.clock.pass_(minutes=4)
    street.hear("delivered", street.vendor.accepted)

    told = delivery.timeline(street.workspace_id, street.vendor.accepted[0].message_id)

    answer = next(stop.facts for stop in told.stops if "answered" in stop.facts)
    assert (answer["by"], answer["in_doubt_seconds"]) == ("event", 240.0)


def test_a_postponed_message_says_until_when(street: Street) -> None:
    street.route("sendgrid")
    street.policy(quiet_hours={"start": "00:00", "end": "23:00", "channels": ["email"]})
    ids = street.people(1)
    dispatch = street.launch(ids, policy_key="manners")
    street.work()

    told = delivery.why(street.workspace_id, dispatch, ids[0])

    assert (told.state, told.reason) == ("planned", "postponed")
    assert told.stops[-1].facts["postponed_until"] > street.clock()


@pytest.mark.parametrize("spelling", ["+4915112345678", "+49 (151) 123-45678", "0049 151 12345678"])
def test_a_number_is_found_in_any_spelling(street: Street, spelling: str) -> None:
    street.route("twilio")
    consents = (("sms", "offers", "subscribed"),)
    person = factories.profile(now=street.clock(), phone="+4915112345678", country="DE", zone="Europe/Berlin", consents=consents)
    street.launch([person], channel="sms")
    street.work()

    asked = delivery.asked_address(street.workspace_id, spelling)

    assert asked is not None and asked.channel == "sms"
    assert [view.profile_id for view in delivery.messages(street.workspace_id, address_hash=asked.hash).items] == [person]


def test_what_went_to_an_address_is_found_when_somebody_else_has_it(street: Street) -> None:
    street.route("sendgrid")
    ada = factories.profile(now=street.clock(), email="team@example.com", external_id="ada")
    street.launch([ada])
    street.work()
    factories.profile(now=street.clock(), email="ada@example.com", external_id="ada")
    bob = factories.profile(now=street.clock(), email="team@example.com", external_id="bob")

    asked = delivery.asked_address(street.workspace_id, "Team@Example.com ")
    assert asked is not None
    found = delivery.messages(street.workspace_id, profile_id=bob, address_hash=asked.hash)

    assert [view.profile_id for view in found.items] == [ada]


def test_messages_are_found_by_person_address_dispatch_and_id(street: Street) -> None:
    street.route("sendgrid")
    ada = factories.profile(now=street.clock(), email="ada@example.com")
    others = street.people(120)
    first = street.launch([ada, *others])
    second = street.launch([ada], campaign_key="second")
    street.work()
    ws = street.workspace_id

    hashed = delivery.address_hash(ws, "email", "Ada@example.com")
    assert [view.dispatch_id for view in delivery.messages(ws, profile_id=ada).items] == [second, first]
    assert [view.dispatch_id for view in delivery.messages(ws, address_hash=hashed).items] == [second, first]
    token = delivery.messages(ws, profile_id=ada).items[0].message_id
    assert [view.profile_id for view in delivery.messages(ws, message_id=token).items] == [ada]

    found, after = [], ""
    while True:
        page = delivery.messages(ws, dispatch_id=first, after=after, limit=50)
        found += [view.n for view in page.items]
        if not (after := page.next):
            break
    assert found == list(range(121))


def test_messages_are_found_by_their_real_state(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "drop" if number == 0 else "ok"
    dispatch = street.launch(street.people(150))
    street.work()
    ws = street.workspace_id
    assert len(delivery.messages(ws, dispatch_id=dispatch, state="in_doubt", limit=200).items) == 100
    assert len(delivery.messages(ws, dispatch_id=dispatch, state="sent", limit=200).items) == 50


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({}, ""),
        ({"profile_id": 1, "limit": 0}, "/limit"),
        ({"profile_id": 1, "after": "x"}, "/after"),
        ({"profile_id": 1, "state": "lost"}, "/state"),
    ],
)
def test_a_wrong_search_names_the_field(street: Street, asked: dict[str, object], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        delivery.messages(street.workspace_id, **asked)  # type: ignore[arg-type]
    assert [finding.path for finding in refused.value.findings] == [path]


def test_another_workspace_sees_nothing(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(1)
    dispatch = street.launch(ids)
    street.work()
    elsewhere = street.workspace_id + 1

    assert delivery.messages(elsewhere, profile_id=ids[0]).items == ()
    for ask in (
        lambda: delivery.facts(elsewhere, dispatch),
        lambda: delivery.why(elsewhere, dispatch, ids[0]),
        lambda: delivery.timeline(elsewhere, street.vendor.accepted[0].message_id),
    ):
        with pytest.raises(Missing):
            ask()


def test_a_person_asked_about_before_the_batch_is_planned(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(3)
    dispatch = street.launch(ids)
    told = delivery.why(street.workspace_id, dispatch, ids[1])
    assert (told.state, told.stops[1].facts["wave"]) == ("planned", 1)


def test_whom_a_plan_left_out_is_listed_by_reason(street: Street) -> None:
    street.route("sendgrid")
    ada = factories.profile(now=street.clock(), email="ada@example.com")
    twin = factories.profile(now=street.clock(), email="Ada@Example.com")
    dispatch = street.launch([ada, twin, *street.people(3)])
    street.work()
    ws = street.workspace_id

    assert delivery.facts(ws, dispatch).left_out == {"duplicate": 1}
    assert delivery.left_out(ws, dispatch, "duplicate") == delivery.LeftOutPage((twin,), 1, None)
    assert delivery.left_out(ws, dispatch, "holdout").total == 0
    with pytest.raises(Invalid):
        delivery.left_out(ws, dispatch, "bored")


def test_messages_are_found_by_the_reason_they_were_skipped_for(street: Street) -> None:
    street.route("sendgrid")
    ada = factories.profile(now=street.clock(), email="ada@example.com")
    dispatch = street.launch([ada, *street.people(3)])
    delivery.suppress(street.workspace_id, "email", "ada@example.com", reason="bounced", source="test", now=street.clock())
    street.work()

    page = delivery.messages(street.workspace_id, dispatch_id=dispatch, reason="suppressed")
    assert [view.profile_id for view in page.items] == [ada]
