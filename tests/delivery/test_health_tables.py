"""The Delivery page's last day, cut by vendor, by recipients' domain and by hour."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from delivery import door as delivery
from delivery import health_tables, heard
from governance.door import User
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def test_what_was_sent_and_told_is_counted_in_its_hour(street: Street) -> None:
    street.route("sendgrid")
    street.clock.at = street.clock.at.replace(minute=10)
    street.launch(street.people(4))
    street.work()
    began = street.clock().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    street.clock.pass_(hours=2)
    street.hear("bounce", street.vendor.accepted[:1])
    street.hear("spamreport", street.vendor.accepted[1:2])
    said = heard.heard(street.workspace_id, now=street.clock())
    hours = health_tables.by_hour(street.workspace_id, said, now=street.clock())
    assert len(hours) == 24 and hours[-1].begins == began + timedelta(hours=2)
    assert (hours[-3].begins, hours[-3].handed, hours[-3].bad) == (began, 4, 0)
    assert (hours[-1].handed, hours[-1].told["bounced"], hours[-1].bad) == (0, 1, 2)
    assert all(not hour.handed and not hour.told for hour in hours[:-3])
    street.clock.pass_(hours=23)
    quiet = health_tables.by_hour(street.workspace_id, said, now=street.clock())
    assert not any(hour.handed for hour in quiet)


def test_opens_of_machines_stand_apart_from_what_a_vendor_told_of_people(street: Street) -> None:
    street.route("sendgrid")
    street.launch(street.people(3))
    street.work()
    street.hear("delivered")
    street.hear("open", street.vendor.accepted[:2])
    [(vendor, told, machines)] = health_tables.by_vendor(heard.heard(street.workspace_id, now=street.clock()))
    counts = dict(zip(health_tables.TOLD, told, strict=True))
    assert vendor == "sendgrid" and counts["delivered"] == 3 and counts["opened"] + machines == 2


def test_a_mailbox_provider_that_bounces_stands_out(street: Street) -> None:
    street.route("sendgrid")
    good = street.people(3, domain="example.org")
    street.launch([*good, *street.people(2, domain="example.net")])
    street.work()
    cross = [one for one in street.vendor.accepted if one.address.endswith("@example.net")]
    street.hear("bounce", cross)
    street.hear("delivered", [one for one in street.vendor.accepted if one not in cross])
    found = {
        one.domain: (one.messages, one.delivered, one.bounced) for one in health_tables.by_domain(street.workspace_id, now=street.clock())
    }
    assert found == {"example.org": (3, 3, 0), "example.net": (2, 0, 2)}


def test_the_pages_say_which_vendor_is_switched_off_and_who_waits(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", street.clock)
    street.route("sendgrid", quotas=[{"count": 40, "per": "second", "of": "recipient_domain", "domains": ["example.org"]}])
    street.route("twilio")
    street.launch(street.people(7))
    delivery.kill(street.person("ben"), "vendor", "twilio", True, reason="Numbers are ported", now=street.clock())
    street.person("ada")
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    health = client.get("/console/delivery/").content.decode()
    assert "Nothing by Twilio Messages goes out" in health and "Switched off" in health and "7 people wait" in health
    routes = client.get("/console/delivery/routes/").content.decode()
    assert "40 messages in a second to example.org" in routes and "Switched off" in routes and "Numbers are ported" in routes


@pytest.mark.sqlite
def test_an_hour_that_is_over_is_counted_again_once_something_of_it_comes_late(street: Street) -> None:
    street.route("sendgrid")
    street.launch(street.people(3))
    street.work()
    street.hear("delivered", street.vendor.accepted[:2])
    within = street.clock()
    street.clock.pass_(hours=1)

    before = heard.heard(street.workspace_id, now=street.clock())
    again = heard.heard(street.workspace_id, now=street.clock())
    later, street.clock.at = street.clock(), within
    street.hear("delivered", street.vendor.accepted[2:])
    after = heard.heard(street.workspace_id, now=later)

    assert [many for _, _, _, _, many in before] == [2] and before == again
    assert [(vendor, kind, many) for vendor, kind, _, _, many in after] == [("sendgrid", "delivered", 3)]


@pytest.mark.sqlite
def test_a_day_of_events_is_counted_in_the_index_and_not_in_the_table(street: Street, django_assert_num_queries: Any) -> None:
    street.route("sendgrid")
    street.launch(street.people(3))
    street.work()
    street.hear("delivered")
    with django_assert_num_queries(2) as asked:
        heard.heard(street.workspace_id, now=street.clock())
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked.captured_queries[-1]['sql']}")
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert plan.count("COVERING INDEX vendor_events_by_kind") == 2 and "TEMP B-TREE" not in plan
