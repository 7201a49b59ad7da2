"""What holds for every vendor, over the vendor's own words: an adapter passes this suite before anything else."""

from __future__ import annotations

import dataclasses
import json
import pickle
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from delivery.adapters.base import Adapter, Attachment, Fate, Limits, Unreadable, Unsupported, VendorEvent, VendorResponse, Webhook
from delivery.adapters.registry import ADAPTERS, CHANNELS
from tests.adapters import letters
from tests.tables import over

TRAFFIC = Path(__file__).parent / "traffic"
KINDS = {"accepted", "permanent_address", "permanent_message", "misconfigured", "throttled", "transient", "ambiguous"}
RECEIVED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STRANGE_ANSWERS = [b"", b"null", b"[]", b"{", b"<html>503</html>", b'{"errors":[3,{"field":7}],"code":"x"}', b"\xff\x00" * 50]
STRANGE_WEBHOOKS = [b"", b"null", b"{}", b"[" * 3_000, b"\xff\xfe", b'[null,1,"x",{},[]]', b"a=b&a=c", b'[{"event":"open"}]', b"[NaN]"]
STRANGE_WEBHOOKS += [b'{"entry":[{"changes":[{"value":{"statuses":[3,{}],"messages":7}}]}]}', b"<xml>", b"<xml><Event>x</Event></xml>"]
STRANGE_SIGNATURES = dict.fromkeys(("x-hub-signature-256", "authorization", "x-postmark-secret", "x-amz-sns-message-type"), "sha256=é")
SUCCESS_WITHOUT_A_BODY = {"sendgrid", "webpush", "webhook"}
each_adapter = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS)


def recorded(kind: str) -> list[Any]:
    found = [(path, json.loads(path.read_text())) for path in sorted(TRAFFIC.glob("*/*.json"))]
    return [pytest.param(path.parent.name, item, id=f"{path.parent.name}-{path.stem}") for path, item in found if item["kind"] == kind]


@pytest.mark.parametrize(("vendor", "item"), recorded("answer"))
def test_an_answer_means_what_its_contract_says(vendor: str, item: dict[str, Any]) -> None:
    response = VendorResponse(item["status"], item.get("headers", {}), item["body"].encode())
    fate = ADAPTERS[vendor].read(response, item.get("message_ids", []))
    assert {name: getattr(fate, name) for name in item["fate"]} == item["fate"]


@pytest.mark.parametrize(("vendor", "item"), recorded("webhook"))
def test_a_webhook_says_what_its_contract_says(vendor: str, item: dict[str, Any]) -> None:
    body = item["body"] if isinstance(item["body"], str) else json.dumps(item["body"])
    webhook = Webhook(item.get("url", "https://omni.example.com/hooks/x"), item.get("headers", {}), body.encode(), RECEIVED)
    heard = [{"unreadable": e.reason} if isinstance(e, Unreadable) else _plain(e) for e in ADAPTERS[vendor].events(webhook)]
    assert [{name: one.get(name) for name in wanted} for one, wanted in zip(heard, item["events"], strict=True)] == item["events"]


def _plain(event: VendorEvent) -> dict[str, Any]:
    return {**dataclasses.asdict(event), "at": event.at.isoformat()}


@pytest.mark.parametrize("vendor", ADAPTERS)
def test_each_vendor_has_recorded_traffic(vendor: str) -> None:
    assert list((TRAFFIC / vendor).glob("*.json"))


@each_adapter
def test_its_facts_are_complete(adapter: Adapter) -> None:
    assert adapter.key.isidentifier() and adapter.title and adapter.channels <= set(CHANNELS)
    assert adapter.base_url.startswith(("https://", "outbox://")) or adapter.key in {"webhook", "smtp"}
    assert set(adapter.required_settings) <= set(adapter.settings) >= set(adapter.setting_forms)
    assert adapter.limits.recipients_per_request >= 1 and adapter.limits.concurrency >= 1 and isinstance(adapter.limits, Limits)
    assert set(adapter.fates.values()) <= KINDS
    assert type(adapter).__doc__ and not hasattr(adapter, "__dict__") or vars(adapter) == {}, "an adapter keeps nothing"


@each_adapter
def test_a_request_can_be_rebuilt_to_the_byte(adapter: Adapter) -> None:
    channel = letters.CHANNEL[adapter.key]
    some, account = letters.messages(3, channel), letters.ACCOUNTS[adapter.key]
    shared = letters.substituted(channel) if adapter.features.substitution else None
    parcels = adapter.parcels(some, substituted=shared, at_most=1_000)
    built = [adapter.build(letters.request(list(p.messages), channel, substituted=p.substituted), account) for p in parcels]
    again = [adapter.build(letters.request(list(p.messages), channel, substituted=p.substituted), account) for p in parcels]
    assert built == again and sum(len(p.messages) for p in parcels) == 3
    assert all(len(one.body) <= adapter.limits.request_bytes for one in built)
    assert pickle.loads(pickle.dumps(built)) == built


@each_adapter
def test_every_message_is_in_exactly_one_parcel(adapter: Adapter) -> None:
    channel = letters.CHANNEL[adapter.key]
    some = letters.messages(25, channel)
    for at_most in (1, 7, 10_000):
        parcels = adapter.parcels(some, substituted=letters.substituted(channel), at_most=at_most)
        assert sorted(m.message_id for p in parcels for m in p.messages) == sorted(m.message_id for m in some)
        assert all(len(p.messages) <= min(at_most, adapter.limits.recipients_per_request) for p in parcels)


@each_adapter
def test_it_refuses_to_build_what_its_facts_forbid(adapter: Adapter) -> None:
    channel = letters.CHANNEL[adapter.key]
    if not adapter.features.mixed_content:
        with pytest.raises(Unsupported):
            adapter.build(letters.request(letters.messages(2, channel), channel), letters.ACCOUNTS[adapter.key])


@each_adapter
def test_our_message_id_is_in_every_request(adapter: Adapter) -> None:
    channel = letters.CHANNEL[adapter.key]
    one = letters.messages(1, channel)
    built = adapter.build(letters.request(one, channel), letters.ACCOUNTS[adapter.key])
    everything = built.body.decode("latin-1") + "".join(built.headers.values()) + built.url
    assert letters.id_at_the_vendor(adapter.key, one[0]) in everything


@each_adapter
def test_attachments_travel_or_are_refused(adapter: Adapter) -> None:
    channel = letters.CHANNEL[adapter.key]
    files = [Attachment("ticket.txt", "text/plain", b"Seat 12 of the hall"), Attachment("map.png", "image/png", b"\x89PNG...", "map")]
    one = replace(letters.messages(1, channel)[0], attachments=files)
    if not adapter.features.attachments:
        with pytest.raises(Unsupported):
            adapter.build(letters.request([one], channel), letters.ACCOUNTS[adapter.key])
        return
    built = adapter.build(letters.request([one], channel), letters.ACCOUNTS[adapter.key])
    assert b"ticket.txt" in built.body and b"map.png" in built.body
    assert b"Seat 12 of the hall" in built.body or b64encode(b"Seat 12 of the hall") in built.body
    if adapter.features.mixed_content:
        return  # each message of a request has its own
    parcels = adapter.parcels([one, *letters.messages(3, channel)[1:]], substituted=letters.substituted(channel), at_most=10)
    assert [len(parcel.messages) for parcel in parcels if one in parcel.messages] == [1], "nobody gets another person's files"


@each_adapter
def test_no_credential_is_shown_by_a_request_or_an_account(adapter: Adapter) -> None:
    channel, account = letters.CHANNEL[adapter.key], letters.ACCOUNTS[adapter.key]
    one = letters.messages(1, channel)
    built = adapter.build(letters.request(one, channel), account)
    asked = adapter.token_request(account, letters.AT)
    shown = repr(built) + repr(account) + repr(letters.request(one, channel)) + repr(asked)
    assert not any(secret in shown for secret in account.secrets.values()) and one[0].address not in shown
    assert not account.token or account.token not in shown


@each_adapter
@over("status", [200, 400, 401, 403, 429, 500])
@over("body", STRANGE_ANSWERS)
def test_no_answer_however_strange_is_taken_for_a_token(adapter: Adapter, status: int, body: bytes) -> None:
    if adapter.token_request(letters.ACCOUNTS[adapter.key], letters.AT) is not None:
        fate = adapter.read_token(VendorResponse(status, {}, body))
        assert isinstance(fate, Fate) and fate.kind in ("misconfigured", "transient")


@each_adapter
def test_a_question_for_a_token_can_be_repeated_to_the_byte(adapter: Adapter) -> None:
    account = letters.ACCOUNTS[adapter.key]
    assert adapter.token_request(account, letters.AT) == adapter.token_request(account, letters.AT)


@each_adapter
@over("status", [100, 200, 204, 301, 400, 401, 404, 408, 413, 418, 429, 500, 502, 503, 599])
@over("body", STRANGE_ANSWERS)
def test_no_answer_however_strange_breaks_it_or_counts_as_accepted(adapter: Adapter, status: int, body: bytes) -> None:
    if (status, adapter.key) == (204, "webhook") or (status == 200 and adapter.key in SUCCESS_WITHOUT_A_BODY):
        return  # there the status alone is the success
    fate = adapter.read(VendorResponse(status, {"retry-after": "soon"}, body), ["a", "b"])
    assert isinstance(fate, Fate) and fate.kind in KINDS - {"accepted"} and fate.retry_after is None


@each_adapter
@over("status", [500, 502, 503, 504])
def test_a_server_error_of_a_vendor_outside_is_in_doubt(adapter: Adapter, status: int) -> None:
    wanted = "transient" if adapter.key == "outbox" else "ambiguous"
    assert adapter.read(VendorResponse(status, {}, b"oops"), ["a"]).kind == wanted


@each_adapter
def test_a_webhook_without_a_signature_is_nobodys(adapter: Adapter) -> None:
    for headers in (
        {},
        {"x-twilio-signature": "x"},
        {"x-twilio-signature": "é", "x-twilio-email-event-webhook-signature": "%%"},
        STRANGE_SIGNATURES,
    ):
        assert adapter.verify(Webhook("https://omni.example.com/hooks/x", headers, b"[]", RECEIVED), letters.ACCOUNTS[adapter.key]) is False


@each_adapter
@over("body", STRANGE_WEBHOOKS)
@over("kind", ["application/json", "application/x-www-form-urlencoded", ""])
def test_no_webhook_however_strange_breaks_it(adapter: Adapter, body: bytes, kind: str) -> None:
    heard = list(adapter.events(Webhook("https://omni.example.com/hooks/x?message_id=%zz", {"content-type": kind}, body, RECEIVED)))
    assert all(isinstance(one, Unreadable) for one in heard)
