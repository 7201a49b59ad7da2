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
    assert [stop.room for stop in told.stops] == ["delivery", "delivery", "vendor", "vendor"]
    assert told.stops[2].facts["resolved_by"] == "vendor" and told.stops[3].facts["event"] == "delivered"


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
    assert (told.state, told.stops[0].facts["wave"]) == ("planned", 1)


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
