"""Files that go with a transactional mail: taken whole or refused by name, sent once, and kept no longer than they are needed."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from delivery.housekeeping import sweep
from delivery.models import AttachedFile, OutboxMail
from governance.door import User
from tests import factories as make
from tests.workflow.test_api import RESET, Api, wanted
from workflow import worker

pytestmark = pytest.mark.django_db(transaction=True)
INVOICE = {"name": "Rechnung März.pdf", "content_type": "application/pdf", "content": b64encode(b"%PDF-1.7 an invoice").decode()}
LOGO = {"name": "logo.png", "content_type": "image/png", "content": b64encode(b"\x89PNG").decode(), "content_id": "logo"}


@pytest.fixture
def api() -> Api:
    make.in_force("template", "reset", make.template(**RESET), now=timezone.now())
    return Api("messages:send", "messages:read", "profiles:write")


def test_files_travel_with_the_mail_and_are_let_go_a_day_later(api: Api) -> None:
    accepted = api.call("POST", "messages", wanted(attachments=[INVOICE, LOGO]), Idempotency_Key="a").json()
    again = api.call("POST", "messages", wanted(attachments=[INVOICE, LOGO]), Idempotency_Key="a")
    assert again.json()["id"] == accepted["id"] and AttachedFile.objects.count() == 2
    sweep(now=timezone.now() + timedelta(days=3))
    assert AttachedFile.objects.count() == 2, "it still waits"
    worker.drain()
    [mail] = OutboxMail.objects.all()
    assert mail.headers["X-Attachment-1"] == "Rechnung März.pdf (application/pdf, 19 bytes)"
    assert mail.headers["X-Attachment-2"] == "logo.png (image/png, 4 bytes)"
    sweep(now=timezone.now() + timedelta(hours=2))
    assert AttachedFile.objects.count() == 2
    sweep(now=timezone.now() + timedelta(days=3))
    assert AttachedFile.objects.count() == 0


def test_a_key_that_is_used_again_with_another_file_is_another_request(api: Api) -> None:
    assert api.call("POST", "messages", wanted(attachments=[INVOICE]), Idempotency_Key="a").status_code == 202
    other = {**INVOICE, "content": b64encode(b"another").decode()}
    assert api.call("POST", "messages", wanted(attachments=[other]), Idempotency_Key="a").status_code == 409
    assert AttachedFile.objects.count() == 1


def test_files_go_with_their_person_and_with_a_message_that_is_cancelled(api: Api) -> None:
    api.call("POST", "messages", wanted(attachments=[INVOICE]))
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    waiting = api.call("POST", "messages", wanted(attachments=[LOGO], send_at=later)).json()
    assert api.call("DELETE", f"messages/{waiting['id']}").status_code in (200, 204)
    assert [row.name for row in AttachedFile.objects.all()] == ["Rechnung März.pdf"]
    assert api.call("DELETE", "profiles/ada").status_code == 204
    assert not AttachedFile.objects.exists()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"attachments": [{**INVOICE, "name": "../../etc/passwd"}]}, "/attachments/0/name"),
        ({"attachments": [{**INVOICE, "name": "a\r\nBcc: x"}]}, "/attachments/0/name"),
        ({"attachments": [{**INVOICE, "name": "cod\u202efdp.exe"}]}, "/attachments/0/name"),
        ({"attachments": [{**INVOICE, "content_type": "pdf"}]}, "/attachments/0/content_type"),
        ({"attachments": [{**INVOICE, "content": "not base64!"}]}, "/attachments/0/content"),
        ({"attachments": [{**INVOICE, "content": ""}]}, "/attachments/0/content"),
        ({"attachments": [{**INVOICE, "content_id": "a b"}]}, "/attachments/0/content_id"),
        ({"attachments": [INVOICE] * 11}, "/attachments"),
        ({"attachments": [INVOICE], "fallback": [{"type": "reset"}]}, ""),
    ],
)
def test_a_file_that_cannot_travel_is_refused_and_nothing_is_decided(api: Api, changes: dict[str, Any], path: str) -> None:
    answer = api.call("POST", "messages", wanted(**changes))
    assert answer.status_code == 422
    assert path in [finding["path"] for finding in answer.json()["findings"]]
    assert not AttachedFile.objects.exists()


def test_files_that_are_too_large_together_are_refused(api: Api) -> None:
    big = {**INVOICE, "content": b64encode(b"x" * 4_000_000).decode()}
    answer = api.call("POST", "messages", wanted(attachments=[big, big]))
    assert answer.status_code in (413, 422) and not AttachedFile.objects.exists()
    assert api.call("POST", "messages", wanted(attachments=[big])).status_code == 202


def test_a_text_message_carries_no_files(api: Api) -> None:
    code = make.text_message(message_class="transactional", topic=None)
    make.in_force("template", "code", {**code, "locales": {"en": {"text": "Your code is 1"}}}, now=timezone.now())
    to = {"external_id": "ada", "phone": "+447911123456"}
    answer = api.call("POST", "messages", {"type": "code", "to": to, "attachments": [INVOICE]})
    assert answer.status_code == 422
    [finding] = answer.json()["findings"]
    assert finding["path"] == "/attachments" and "no files" in finding["expected"]


def test_the_page_of_a_message_names_its_files_while_they_are_kept(api: Api) -> None:
    accepted = api.call("POST", "messages", wanted(attachments=[INVOICE])).json()
    make.person("vera", now=timezone.now())
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    page = client.get(f"/console/messages/{accepted['id']}/").content.decode()
    assert "Rechnung März.pdf" in page and "application/pdf" in page
    worker.drain()
    sweep(now=timezone.now() + timedelta(days=3))
    assert "Rechnung" not in client.get(f"/console/messages/{accepted['id']}/").content.decode()
