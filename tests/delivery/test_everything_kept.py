"""Somebody asks what is kept of them: all of it is told, by whatever id, and that it was asked for is in the audit trail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from audience import door as audience
from delivery import door as delivery
from governance.door import Missing, User, create_api_key
from governance.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def test_everything_of_both_who_are_one_is_told(street: Any, tmp_path: Path) -> None:
    street.route("sendgrid")
    anonymous = factories.profile(now=street.clock(), external_id="anon-1", email="old@example.com")
    ann = factories.profile(now=street.clock(), external_id="ann", email="ann@example.com", phone="+442079460958")
    cleo, now = street.person("cleo"), street.clock()
    street.launch([anonymous])
    street.launch([ann], campaign_key="summer-sale")
    street.work()
    audience.record(street.workspace_id, [audience.NewEvent("e1", "looked", "anon-1", now, {"place": "Lisbon"})], now=now)
    street.device(ann, "a-token-of-her-phone-that-is-long")
    audience.change_list(cleo, "fair", ["ann"], by="external_id", now=now)
    delivery.suppress(street.workspace_id, "email", "Ann@example.com", reason="complained", source="tests", now=now)
    audience.merge(cleo, "ann", "anon-1", now=now)
    receipts = street.message_type()
    delivery.decide(receipts, [delivery.NewDecision(ann, {"total": "12.00"})], now=now)

    told = audience.everything_of(cleo, "anon-1", now=now)

    json.dumps(told, default=str)
    assert told["profile"]["external_id"] == "ann" and [each["external_id"] for each in told["other_ids"]] == ["anon-1"]
    assert [each["name"] for each in told["events"]] == ["looked"] and told["events"][0]["properties"] == {"place": "Lisbon"}
    assert {each["campaign"] for each in told["messages"]} == {"spring-sale", "summer-sale"}
    assert told["messages_that_wait"][0]["data"] == {"total": "12.00"}
    assert [each["reason"] for each in told["suppressions"]] == ["complained"]
    assert told["lists"] == ["fair"] and len(told["consent_history"]) == 2 and len(told["consents"]) == 1
    assert "a-token-of-her-phone" not in json.dumps(told, default=str), "a token opens a way to a device"
    assert AuditEntry.objects.filter(action="profile.told", subject=f"profile:{ann}").count() == 1

    call_command("export_person", "ann", "--to", str(tmp_path / "ann.json"), "--as", "cleo")
    written = tmp_path / "ann.json"
    assert json.loads(written.read_text())["profile"]["number"] == ann and written.stat().st_mode & 0o77 == 0
    with pytest.raises(SystemExit):
        call_command("export_person", "ann", "--to", str(written), "--as", "cleo")


def test_only_an_admin_may_ask(street: Any) -> None:
    ann, now = factories.profile(now=street.clock(), external_id="ann"), street.clock()
    for name, status in (("ben", 403), ("cleo", 200)):
        actor = street.person(name)
        client = Client()
        client.force_login(User.objects.get(username=name))
        answer = client.post(f"/console/profiles/{ann}/everything/")
        assert answer.status_code == status
        _, key = create_api_key(street.person("cleo"), f"of {name}", actor.role, ["profiles:read"], None, now)
        answer = Client(headers={"Authorization": f"Bearer {key}"}).get("/api/v1/profiles/ann/everything")
        assert answer.status_code == status
    with pytest.raises(Missing):
        audience.everything_of(street.person("cleo"), "nobody", now=now)
