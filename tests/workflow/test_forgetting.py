"""Somebody asks to be forgotten: afterwards nothing in the database says who they were or what they were told."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from audience import door as audience
from audience.models import Event
from delivery import door as delivery
from delivery.history import exporting
from delivery.housekeeping import sweep
from delivery.models import Decision, OutboxMail, Suppression
from tests import factories as make
from tests.workflow.test_api import RESET, Api, wanted
from workflow import pipeline, worker

pytestmark = pytest.mark.django_db(transaction=True)
ADA = {"external_id": "crm-77-lovelace", "email": "Ada.Lovelace@example.com", "phone": "+442079460123"}
MANY = int(os.environ.get("OMNI_TEST_FORGOTTEN", "10"))  # the plan asks for 100
TRACES = ("lovelace", "442079460123", "countess", "nought-seventeen", "analytical")


def told(code: str) -> dict[str, Any]:
    """A message to Ada about something that only she should know."""
    return wanted(to=ADA, data={"code": code})


def traces() -> set[str]:
    """Every table that still holds a trace of Ada."""
    found = set()
    for model in apps.get_models():
        rows = model._base_manager.values_list(*(field.attname for field in model._meta.concrete_fields))
        text = " ".join(str(row) for row in rows).casefold()
        found |= {f"{model._meta.db_table}: {trace}" for trace in TRACES if trace in text}
    return found


@pytest.fixture
def api() -> Api:
    make.in_force("attribute", "title", make.attribute(title="Title", sensitivity="personal"), now=timezone.now())
    make.in_force("template", "reset", make.template(**RESET), now=timezone.now())
    return Api("messages:send", "messages:read", "profiles:write", "profiles:read", "events:write")


def number_of() -> int:
    found = audience.find(make.workspace().pk, external_id=ADA["external_id"])
    assert found is not None
    return found.id


def forget(api: Api) -> None:
    assert api.call("DELETE", f"profiles/{ADA['external_id']}").status_code == 204


def test_nothing_anywhere_says_who_a_forgotten_person_was(api: Api) -> None:
    consents = [{"channel": "email", "topic": "offers", "state": "subscribed"}]
    known = {**ADA, "attributes": {"title": "Countess"}, "consents": consents}
    assert api.call("POST", "profiles", {"source": "form", "profiles": [known]}).status_code == 200
    event = {"id": "e-1", "name": "visit", "external_id": ADA["external_id"], "properties": {"engine": "Analytical"}}
    assert api.call("POST", "events", {**event, "at": timezone.now().isoformat()}).status_code == 202
    assert api.call("POST", "messages", told("nought-seventeen-sent"), Idempotency_Key="lovelace-1").status_code == 202
    worker.drain()
    assert api.call("POST", "messages", told("nought-seventeen-waiting"), Idempotency_Key="lovelace-2").status_code == 202
    assert {trace.split(":")[0] for trace in traces()} >= {
        "audience_profile", "audience_event", "delivery_outboxmail", "delivery_decision",
    }  # fmt: skip

    forget(api)

    assert traces() == set()


def test_what_waits_for_a_forgotten_person_is_skipped_and_not_lost(api: Api) -> None:
    accepted = api.call("POST", "messages", told("1")).json()
    others = api.call("POST", "messages", wanted()).json()
    forget(api)
    worker.drain()
    assert api.call("GET", f"messages/{accepted['id']}").json()["state"] == "skipped"
    assert api.call("GET", f"messages/{others['id']}").json()["state"] == "sent"
    assert [mail.recipient for mail in OutboxMail.objects.all()] == ["ada@example.com"]


def test_a_mail_that_was_under_way_is_forgotten_by_the_next_sweep(api: Api) -> None:
    api.call("POST", "messages", told("nought-seventeen"), Idempotency_Key="k")
    number, now = number_of(), timezone.now()
    work = delivery.lease(lanes=("transactional",), worker="w", now=now)
    assert work is not None

    class Overtaken(delivery.Connections):
        """Ada is forgotten while her mail is handed over."""

        def begin(self, *args: Any, **more: Any) -> Any:
            forget(api)
            return super().begin(*args, **more)

    pipeline.send_batch(work, vendors=Overtaken(), clock=timezone.now)
    late = audience.NewEvent("late", "visit", number, now, {"engine": "Analytical"})
    Event.objects.create(
        workspace_id=make.workspace().pk, event_id=late.event_id, profile_id=number, name=late.name, at=now, received_at=now,
        properties=late.properties, folded=late.properties,
    )  # fmt: skip
    assert OutboxMail.objects.count() == 1

    sweep(now=timezone.now() + timedelta(hours=1))

    assert traces() == set() and OutboxMail.objects.count() == 0


def test_a_test_mail_that_showed_somebody_goes_with_them(api: Api) -> None:
    make.profile(now=timezone.now(), **ADA, attributes={"title": "Countess"})
    make.person("ada", now=timezone.now())
    browser = Client()
    assert browser.login(username="ada", password="ada-password")
    draft = make.template(variables={}, locales={"en": make.letter("Dear {{ title }}", "Spring is here.")})
    title = {"/variables/0/name": "title", "/variables/0/source": "attribute.title", "/variables/0/fallback:text?": "friend"}
    fields = {f"/{name}:json": json.dumps(value) for name, value in draft.items()} | title
    for who in (ADA["external_id"], ""):
        assert b"Sent to" in browser.post("/console/look/templates/test/", {**fields, "look_person": who}).content
    assert traces() >= {"delivery_outboxmail: countess"}

    forget(api)

    assert OutboxMail.objects.count() == 1 and traces() == set()


def test_other_people_s_mails_and_data_stay(api: Api) -> None:
    api.call("POST", "messages", told("1"), Idempotency_Key="hers")
    api.call("POST", "messages", wanted(), Idempotency_Key="another's")
    worker.drain()
    api.call("POST", "messages", wanted(data={"code": "2"}))
    forget(api)
    assert [mail.recipient for mail in OutboxMail.objects.all()] == ["ada@example.com"]
    assert [row.payload for row in Decision.objects.order_by("pk")][1:] == [{"code": "424242"}, {"code": "2"}]


def test_a_request_repeated_after_its_person_was_forgotten_sends_nothing_again(api: Api) -> None:
    first = api.call("POST", "messages", told("1"), Idempotency_Key=f"reset-{ADA['email']}").json()
    forget(api)
    again = api.call("POST", "messages", told("1"), Idempotency_Key=f"reset-{ADA['email']}")
    assert again.json()["id"] == first["id"] and again.headers["Idempotent-Replayed"] == "true"
    assert Decision.objects.count() == 1 and traces() == set()


def test_many_people_are_forgotten_while_a_campaign_writes_to_them(api: Api, tmp_path: Path) -> None:
    """Some have their mail, some wait, half have said STOP before: no trace of them in any table or export, and the others get theirs."""
    now = timezone.now()
    some = [
        make.profile(
            now=now, external_id=f"crm-{n}-lovelace", email=f"lovelace{n}@example.com", phone=None, attributes={"title": "Countess"}
        )
        for n in range(MANY)
    ]
    others = make.profiles(20, now=now)
    words = make.letter("Dear {{ title }}", "Spring is here, {{ title }}.")
    variables = {"title": {"source": "attribute.title", "fallback": "friend", "sample": "Lady"}}
    key = make.spring_sale(now=now, template_changes={"variables": variables, "locales": {"en": words}}, batch_size=5)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    for n in range(0, MANY, 2):
        delivery.suppress(make.workspace().pk, "email", f"lovelace{n}@example.com", reason="stopped", source="test", now=now)
    stopped = set(Suppression.objects.values_list("address_hash", flat=True))

    forgotten = list(range(MANY))
    while (work := delivery.lease(lanes=("promotional",), worker="w", now=timezone.now())) is not None:
        pipeline.send_batch(work, vendors=delivery.Connections(), clock=timezone.now)
        for n in forgotten[: MANY // 5 + 1]:
            assert api.call("DELETE", f"profiles/crm-{n}-lovelace").status_code == 204
        forgotten = forgotten[MANY // 5 + 1 :]
        _export(tmp_path)
    for n in forgotten:
        assert api.call("DELETE", f"profiles/crm-{n}-lovelace").status_code == 204
    sweep(now=timezone.now() + timedelta(hours=1))
    _export(tmp_path)

    assert traces() == set() and not audience.load(make.workspace().pk, some)
    exported = "".join(str(pq.ParquetFile(path).read().to_pylist()) for path in tmp_path.glob("**/*.parquet")).casefold()
    assert str(others[0]) in exported and not [trace for trace in TRACES if trace in exported]
    assert set(Suppression.objects.values_list("address_hash", flat=True)) == stopped and len(stopped) == (MANY + 1) // 2
    left = delivery.facts(run.workspace_id, run.dispatch_id)
    assert sum(left.counts.values()) == left.considered == MANY + 20 and left.waiting == 0
    assert {delivery.why(run.workspace_id, run.dispatch_id, other).state for other in others} == {"sent"}


def _export(folder: Path) -> None:
    exporting.export(make.workspace().pk, "default", folder, since=None, with_people=True, now=timezone.now(), each=lambda: None)
