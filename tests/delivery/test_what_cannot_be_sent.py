"""What can't become a request, what an outbox keeps of files, and a vendor that asks to be called back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from delivery import mailbox
from delivery.adapters.base import Account, OutgoingRequest, Unsendable, VendorRequest, Webhook
from delivery.adapters.registry import ADAPTERS, adapter
from delivery.adapters.ses import Ses
from delivery.adapters.twilio import Twilio
from delivery.models import OutboxMail, VendorEvent
from tests import factories
from tests.adapters import letters
from tests.adapters.test_mail_by_contract import certificate, from_sns
from tests.adapters.vendors.contract import Answered, Asked
from tests.adapters.vendors.server import Vendors

pytestmark = pytest.mark.django_db


class Picky(Twilio):
    """Texts, but not to numbers that end in 1."""

    key, title = "picky", "Picky"

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        if request.messages[0].address.endswith("1"):
            raise Unsendable("permanent_address", "not a number that could be written to")
        return super().build(request, account)


def test_what_cannot_become_a_request_fails_alone_and_asks_no_vendor(street: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADAPTERS, "picky", Picky())
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_base_urls": "picky=https://twilio.test"})
    route = {"title": "Texts", "channel": "sms", "vendor": "picky", "secrets": {"auth_token": "TWILIO_TOKEN"}}
    factories.put("vendor_route", "picky", {**route, "settings": {"account_sid": "AC" + "a" * 32}}, now=street.clock(), author="cleo")
    factories.release("vendor_route", "picky", now=street.clock(), author="cleo")
    ids = street.numbers(3)
    dispatch = street.launch(ids, channel="sms")
    street.work()
    assert street.counts(dispatch) == {"sent": 2, "bad_address": 1} and street.why(dispatch, ids[1]) == ("failed", "bad_address")
    assert street.vendor.requests == 2 and max(street.vendor.times().values()) == 1


def test_the_outbox_names_the_files_that_went_along(street: Any) -> None:
    one = replace(letters.messages(1)[0], attachments=[letters.attachment("ticket.txt")])
    built = adapter("outbox").build(letters.request([one]), letters.OUTBOX)
    mailbox.receive(street.workspace_id, [built], now=street.clock())
    assert OutboxMail.objects.get().headers["X-Attachment-1"] == "ticket.txt (text/plain, 19 bytes)"


# ── a vendor that asks to be called ───────────────────────────────────────────────────────────────────────────────


class Topic:
    """SNS, as far as a subscription is confirmed there."""

    NAME = "sns"

    def matches(self, asked: Asked) -> bool:
        return asked.method == "GET"

    def answer(self, asked: Asked, number: int) -> Answered:
        return Answered(200, b"<ConfirmSubscriptionResponse/>")

    def error(self, status: int) -> Answered:
        return Answered(status)


@pytest.fixture
def topic(street: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    """SNS at an address of the test's own; everything else of SES is as it is."""
    vendors = Vendors([Topic()])

    class Nearby(Ses):
        def confirm(self, webhook: Webhook) -> VendorRequest | None:
            asked = super().confirm(webhook)
            return replace(asked, url=f"{vendors.url}/?{asked.url.partition('?')[2]}") if asked is not None else None

    monkeypatch.setitem(ADAPTERS, "ses", Nearby())
    monkeypatch.setenv("OMNI_SECRET_SES_KEY", "secret")
    monkeypatch.setenv("OMNI_SECRET_SNS_CERTIFICATE", certificate())
    secrets = {"access_key_id": "SES_KEY", "secret_access_key": "SES_KEY", "sns_certificate": "SNS_CERTIFICATE"}
    route = {"title": "SES", "channel": "email", "vendor": "ses", "secrets": secrets, "settings": letters.SES_SETTINGS}
    factories.put("vendor_route", "ses", route, now=street.clock(), author="cleo")
    factories.release("vendor_route", "ses", now=street.clock(), author="cleo")
    yield vendors
    vendors.close()


def asks(**changes: str) -> int:
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    at = timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = from_sns(Type="SubscriptionConfirmation", Token="t", SubscribeURL=url, Timestamp=at)
    body = json.dumps({**json.loads(body), **changes}).encode() if changes else body
    return Client().post("/hooks/ses", body, content_type="text/plain").status_code


def test_a_subscription_that_sns_signed_is_confirmed_once(topic: Vendors) -> None:
    assert asks() == 200 and [asked.query["Token"] for asked in topic.asked] == ["t"] and not VendorEvent.objects.exists()


def test_a_subscription_that_anybody_made_up_is_not(topic: Vendors) -> None:
    assert asks(Token="another") == 401 and topic.asked == []
