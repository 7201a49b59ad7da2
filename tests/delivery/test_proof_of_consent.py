"""Somebody asks "why did you write to me?": for each message that left, the API gives who agreed, when, through what and to which words.

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
from governance import door as governance
from tests import factories
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db
ASKING = int(os.environ.get("OMNI_TEST_ASKING", "10"))
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
    return person, found.external_id, {**said, "state": "subscribed", "basis": "consent", "expires_at": None, "at": at.isoformat()}


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

    key = governance.create_api_key(street.person("cleo"), "asks", "author", ["profiles:read"], None, street.clock())[1]
    client = Client(headers={"Authorization": f"Bearer {key}"})
    for person, external_id, said in crowd:
        before = [one for one in history(client, external_id) if datetime.fromisoformat(one["at"]) <= sent_at]
        latest = {**before[0], "at": datetime.fromisoformat(before[0]["at"]).isoformat()}
        assert latest == said, person
