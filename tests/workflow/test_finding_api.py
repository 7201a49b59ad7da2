"""Who got what and why, and what is in doubt, by HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from delivery.models import Attempt
from delivery.states import AttemptState
from governance.door import AuditEntry
from tests import factories as make
from tests.delivery.sent import sent
from tests.workflow.test_api import Api
from workflow import pipeline, worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def launched() -> Any:
    """A campaign that reached Ada and left out Bob, who said no."""
    now = timezone.now()
    make.profile(now=now, external_id="ada", email="ada@example.com", phone="+4915112345678")
    make.profile(now=now, external_id="bob", email="bob@example.com", consents=())
    make.put("attribute", "first_name", make.attribute(sensitivity="personal"), now=now)
    make.put("segment", "everyone", make.segment(), now=now)
    make.put("template", "offer", make.template(), now=now)
    make.put("sending_policy", "default", make.policy(), now=now)
    make.in_force("campaign", "spring-sale", make.campaign(), now=now)
    run = pipeline.launch(make.person("ben", now=now), "spring-sale", now=now)
    worker.drain()
    return run


def test_messages_are_searched_by_address_and_the_search_is_audited_without_it(launched: Any) -> None:
    api = Api("messages:read")

    found = api.call("POST", "messages/search", {"address": " ADA@Example.com"}).json()

    assert [(item["external_id"], item["state"], item["key"]) for item in found["items"]] == [("ada", "sent", "spring-sale")]
    assert api.call("GET", found["items"][0]["href"].removeprefix("/api/v1/")).json()["state"] == "sent"
    entry = AuditEntry.objects.get(action="messages.searched")
    assert entry.subject.startswith("address:") and "ada" not in f"{entry.subject} {entry.data}"
    by_number = api.call("POST", "messages/search", {"address": "0049 151 123-45678"}).json()
    assert by_number["external_id"] == "ada" and len(by_number["items"]) == 1


def test_a_person_sees_the_runs_that_left_them_out_too(launched: Any) -> None:
    found = Api("messages:read").call("POST", "messages/search", {"external_id": "bob"}).json()

    assert found["items"] == []
    (told,) = found["runs"]
    assert (told["run"], told["campaign"], told["state"], told["reason"]) == (launched.pk, "spring-sale", "left_out", "no_consent")


def test_a_search_for_nothing_or_for_no_address_is_refused() -> None:
    api = Api("messages:read")
    assert api.call("POST", "messages/search", {}).status_code == 422
    assert api.call("POST", "messages/search", {"address": "ada"}).json()["findings"][0]["path"] == "/address"
    assert api.call("POST", "messages/search", {"external_id": "nobody"}).status_code == 404


def test_what_is_in_doubt_is_listed_and_decided_with_its_number() -> None:
    doubt = sent(3, now=timezone.now(), state=AttemptState.IN_DOUBT).attempt()
    api = Api("runs:read", "runs:launch")

    (listed,) = api.call("GET", "in-doubt").json()["items"]
    assert (listed["id"], listed["messages"]) == (doubt.pk, 3) and listed["words"]
    wrong = api.call("POST", f"in-doubt/{doubt.pk}", {"verdict": "sent", "count": 4})
    assert wrong.status_code == 422 and wrong.json()["findings"][0]["path"] == "/count"
    assert api.call("POST", f"in-doubt/{doubt.pk}", {"verdict": "sent", "count": 3}).status_code == 204

    assert Attempt.objects.get().state == AttemptState.SENT and api.call("GET", "in-doubt").json()["items"] == []
