"""Twilio: one form per message, a look-up for what got no answer, and callbacks that only Twilio can have made."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import pytest
from twilio.request_validator import HMAC_SHA256, RequestValidator

from delivery.adapters.base import Account, Found, OutgoingRequest, Unsupported, VendorResponse, Webhook
from delivery.adapters.forms import form_value
from delivery.adapters.registry import adapter
from tests.adapters import letters

TWILIO = adapter("twilio")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SERVICE = "MG" + "b" * 32


def outgoing(**more: Any) -> OutgoingRequest:
    return letters.request(letters.messages(1, "sms"), "sms", **more)


def form(request: OutgoingRequest, account: Account = letters.TWILIO) -> dict[str, str]:
    built = TWILIO.build(request, account)
    assert built.headers["content-type"] == "application/x-www-form-urlencoded" and not built.idempotent
    return {name: values[0] for name, values in parse_qs(built.body.decode(), keep_blank_values=True).items()}


def test_a_text_goes_to_the_accounts_own_address_with_its_credentials() -> None:
    built = TWILIO.build(outgoing(), letters.TWILIO)
    assert built.url == f"https://api.twilio.test/2010-04-01/Accounts/{letters.TWILIO.settings['account_sid']}/Messages.json"
    assert b64decode(built.headers["authorization"].removeprefix("Basic ")).decode() == f"{letters.TWILIO.settings['account_sid']}:labtoken"


def test_the_form_carries_text_sender_and_where_to_call_back() -> None:
    request = outgoing(valid_for=3_600)
    fields = form(request)
    assert fields["Body"] == "Hello Änn 0: your code is 1234 €" and fields["To"] == "+15550000000" and fields["From"] == "+15550009999"
    assert fields["ValidityPeriod"] == "3600" and "MessagingServiceSid" not in fields
    callback = urlsplit(fields["StatusCallback"])
    assert f"{callback.scheme}://{callback.netloc}{callback.path}" == "https://omni.example.com/hooks/twilio"
    assert parse_qs(callback.query) == {"message_id": [request.messages[0].message_id]}


def test_a_workspace_with_hooks_of_its_own_is_called_back_there() -> None:
    fields = form(outgoing(), replace(letters.TWILIO, workspace_key="acme"))
    assert fields["StatusCallback"].startswith("https://omni.example.com/hooks/twilio/acme?message_id=")


@pytest.mark.parametrize(("seconds", "sent"), [(None, None), (0, "1"), (10**6, "36000")])
def test_validity_stays_within_what_the_vendor_takes(seconds: int | None, sent: str | None) -> None:
    assert form(outgoing(valid_for=seconds)).get("ValidityPeriod") == sent


def test_a_messaging_service_sends_what_names_no_number() -> None:
    with_service = replace(letters.TWILIO, settings={**letters.TWILIO.settings, "messaging_service_sid": SERVICE})
    nobody = replace(outgoing(), sender=replace(outgoing().sender, address=""))
    assert form(nobody, with_service)["MessagingServiceSid"] == SERVICE
    assert form(outgoing(), with_service)["From"] == "+15550009999"
    with pytest.raises(Unsupported):
        TWILIO.build(nobody, letters.TWILIO)


def test_an_api_key_is_used_where_the_route_has_one() -> None:
    settings = {**letters.TWILIO.settings, "api_key_sid": "SK" + "c" * 32}
    account = replace(letters.TWILIO, settings=settings, secrets={"auth_token": "labtoken", "api_key_secret": "s3cret"})
    built = TWILIO.build(outgoing(), account)
    assert b64decode(built.headers["authorization"].removeprefix("Basic ")).decode() == f"SK{'c' * 32}:s3cret"


# ── looking up what got no answer ─────────────────────────────────────────────────────────────────────────────────


def listed(**changes: Any) -> dict[str, Any]:
    created = format_datetime(NOW + timedelta(seconds=1))
    text = "Hello Änn 0: your code is 1234 €"
    return {"sid": "SM1", "to": "+15550000000", "from": "+15550009999", "body": text, "date_created": created, "date_sent": None, **changes}


def look_up(*items: dict[str, Any], status: int = 200, known: tuple[str, ...] = ()) -> Found:
    response = VendorResponse(status, {}, json.dumps({"messages": list(items)}).encode())
    return TWILIO.found(outgoing(), response, posted_at=NOW, known=known)


def test_the_vendor_is_asked_by_recipient_and_asking_twice_does_no_harm() -> None:
    question = TWILIO.lookup(outgoing(), letters.TWILIO, posted_at=NOW)
    assert question is not None and question.method == "GET" and question.idempotent
    assert parse_qs(urlsplit(question.url).query)["To"] == ["+15550000000"]


def test_one_message_like_ours_is_ours() -> None:
    assert look_up(listed()) == Found("accepted", "SM1")
    assert look_up(listed(body=None)) == Found("accepted", "SM1")
    assert look_up(listed(body="Sent from your trial account - Hello Änn 0: your code is 1234 €")) == Found("accepted", "SM1")


@pytest.mark.parametrize(
    "change",
    [
        {"to": "+15550000001"},
        {"from": "+15550009998"},
        {"body": "Hello Änn 0: your code is 9999 €"},
        {"date_created": format_datetime(NOW - timedelta(hours=1))},
        {"date_created": format_datetime(NOW + timedelta(hours=1))},
        {"sid": None},
    ],
)
def test_another_message_is_not_ours(change: dict[str, Any]) -> None:
    assert look_up(listed(**change)) == Found("absent")


def test_two_candidates_are_still_in_doubt_unless_one_belongs_to_another_attempt() -> None:
    assert look_up(listed(), listed(sid="SM2")) == Found("undecided")
    assert look_up(listed(), listed(sid="SM2"), known=("SM2",)) == Found("accepted", "SM1")


def test_an_answer_that_may_not_be_complete_proves_no_absence() -> None:
    assert look_up(*[listed(body="another", sid=f"SM{n}") for n in range(200)]) == Found("undecided")
    assert look_up(status=500) == Found("undecided")
    assert TWILIO.found(outgoing(), VendorResponse(200, {}, b"<html>"), posted_at=NOW) == Found("undecided")


# ── webhooks ──────────────────────────────────────────────────────────────────────────────────────────────────────

URL = "https://omni.example.com/hooks/twilio?message_id=AQ-token"
FIELDS = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "delivered", "To": "+15551230000", "Body": "é & ü"}
FORM, JSON = {"content-type": "application/x-www-form-urlencoded"}, {"content-type": "application/json"}


def genuine(body: bytes, headers: dict[str, str], *, url: str = URL, token: str = "labtoken") -> bool:
    return TWILIO.verify(Webhook(url, headers, body, NOW), Account("", {"auth_token": token}))


def sign(url: str, fields: dict[str, str], *, algorithm: str | None = None, token: str = "labtoken") -> dict[str, str]:
    return {"x-twilio-signature": RequestValidator(token).compute_signature(url, fields, algorithm)}


def test_a_signed_form_is_the_vendors_and_an_altered_one_is_not() -> None:
    body, headers = urlencode(FIELDS).encode(), {**FORM, **sign(URL, FIELDS)}
    assert genuine(body, headers)
    assert not genuine(body.replace(b"delivered", b"failed"), headers)
    assert not genuine(body, headers, url=URL.replace("AQ-token", "AQ-other"))
    assert not genuine(body, headers, token="another") and not genuine(body, headers, token="")
    assert not genuine(body, {**FORM, **sign(URL, FIELDS, token="another")})


def test_json_is_bound_to_the_address_by_its_hash() -> None:
    body = json.dumps(FIELDS).encode()
    url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    assert genuine(body, {**JSON, **sign(url, {})}, url=url)
    assert not genuine(body + b" ", {**JSON, **sign(url, {})}, url=url)
    assert not genuine(body, {**JSON, **sign(URL, {})}), "without the hash nothing binds the body"


def test_the_newer_algorithm_is_understood_and_an_unknown_one_refused() -> None:
    body = urlencode(FIELDS).encode()
    newer = {"x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
    assert genuine(body, {**FORM, **newer, **sign(URL, FIELDS, algorithm=HMAC_SHA256)})
    assert not genuine(body, {**FORM, **newer, **sign(URL, FIELDS)})
    assert not genuine(body, {**FORM, "x-twilio-webhooks-signature-settings": "algorithm=NONE", **sign(URL, FIELDS)})


@pytest.mark.parametrize("body", [b"\xff", b"=&=&", b"&" * 10, b"a=b&" * 300, b"%ff=1"])
def test_a_body_that_is_no_form_is_nobodys(body: bytes) -> None:
    assert not genuine(body, {**FORM, **sign(URL, FIELDS)})


@pytest.mark.parametrize(
    "raw", [bytes(range(256)), "Grüße, 50 % + más: ~a_b-c.d?e=f&g 🙂".encode(), b""], ids=["every byte", "words", "nothing"]
)
def test_a_forms_values_are_quoted_as_everybody_quotes_them(raw: bytes) -> None:
    assert form_value(raw) == quote_plus(raw).encode()
