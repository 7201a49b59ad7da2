"""What a program may stop: vendors, campaigns, the workspace, and single addresses."""

from __future__ import annotations

import pytest

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
