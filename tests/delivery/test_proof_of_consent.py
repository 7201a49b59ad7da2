"""Somebody asks "why did you write to me?": for each message that left, the API gives who agreed, when, through what and to which words,
in the person's history and with the message itself; and so does the console's page of the message.

`OMNI_TEST_ASKING=100` asks about a hundred of them.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.test import Client

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import User
from tests import factories
from tests.delivery.conftest import Street
from tests.workflow.test_api import Api

pytestmark = pytest.mark.django_db
ASKING = int(os.environ.get("OMNI_TEST_ASKING", "10"))
WITH_A_LINK = {"subject": "Please", "blocks": [{"type": "text", "id": "ask", "text": "[Confirm]({{ confirm_url }})"}]}
TOPICS, SOURCES = ["offers", "news", "trips"], ["sign-up form", "check-out", "preference page"]


def agreed(street: Street, draw: Random) -> tuple[int, str, dict[str, str | None]]:
    """Somebody who said yes some days ago, perhaps after a no or another yes: their number, their name, and what they said."""
    wording = f"Yes, write to me ({draw.random()})"
    said = {"channel": "email", "topic": draw.choice(TOPICS), "source": draw.choice(SOURCES), "wording": wording}
    person, at = factories.profile(now=street.clock(), consents=()), street.clock() - timedelta(days=draw.uniform(10, 900))
    for state in draw.choice([[], ["unsubscribed"], ["subscribed", "unsubscribed"]]):
        earlier = {**said, "source": "paper", "wording": ""}
        audience.set_consent(street.workspace_id, [person], state=state, now=at - timedelta(days=draw.uniform(1, 9)), **earlier)
    audience.set_consent(street.workspace_id, [person], state="subscribed", now=at, **said)
    [found] = audience.load(street.workspace_id, [person])
    terms = {"basis": "consent", "expires_at": None, "confirm_until": None, "confirms": None}
    return person, found.external_id, {**said, "state": "subscribed", **terms, "at": at.isoformat()}


def history(client: Client, external_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/profiles/{external_id}/consents/history")
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_for_every_message_that_left_the_consent_behind_it_is_given(street: Street) -> None:
    draw = Random(7)
    street.route("sendgrid")
    crowd = [agreed(street, draw) for _ in range(ASKING)]
    for topic in TOPICS:
        street.launch([person for person, _, said in crowd if said["topic"] == topic], campaign_key=f"about-{topic}", topic=topic)
    street.work()
    sent_at = street.clock()
    assert len(street.vendor.accepted) == ASKING
    for person, _, said in crowd[::2]:  # what somebody says afterwards doesn't hide what they had said
        street.clock.pass_(minutes=1)
        audience.set_consent(
            street.workspace_id, [person], channel="email", topic=said["topic"], state="unsubscribed", source="link", now=street.clock()
        )

    scopes = ["profiles:read", "messages:read"]
    key = governance.create_api_key(street.person("cleo"), "asks", "author", scopes, None, street.clock())[1]
    client = Client(headers={"Authorization": f"Bearer {key}"})
    for person, external_id, said in crowd:
        before = [one for one in history(client, external_id) if datetime.fromisoformat(one["at"]) <= sent_at]
        assert told(before[0]) == said, person
        [message] = delivery.messages(street.workspace_id, profile_id=person).items
        permission = client.get(f"/api/v1/messages/{message.message_id}").json()["permission"]
        assert told(permission.pop("consent")) == said, person
        assert permission == {
            "verdict": "agreed",
            "words": "agreed before it was sent",
            "channel": "email",
            "topic": said["topic"],
            "message_class": "promotional",
            "at": permission["at"],
        }
        assert datetime.fromisoformat(permission["at"]) == message.at


def told(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the ledger without its number, which is there."""
    assert entry["number"] > 0
    return {name: value for name, value in entry.items() if name != "number"} | {"at": datetime.fromisoformat(entry["at"]).isoformat()}


ABOUT = {"channel": "email", "topic": "offers"}


def permitted(street: Street, person: int) -> delivery.Permission:
    [message] = delivery.messages(street.workspace_id, profile_id=person).items
    return delivery.permission(street.workspace_id, message.message_id)


def test_a_message_that_did_not_go_says_what_was_missing(street: Street) -> None:
    """Planned while everybody agreed; looked at when each of them had said something else."""
    street.route("sendgrid")
    away, ended, pending, unheard = people = street.people(4)
    run = street.launch(people)
    now = street.clock.pass_(minutes=1)
    template = factories.template(message_class="transactional", topic=None, variables={}, locales={"en": WITH_A_LINK})
    factories.put("template", "please", template, now=now)
    audience.set_consent(street.workspace_id, [away, pending], **ABOUT, state="unsubscribed", source="link", now=now)
    audience.set_consent(street.workspace_id, [ended], **ABOUT, state="subscribed", source="form", expires_at=now, now=now)
    body = {"title": "Offers", "channel": "email", "topics": ["offers"], "confirm_with": "please"}
    factories.in_force("opt_in", "offers", body, now=now)
    audience.set_consent(street.workspace_id, [pending], **ABOUT, state="subscribed", source="form", now=now)
    street.clock.pass_(minutes=1)
    street.work()
    verdicts = {each: permitted(street, each) for each in people}
    assert [verdicts[each].verdict for each in people] == ["refused", "expired", "pending", "agreed"]
    assert [street.why(run, each)[1] for each in people] == ["no_consent", "no_consent", "no_consent", ""]
    assert verdicts[pending].words == "has not confirmed yet"
    [looked] = [stop for stop in delivery.why(street.workspace_id, run, pending).stops if "because" in stop.facts]
    assert looked.facts["because"] == "has not confirmed yet"

    client = Client()
    client.force_login(User.objects.get(pk=street.person("vera").user_id))
    [message] = delivery.messages(street.workspace_id, profile_id=pending).items
    page = client.get(f"/console/messages/{message.message_id}/").content.decode()
    assert "has not confirmed yet" in page and "Permitted by" not in page
    [message] = delivery.messages(street.workspace_id, profile_id=unheard).items
    assert "Permitted by" in client.get(f"/console/messages/{message.message_id}/").content.decode()


def test_who_was_left_out_when_it_was_planned_is_told_so_in_the_same_words(street: Street) -> None:
    street.route("sendgrid")
    [stranger] = [factories.profile(now=street.clock(), consents=())]
    run = street.launch([stranger])
    [stop] = delivery.why(street.workspace_id, run, stranger).stops
    assert stop.facts["because"] == "had never agreed"


def test_what_needs_no_consent_says_so(street: Street) -> None:
    street.route("sendgrid")
    [one, other] = street.people(2)
    street.decide(street.message_type(), [one])
    street.decide(street.message_type(key="timetable", message_class="service", topic="offers"), [other])
    street.work()
    assert permitted(street, one).words == "needs no consent: class transactional"
    service = permitted(street, other)
    assert service.verdict == "not_refused" and service.said is not None and service.said.state == "subscribed"


def test_of_the_erased_nothing_is_shown_but_that_they_were(street: Street) -> None:
    street.route("sendgrid")
    [person] = street.people(1)
    street.launch([person])
    street.work()
    [known] = audience.load(street.workspace_id, [person])
    audience.erase(street.person("cleo"), known.external_id, now=street.clock())
    found = permitted(street, person)
    assert (found.verdict, found.said) == ("erased", None)
    api = Api("messages:read")
    [message] = delivery.messages(street.workspace_id, profile_id=person).items
    answer = api.call("GET", f"messages/{message.message_id}").json()["permission"]
    assert answer["consent"] is None and "erased" in answer["words"]


def test_of_two_who_became_one_each_message_has_the_consent_of_whom_it_went_to(street: Street) -> None:
    street.route("sendgrid")
    stays, goes = street.people(2)
    audience.set_consent(street.workspace_id, [stays], **ABOUT, state="unsubscribed", source="link", now=street.clock.pass_(seconds=1))
    run = street.launch([goes])
    street.work()
    names = {each.id: each.external_id for each in audience.load(street.workspace_id, [stays, goes])}
    audience.merge(street.person("cleo"), names[stays], names[goes], now=street.clock.pass_(minutes=1))
    [message] = delivery.messages(street.workspace_id, dispatch_id=run).items
    found = delivery.permission(street.workspace_id, message.message_id)
    assert message.profile_id == stays and found.verdict == "agreed" and found.said is not None and found.said.source == "tests"


def test_asking_costs_the_same_however_long_the_history_is(street: Street, django_assert_max_num_queries: Any) -> None:
    street.route("sendgrid")
    [person] = street.people(1)
    for turn in range(60):
        state: Any = ("unsubscribed", "subscribed")[turn % 2]
        audience.set_consent(street.workspace_id, [person], **ABOUT, state=state, source=f"form {turn}", now=street.clock.pass_(seconds=1))
    street.launch([person])
    street.work()
    [message] = delivery.messages(street.workspace_id, profile_id=person).items
    with django_assert_max_num_queries(5):
        found = delivery.permission(street.workspace_id, message.message_id)
    assert found.said is not None and found.said.source == "form 59"


def test_another_workspace_learns_nothing(street: Street) -> None:
    street.route("sendgrid")
    [person] = street.people(1)
    street.launch([person])
    street.work()
    [message] = delivery.messages(street.workspace_id, profile_id=person).items
    other = governance.create_workspace("elsewhere", "Elsewhere").pk
    with pytest.raises(governance.Missing):
        delivery.permission(other, message.message_id)
