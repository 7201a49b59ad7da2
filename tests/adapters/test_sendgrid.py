"""SendGrid: a thousand people in one request, none of whom sees another; and events that only SendGrid can have sent."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from sendgrid.helpers.eventwebhook import EventWebhook

from delivery.adapters.base import Account, Unsupported, Webhook
from delivery.adapters.registry import adapter
from delivery.adapters.sendgrid import SUBSTITUTION_BYTES
from tests.adapters import letters

SENDGRID = adapter("sendgrid")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def built(some: list[Any], account: Account = letters.SENDGRID, **more: Any) -> dict[str, Any]:
    request = SENDGRID.build(letters.request(some, **more), account)
    assert (request.method, request.url, request.idempotent) == ("POST", "https://api.sendgrid.test/v3/mail/send", False)
    assert request.headers["authorization"] == "Bearer SG.secret"
    body: dict[str, Any] = json.loads(request.body)
    return body


def as_received(body: dict[str, Any], place: int, kind: str) -> str:
    """What the vendor makes of a request for one recipient: tags replaced literally."""
    text: str = body["subject"] if kind == "subject" else next(part["value"] for part in body["content"] if part["type"] == kind)
    for tag, value in body["personalizations"][place].get("substitutions", {}).items():
        text = text.replace(tag, value)
    return text


def test_each_person_has_a_personalization_of_their_own() -> None:
    some = letters.messages(1_000)
    body = built(some, substituted=letters.substituted())
    assert [p["to"] for p in body["personalizations"]] == [[{"email": one.address}] for one in some]
    assert [p["custom_args"]["message_id"] for p in body["personalizations"]] == [one.message_id for one in some]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=40), min_size=1, max_size=6))
def test_what_the_vendor_substitutes_is_what_we_would_have_filled(names: list[str]) -> None:
    some = letters.messages(len(names), names=dict(enumerate(names)))
    body = built(some, substituted=letters.substituted())
    for place, one in enumerate(some):
        assert as_received(body, place, "subject") == one.filled.subject
        assert as_received(body, place, "text/plain") == one.filled.text.decode()
        assert as_received(body, place, "text/html") == (one.filled.html or b"").decode()


def test_constant_text_travels_once() -> None:
    one, many = (len(json.dumps(built(letters.messages(n), substituted=letters.substituted())["content"])) for n in (1, 1_000))
    assert one == many


def test_a_message_that_travels_alone_is_complete() -> None:
    some = letters.messages(1)
    body = built(some)
    assert "substitutions" not in body["personalizations"][0]
    assert (body["subject"], body["content"][1]["value"]) == (some[0].filled.subject, (some[0].filled.html or b"").decode())


def test_each_person_gets_their_own_one_click_header() -> None:
    body = built(letters.messages(3), substituted=letters.substituted())
    for one in body["personalizations"]:
        token = one["custom_args"]["message_id"]
        assert one["headers"] == {
            "List-Unsubscribe": f"<https://omni.example.com/u/{token}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }


def test_the_vendors_own_tracking_and_unsubscribe_footer_are_off() -> None:
    tracking = built(letters.messages(1))["tracking_settings"]
    assert not any(setting["enable"] for setting in tracking.values()) and set(tracking) >= {"click_tracking", "open_tracking"}


def test_sender_reply_address_and_the_routes_options_are_passed_on() -> None:
    account = replace(letters.SENDGRID, settings={"categories": ["spring"], "ip_pool_name": "bulk", "sandbox": True})
    body = built(letters.messages(1), account, reply_to="help@example.com", custom={"campaign": "spring"})
    assert body["from"] == {"email": "hello@example.com", "name": "Wayfare"} and body["reply_to"] == {"email": "help@example.com"}
    assert (body["categories"], body["ip_pool_name"]) == (["spring"], "bulk")
    assert body["mail_settings"] == {"sandbox_mode": {"enable": True}}
    assert body["custom_args"] == {"campaign": "spring", "attempt": "41"}


@pytest.mark.parametrize("note", ["n" * 9_900, '"' * 5_000, "é" * 5_000, "日" * 3_400, "<" * 2_500])
def test_values_beyond_ten_thousand_bytes_travel_alone_and_in_full(note: str) -> None:
    some = letters.messages(3, notes={1: note})
    parcels = SENDGRID.parcels(some, substituted=letters.substituted(), at_most=1_000)
    assert [list(parcel.messages) for parcel in parcels] == [[some[0], some[2]], [some[1]]]
    assert parcels[0].substituted is not None and parcels[1].substituted is None


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from('a"\\é€\U0001f600<&\u2028'), min_size=700, max_size=6_000))
def test_nothing_that_shares_a_request_exceeds_the_vendors_limit(note: str) -> None:
    for parcel in SENDGRID.parcels(letters.messages(1, notes={0: note}), substituted=letters.substituted(), at_most=1_000):
        request = SENDGRID.build(letters.request(list(parcel.messages), substituted=parcel.substituted), letters.SENDGRID)
        given_values = json.loads(request.body)["personalizations"][0].get("substitutions", {})
        assert len(json.dumps(given_values, ensure_ascii=False, separators=(",", ":")).encode()) < SUBSTITUTION_BYTES


def test_more_than_a_thousand_people_are_refused() -> None:
    with pytest.raises(Unsupported):
        SENDGRID.build(letters.request(letters.messages(1_001), substituted=letters.substituted()), letters.SENDGRID)


# ── webhooks ──────────────────────────────────────────────────────────────────────────────────────────────────────

KEY, STRANGER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
PUBLIC = b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
BODY = '[{"event":"delivered","sg_event_id":"ev-1","timestamp":1772442000,"response":"250 café"}]\r\n'.encode()


def signed(body: bytes = BODY, *, key: ec.EllipticCurvePrivateKey = KEY, at: datetime = NOW, sent: bytes | None = None) -> Webhook:
    timestamp = str(int(at.timestamp()))
    signature = b64encode(key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {"x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": timestamp}
    return Webhook("https://omni.example.com/hooks/sendgrid", headers, body if sent is None else sent, NOW)


def genuine(webhook: Webhook, key: str = PUBLIC) -> bool:
    return SENDGRID.verify(webhook, Account("", {"webhook_key": key}))


def test_what_the_vendors_own_verifier_accepts_is_accepted() -> None:
    webhook = signed()
    official = EventWebhook(PUBLIC).verify_signature(BODY.decode(), *list(webhook.headers.values()))
    assert official is True and genuine(webhook)
    pem = f"-----BEGIN PUBLIC KEY-----\n{PUBLIC[:64]}\n{PUBLIC[64:]}\n-----END PUBLIC KEY-----\n"
    assert genuine(webhook, pem)


def test_raw_bytes_are_verified_before_anything_is_parsed() -> None:
    assert not genuine(signed(sent=BODY + b" "))
    assert not genuine(signed(sent=BODY.strip()))
    assert not genuine(signed(sent=BODY.replace(b'"event":', b'"event": ')))
    assert genuine(signed(b"\xff\xfe not even text"))


def test_another_accounts_signature_is_nobodys() -> None:
    assert not genuine(signed(key=STRANGER))
    assert not genuine(signed(), "") and not genuine(signed(), "not a key") and not genuine(signed(), PUBLIC[:-8])


@pytest.mark.parametrize(("age", "accepted"), [(0, True), (24, True), (25.5, False), (-0.1, True), (-1, False)])
def test_a_retry_a_day_later_is_heard_and_an_older_replay_is_not(age: float, accepted: bool) -> None:
    assert genuine(signed(at=NOW - timedelta(hours=age))) is accepted


@pytest.mark.parametrize("timestamp", ["", "yesterday", "-1", "1" * 40, "१२३", "1772442000.5"])
def test_a_timestamp_that_is_none_verifies_nothing(timestamp: str) -> None:
    webhook = signed()
    assert not genuine(replace(webhook, headers={**webhook.headers, "x-twilio-email-event-webhook-timestamp": timestamp}))
