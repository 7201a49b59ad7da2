"""A campaign to whoever has a booking, with the booking in it, from the segment to the click."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection
from django.test import Client

from audience import door as audience
from delivery.models import OutboxMail
from tests import factories as make
from tests.audience.statements import noting
from workflow import pipeline, worker
from workflow.links import link_target

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(now: datetime) -> str:
    """Three people, two with bookings in Rome, and a campaign to those."""
    home = make.workspace().pk
    make.put("record_type", "booking", make.record_type(order_by="arrival", order="ascending"), now=now)
    for name in ("ada", "bob", "cyd"):
        make.profile(now=now, external_id=name, email=f"{name}@example.com")
    rows = [
        audience.RecordRow("b-1", {"city": "Rome", "nights": 2, "arrival": "2026-09-01"}, [("ada", "guest"), ("bob", "payer")]),
        audience.RecordRow("b-2", {"city": "Rome", "nights": 5, "arrival": "2026-08-01"}, [("ada", "guest"), ("bob", "guest")]),
        audience.RecordRow("b-3", {"city": "Oslo"}, [("cyd", "guest")]),
    ]
    assert audience.upsert_records(home, "booking", rows, now=now).related == 5
    variables = {
        "stays": {"source": "record.booking", "type": "list", "sample": [{"external_id": "b-0", "city": "Rome"}]},
        "day": {"source": "record.booking.arrival", "type": "date", "sample": "2026-08-01"},
    }
    letter = make.letter("From {{ day|date('long') }}", "{{ stays|length }} stays: {{ stays|each('external_id')|join(' and ') }}.")
    letter["blocks"].insert(
        1, {"type": "button", "id": "mine", "label": "Go", "href": "https://shop.example.com/{{ stays[0].external_id }}"}
    )
    rule = {"record": "booking", "role": "guest", "where": [{"field": "city", "op": "is", "value": "rome"}]}
    make.put("attribute", "first_name", make.attribute(title="First name", sensitivity="personal"), now=now)
    make.put("segment", "everyone", make.segment(rule=rule), now=now)
    make.put("template", "offer", make.template(variables=variables, locales={"en": letter}), now=now)
    make.put("sending_policy", "default", make.policy(), now=now)
    make.in_force("campaign", "spring-sale", make.campaign(), now=now)
    return "spring-sale"


def test_everybody_reads_of_their_own_bookings_which_are_read_at_once(key: str, now: datetime) -> None:
    run = pipeline.launch(make.person("ben", now=now), key, now=now, typed_count=2)
    asked: list[str] = []
    with connection.execute_wrapper(noting(asked)):
        worker.drain(now=lambda: now)
    mails = {mail.recipient: mail for mail in OutboxMail.objects.all()}
    assert sorted(mails) == ["ada@example.com", "bob@example.com"]
    assert {mail.subject for mail in mails.values()} == {"From August 1, 2026"}
    assert all("2 stays: b-2 and b-1." in str(mail.text) for mail in mails.values())
    assert len([each for each in asked if "of_type" in each]) == 1
    assert link_target(run.dispatch_id, 0, 0) == "https://shop.example.com/b-2"


def test_a_booking_that_is_gone_by_then_skips_its_person(key: str, now: datetime) -> None:
    home = make.workspace().pk
    pipeline.launch(make.person("ben", now=now), key, now=now)
    audience.upsert_records(
        home, "booking", [audience.RecordRow("b-1", {}, []), audience.RecordRow("b-2", {}, [("ada", "guest")])], now=now
    )
    worker.drain(now=lambda: now)
    assert [mail.recipient for mail in OutboxMail.objects.all()] == ["ada@example.com"]


def test_pages_show_the_record_and_the_rule_that_asks_for_it(key: str, now: datetime) -> None:
    client = Client()
    client.force_login(make.User.objects.get(username="ben"))
    (number,) = audience.ids_of(make.workspace().pk, ["ada"]).values()
    page = client.get(f"/console/profiles/{number}/").content.decode()
    assert "b-2" in page and "guest" in page and "2026-08-01" in page
    builder = client.get("/console/segments/everyone/").content.decode()
    assert (
        '<option value="record:booking" selected>Booking</option>' in builder
        and '<option value="guest" selected>as guest</option>' in builder
    )
    assert '<option value="city" selected>city</option>' in builder and 'name="/rule/of/0/where/0/value" value="rome"' in builder
