"""The Delivery page's answers: rates against limits, what went wrong, where mail bounced, money against budgets."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from delivery import vendor_health
from governance.door import User
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db
PRICE = {"currency": "EUR", "per": "message", "otherwise_micros": 500}


def test_the_busiest_minute_is_told_beside_the_rate(street: Street) -> None:
    street.route("sendgrid", per_second=50)
    street.launch(street.people(60), batch_size=10)
    street.work()
    [account] = vendor_health.accounts(street.workspace_id, kept=False, now=street.clock())
    assert account["per_second"] == 50 and account["peak"] == pytest.approx(1.0)


def test_refusals_and_silence_are_counted_by_what_the_vendor_said(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: {0: "429", 1: "drop"}.get(number, "ok")
    street.launch(street.people(30), batch_size=10)
    for _ in range(4):
        street.work()
        street.clock.pass_(minutes=5)
    troubles = vendor_health.troubles(street.workspace_id, now=street.clock())
    assert {(each["state"], each["requests"], each["messages"]) for each in troubles} == {("refused", 1, 10), ("in doubt", 1, 10)}
    assert any("429" in each["detail"] for each in troubles)
    street.clock.pass_(hours=25)
    assert vendor_health.troubles(street.workspace_id, now=street.clock()) == []


def test_bounces_are_counted_by_the_domain_they_came_from(street: Street) -> None:
    street.route("sendgrid")
    street.launch(street.people(5))
    street.work()
    street.hear("bounce", street.vendor.accepted[:3])
    domain = street.vendor.accepted[0].address.rpartition("@")[2]
    assert vendor_health.bounces_by_domain(street.workspace_id, now=street.clock()) == [(domain, 3)]


def test_what_a_run_has_spent_stands_beside_its_budget(street: Street) -> None:
    street.route("sendgrid", price=PRICE)
    street.launch(street.people(4), budget_micros=4_000, currency="EUR")
    street.launch(street.people(4), budget_micros=2_500, currency="EUR", campaign_key="autumn-sale")
    street.work()
    told = vendor_health.budgets(street.workspace_id, now=street.clock())
    assert [(each["key"], each["spent"], each["budget"]) for each in told] == [("autumn-sale", 2_000, 2_500), ("spring-sale", 2_000, 4_000)]


def test_the_page_shows_all_of_it(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", street.clock)
    street.route("sendgrid", per_second=50, price=PRICE)
    street.vendor.fault = lambda number: "429" if number == 0 else "ok"
    street.launch(street.people(4), budget_micros=4_000, currency="EUR")
    street.work()
    street.clock.pass_(minutes=5)
    street.work()
    street.hear("bounce", street.vendor.accepted[:1])
    street.route("twilio")
    street.person("vera")
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    said = client.get("/console/delivery/").content.decode()
    assert said.count("no prices") == 1, "a route without prices has no cost of 0"
    assert "What went wrong" in said and "Bounces at" in said and "Budgets" in said


def test_a_vendor_to_which_nothing_goes_is_not_called_well(street: Street, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(timezone, "now", street.clock)
    street.route("sendgrid", title="SendGrid, main")
    street.launch(street.people(2))
    street.work()
    street.person("vera")
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    settings.OMNI = settings.OMNI.model_copy(update={"vendor": "routes"})
    said = client.get("/console/delivery/").content.decode()
    assert "Well" in said and "All is well." in said and "Everything stays in the outbox." not in said
    settings.OMNI = settings.OMNI.model_copy(update={"vendor": "outbox"})
    said = client.get("/console/delivery/").content.decode()
    assert "Everything stays in the outbox." in said and "Stays in the outbox" in said and "Well" not in said


def test_a_vendor_that_left_requests_unanswered_is_not_called_well(street: Street, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(timezone, "now", street.clock)
    settings.OMNI = settings.OMNI.model_copy(update={"vendor": "routes"})
    street.route("sendgrid", title="SendGrid, main")
    street.vendor.fault = lambda _: "accept_drop"
    street.launch(street.people(2))
    street.work()
    street.person("vera")
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    said = client.get("/console/delivery/").content.decode()
    assert "SendGrid, main: no answer for 2 messages, so they are in doubt" in said and "Left us in doubt" in said and "well." not in said
