"""The pages of webhooks and suppressions: what is asked there, what is shown, and what never is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery import suppression_counts, webhook_log
from delivery.door import address_hash, suppress, suppressed
from delivery.models import Suppression, WebhookCall
from governance.door import User
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "ann@example.com"


@pytest.fixture
def now() -> datetime:
    return timezone.now() - timedelta(seconds=5)


def console(name: str, now: datetime) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=factories.person(name, now=now).user_id))
    return client


def stopped() -> bool:
    home = factories.workspace().pk
    hashed = address_hash(home, "email", ADDRESS)
    return suppressed(home, "email", [hashed]) == {hashed}


def test_an_address_is_suppressed_and_lifted_with_reasons_that_stay(now: datetime) -> None:
    author, approver = console("ada", now), console("ben", now)
    where = f"/console/delivery/suppressions/?address={ADDRESS}"
    assert "Not suppressed" in author.get(where).content.decode()
    assert author.post("/console/delivery/suppression/", {"address": ADDRESS}).status_code == 422 and not stopped()
    author.post("/console/delivery/suppression/", {"address": ADDRESS, "reason": "asked us by phone"})
    page = author.get(where).content.decode()
    assert stopped() and "asked us by phone" in page and "by ada" in page and "Lift it" not in page
    approver.post("/console/delivery/suppression/", {"address": ADDRESS, "lift": "1", "channel": "email", "reason": "called again"})
    page = approver.get(where).content.decode()
    assert not stopped() and "called again" in page and "Lifted" in page and "ben" in page


def test_the_list_counts_by_reason_and_shows_no_address(now: datetime) -> None:
    home = factories.workspace().pk
    suppress(home, "email", ADDRESS, reason="bounced", source="event:sendgrid", now=now)
    suppress(home, "sms", "+447911123456", reason="stopped", source="twilio:keyword", now=now)
    page = console("vera", now).get("/console/delivery/suppressions/?channel=sms&reason=stopped").content.decode()
    assert "Answered STOP, SMS, newest first" in page and "a reply through Twilio Messages" in page and "2 addresses" in page
    assert page.count("SendGrid v3") == 0 and "twilio:keyword" not in page
    by_channel = console("vera", now).get("/console/delivery/suppressions/?channel=sms").content.decode()
    assert "All, SMS, newest first" in by_channel and '<option value="sms" selected>SMS' in by_channel and "SendGrid v3" not in by_channel
    assert ADDRESS not in page and "+447911123456" not in page and Suppression.objects.count() == 2


@pytest.mark.sqlite
def test_two_million_suppressions_are_counted_and_paged_in_an_index_that_their_import_does_not_meet(now: datetime) -> None:
    home, client = factories.workspace().pk, console("vera", now)
    with CaptureQueriesContext(connection) as asked:
        suppress(home, "email", ADDRESS, reason="unsubscribed", source="event:omni", now=now)
        suppress(home, "email", ADDRESS, reason="bounced", source="event:sendgrid", now=now)
    assert Suppression.objects.get().reason == "bounced" and not any("suppressions_by_reason" in plan for plan in plans(asked))
    with CaptureQueriesContext(connection) as asked:
        client.get("/console/delivery/suppressions/?channel=email&reason=bounced")
    found = [plan for plan in plans(asked) if "suppressions_by_reason" in plan]
    assert "COVERING INDEX" in found[0] and "channel=? AND reason=?" in found[1] and "TEMP B-TREE" not in found[1]
    for asked_for, index in (("reason=bounced", "suppressions_of_a_reason"), ("channel=email", "suppressions_of_a_channel")):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/console/delivery/suppressions/?{asked_for}")
        listed = plans(asked)[1]
        assert index in listed and "TEMP B-TREE" not in listed, "a rare one is found without reading the others"


def test_many_suppressions_are_counted_once_a_minute_and_the_pages_say_when(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression_counts, "MANY", 2)
    monkeypatch.setattr(suppression_counts, "_remembered", {})
    monkeypatch.setattr(timezone, "now", lambda: now)
    home, client = factories.workspace().pk, console("vera", now)
    pages = ("/console/delivery/suppressions/", "/console/delivery/")

    def tell(number: int) -> list[str]:
        suppress(home, "email", f"somebody-{number}@example.com", reason="bounced", source="event:sendgrid", now=now)
        return [" ".join(client.get(page).content.decode().split()) for page in pages]

    assert all(", counted <time" not in page and '"number">1</td>' in page for page in tell(1))
    assert all(", counted <time" not in page and '"number">2</td>' in page for page in tell(2)[:1])
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=59))
    assert all(", counted <time" in page and '"number">2</td>' in page for page in tell(3))
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=61))
    assert '"number">4</td>' in tell(4)[0]


def plans(asked: CaptureQueriesContext) -> list[str]:
    """How the database goes about each of these statements about suppressions."""
    with connection.cursor() as cursor:
        explained = []
        for statement in (each["sql"] for each in asked.captured_queries if "delivery_suppression" in each["sql"]):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            explained.append(" ".join(str(row[-1]) for row in cursor.fetchall()))
    return explained


def test_the_log_is_filtered_and_a_vendor_that_fails_is_told_of_on_the_delivery_page(now: datetime) -> None:
    home = factories.workspace().pk
    WebhookCall.objects.create(workspace_id=home, vendor="twilio", received_at=now, outcome="kept", events=7, new=7, drawn_at=now)
    for _ in range(3):
        webhook_log._held.clear()
        webhook_log.refused("sendgrid", "", webhook_log.BAD_SIGNATURE, now=now)
    client = console("vera", now)
    page = client.get("/console/delivery/webhooks/?outcome=refused&vendor=sendgrid").content.decode()
    assert page.count("Turned away</") >= 3 and webhook_log.BAD_SIGNATURE in page and ">7<" not in page
    assert ">7<" in client.get("/console/delivery/webhooks/?vendor=twilio").content.decode()
    health = client.get("/console/delivery/").content.decode()
    assert "of SendGrid v3 turned away in the last hour" in health and "All is well." not in health
    assert webhook_log.ADVICE[webhook_log.BAD_SIGNATURE] in client.get("/console/delivery/webhooks/").content.decode()
