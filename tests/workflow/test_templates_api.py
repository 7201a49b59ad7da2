"""A template is looked at and tried by a program as it is on its preview page."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from delivery.models import OutboxMail
from governance import door as governance
from governance.door import Role
from tests import factories as make

pytestmark = pytest.mark.django_db


def ask(now: datetime, path: str, body: dict[str, Any], *scopes: str, role: Role = Role.AUTHOR) -> Any:
    _, text = governance.create_api_key(make.person("cleo", now=now), "tests", role, scopes, None, now)
    return Client().post(
        f"/api/v1/templates/{path}", json.dumps(body), content_type="application/json", headers={"Authorization": f"Bearer {text}"}
    )


@pytest.fixture(autouse=True)
def _offer(now: datetime) -> None:
    make.put("attribute", "first_name", make.attribute(title="First name", sensitivity="personal"), now=now)
    make.put("template", "offer", make.template(), now=now)
    make.profile(now=now, external_id="ada", attributes={"first_name": "Augusta"})


def test_a_draft_is_seen_with_samples_or_through_somebodys_eyes(now: datetime) -> None:
    scopes = ("documents:read", "profiles:read")
    assert ask(now, "offer/preview", {}, *scopes).json()["subject"] == "Hello Ada"
    seen = ask(now, "offer/preview", {"external_id": "ada"}, *scopes).json()
    assert (seen["subject"], seen["revision"], seen["locale"]) == ("Hello Augusta", 1, "en")
    assert "Spring is here, Augusta." in seen["html"] and seen["bytes"] == len(seen["html"].encode())


def test_a_persons_eyes_need_the_scope_to_read_people(now: datetime) -> None:
    answer = ask(now, "offer/preview", {"external_id": "ada"}, "documents:read")
    assert answer.status_code == 403 and "profiles:read" in answer.json()["detail"]


def test_what_nobody_has_is_named(now: datetime) -> None:
    answer = ask(now, "offer/preview", {"external_id": "nobody"}, "documents:read", "profiles:read")
    assert (answer.status_code, answer.json()["findings"][0]["path"]) == (422, "/external_id")
    assert ask(now, "offer/preview", {"revision": 9}, "documents:read").status_code == 404


def test_a_test_goes_to_the_keys_maker_and_to_nobody_else(now: datetime) -> None:
    answer = ask(now, "offer/test", {"external_id": "ada"}, "messages:send", "profiles:read")
    assert answer.json()["accepted"] is True
    mail = OutboxMail.objects.get()
    assert (mail.recipient, mail.subject) == ("cleo@example.com", "[Test] Hello Augusta")
    assert ask(now, "offer/test", {"address": "eve@example.com"}, "messages:send").status_code == 422


def test_the_preview_page_sends_the_same_test(now: datetime, client: Client) -> None:
    client.force_login(governance.User.objects.get(pk=make.person("ada", now=now).user_id))
    answer = client.post("/console/templates/offer/test/", {"person": "ada"})
    assert b"Sent to ada@example.com" in answer.content
    assert OutboxMail.objects.get().subject == "[Test] Hello Augusta"
