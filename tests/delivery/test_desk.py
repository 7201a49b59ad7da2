"""The desk for what is in doubt: what is waited for, and what a person decides about a request or one message of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from delivery import desk
from delivery import door as delivery
from delivery.models import Attempt, Message
from governance.door import AuditEntry, Invalid, Missing, User
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


@pytest.fixture
def doubtful(street: Street) -> Street:
    """One request with three messages that was never answered."""
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop"
    street.launch(street.people(3))
    street.work()
    return street


def waits(street: Street) -> list[str]:
    return [each.waits_for for each in desk.doubts(street.workspace_id, now=street.clock())]


def test_it_says_what_is_waited_for_as_time_goes_on(doubtful: Street) -> None:
    assert waits(doubtful) == ["event"]
    doubtful.clock.pass_(minutes=20)
    assert waits(doubtful) == ["person"], "nothing follows, and the route names no seed"
    doubtful.vendor.fault = lambda number: "ok"
    doubtful.launch(doubtful.people(1), campaign_key="later")
    doubtful.work()
    assert waits(doubtful) == ["neighbours"]
    doubtful.hear("processed", doubtful.vendor.accepted[-1:])
    assert waits(doubtful) == ["neighbours"], "it may be the first of a heap"
    doubtful.clock.pass_(seconds=61)
    doubtful.hear("delivered", doubtful.vendor.accepted[-1:])
    assert waits(doubtful) == ["round"]


def test_accounts_show_their_doubts_by_age(doubtful: Street) -> None:
    doubtful.clock.pass_(hours=2)
    doubtful.launch(doubtful.people(2), campaign_key="later")
    doubtful.work()

    (account,) = desk.accounts(doubtful.workspace_id, now=doubtful.clock())

    assert (account.account, account.requests, account.messages) == ("sendgrid", 2, 5)
    assert dict(account.ages) == {"under 15 minutes": 2, "under an hour": 0, "under a day": 3, "longer": 0}


@pytest.mark.parametrize(("verdict", "state"), [("sent", "sent"), ("give_up", "failed"), ("resend", "sent")])
def test_one_message_of_a_request_is_decided_alone(doubtful: Street, verdict: Any, state: str) -> None:
    ben, doubt = doubtful.person("ben"), Attempt.objects.get()
    doubtful.vendor.fault = lambda number: "ok"

    delivery.resolve_in_doubt(ben, doubt.pk, verdict, n=1, confirm=True, typed=1, now=doubtful.clock())
    doubtful.work()

    words = {view.n: view.state for view in delivery.messages(doubtful.workspace_id, dispatch_id=doubt.dispatch_id).items}
    assert words == {0: "in doubt", 1: state, 2: "in doubt"}
    assert Attempt.objects.get(pk=doubt.pk).count == 2
    assert len(doubtful.vendor.accepted) == (4 if verdict == "resend" else 3)
    assert AuditEntry.objects.get(action="attempt.resolved").data["n"] == 1


def test_after_one_was_set_apart_an_event_proves_only_its_own_request(doubtful: Street) -> None:
    ben, doubt = doubtful.person("ben"), Attempt.objects.get()
    delivery.resolve_in_doubt(ben, doubt.pk, "give_up", n=1, now=doubtful.clock())

    doubtful.hear("delivered", doubtful.vendor.accepted[:1])

    words = [view.state for view in delivery.messages(doubtful.workspace_id, dispatch_id=doubt.dispatch_id).items]
    assert words == ["delivered", "failed", "sent"]


def test_a_decision_repeats_how_many_it_is_about(doubtful: Street) -> None:
    ben, doubt = doubtful.person("ben"), Attempt.objects.get()
    with pytest.raises(Invalid, match="3, the number of messages"):
        delivery.resolve_in_doubt(ben, doubt.pk, "give_up", confirm=True, typed=2, now=doubtful.clock())
    with pytest.raises(Missing):
        delivery.resolve_in_doubt(ben, doubt.pk, "give_up", n=9, now=doubtful.clock())

    delivery.resolve_in_doubt(ben, doubt.pk, "give_up", confirm=True, typed=3, now=doubtful.clock())

    assert not desk.doubts(doubtful.workspace_id, now=doubtful.clock())


def test_the_page_asks_for_the_number_and_says_what_each_choice_risks(doubtful: Street, client: Client) -> None:
    ben, doubt = doubtful.person("ben"), Attempt.objects.get()
    client.force_login(User.objects.get(pk=ben.user_id))
    listed = client.get("/console/delivery/in-doubt/").content.decode()
    assert f"/console/delivery/in-doubt/{doubt.pk}/" in listed and "under 15 minutes" in listed.lower()

    page = f"/console/delivery/in-doubt/{doubt.pk}/"
    shown = client.get(page).content.decode()
    places = [int(row.split("<")[0]) for row in shown.split('data-label="Place in the run">')[1:]]
    assert "3 people get it twice" in shown and places == [1, 2, 3], "people count from 1"
    refused = client.post(page, {"verdict": "sent", "count": "2"})
    assert refused.status_code == 422 and "3, the number of messages" in refused.content.decode()
    assert 'value="sent" checked' in refused.content.decode(), "what was chosen stays chosen"
    token = delivery.message_id(doubt.dispatch_id, 1)
    assert client.post(page, {"verdict": "sent", "count": "1", "message": token}).status_code == 302

    assert "1 message of request" in client.get("/console/").content.decode()
    assert client.post(page, {"verdict": "sent", "count": "2"}).status_code == 302
    assert f"2 messages of request {doubt.pk}: counted as sent." in client.get("/console/").content.decode()
    assert Message.objects.count() == 3 and not Attempt.objects.filter(state=20).exists()
