"""What a program may stop, and a shell: vendors, campaigns, the workspace, and single addresses."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from delivery.models import Suppression
from governance.door import AuditEntry
from tests.delivery.conftest import Street
from tests.workflow.test_api import Api

pytestmark = pytest.mark.django_db


def test_a_kill_switch_thrown_by_api_holds_what_it_names_until_it_is_released(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(2))
    api = Api("runs:launch", "runs:read")

    thrown = api.call("POST", "switches", {"scope": "vendor", "key": "sendgrid", "on": True, "reason": "bounces"}).json()
    street.work()
    assert [each["key"] for each in thrown["items"]] == ["sendgrid"] and street.counts(dispatch) == {"waiting": 2}

    assert api.call("POST", "switches", {"scope": "vendor", "key": "sendgrid", "on": False, "reason": "over"}).json() == {"items": []}
    street.clock.pass_(minutes=1)
    street.work()
    assert street.counts(dispatch) == {"sent": 2}
    assert [entry.action for entry in AuditEntry.objects.filter(action__startswith="switch.").order_by("n")] == [
        "switch.thrown",
        "switch.released",
    ]


def test_a_kill_switch_is_thrown_and_released_from_the_shell_with_the_same_rights(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(2))
    street.person("ada"), street.person("ben")

    assert "nothing of it goes out" in switch("on", "--vendor", "sendgrid", "--reason", "bounces", "--as", "ada")
    street.work()
    assert street.counts(dispatch) == {"waiting": 2}
    with pytest.raises(SystemExit):
        switch("off", "--vendor", "sendgrid", "--reason", "over", "--as", "ada")
    assert json.loads(switch("off", "--vendor", "sendgrid", "--reason", "over", "--as", "ben", "--json"))["items"] == []
    street.clock.pass_(minutes=1)
    street.work()
    assert street.counts(dispatch) == {"sent": 2}


def test_without_a_vendor_or_a_campaign_the_shell_stops_everything(street: Street) -> None:
    street.person("ada")
    assert "the whole workspace is on" in switch("on", "--reason", "wrong prices", "--as", "ada")
    thrown = json.loads(switch("on", "--campaign", "spring-sale", "--reason", "wrong prices", "--as", "ada", "--json"))["items"]
    assert [(each["scope"], each["key"]) for each in thrown] == [("campaign", "spring-sale"), ("workspace", "")]


def switch(*words: str) -> str:
    said = io.StringIO()
    call_command("kill_switch", *words, stdout=said)
    return said.getvalue()


def test_a_switch_without_a_reason_or_of_nothing_is_refused() -> None:
    api = Api("runs:launch")
    assert api.call("POST", "switches", {"scope": "vendor", "key": "sendgrid", "on": True, "reason": ""}).status_code == 422
    assert api.call("POST", "switches", {"scope": "vendor", "key": "", "on": True, "reason": "why"}).status_code == 422


def test_an_address_is_suppressed_looked_up_and_lifted_by_api(street: Street) -> None:
    api = Api("profiles:write", "profiles:read")
    asked = {"address": " Ada@Example.com", "reason": "her lawyer wrote"}

    added = api.call("POST", "suppressions", asked)
    assert added.status_code == 201 and added.json()["items"][0]["reason"] == "manual"
    assert api.call("POST", "suppressions/look-up", {"address": "ada@example.com"}).json()["suppressed"] is True
    entry = AuditEntry.objects.get(action="suppression.added")
    assert entry.data == {"channel": "email", "reason": "her lawyer wrote"} and "ada" not in entry.subject
    assert api.call("POST", "suppressions/lift", {**asked, "reason": "she asked"}).json() == {"suppressed": False, "items": []}
    assert api.call("POST", "suppressions/lift", {**asked, "reason": "again"}).status_code == 404
    assert not Suppression.objects.exists()


def test_a_number_is_suppressed_on_the_channel_that_is_named() -> None:
    api = Api("profiles:write", "profiles:read")
    number = "+44 7911 123456"

    api.call("POST", "suppressions", {"address": number, "channel": "whatsapp", "reason": "asked us to"})
    told = api.call("POST", "suppressions/look-up", {"address": "+447911123456"}).json()

    assert [each["channel"] for each in told["items"]] == ["whatsapp"]
    assert api.call("POST", "suppressions", {"address": number, "reason": " "}).status_code == 422
