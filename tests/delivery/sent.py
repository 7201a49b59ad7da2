"""Messages that a vendor has (or may have) accepted, and the vendors' calls about them."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from audience import door as audience
from delivery import inbox
from delivery.addresses import address_hash
from delivery.message_ids import message_ids
from delivery.models import Attempt, Dispatch, Message
from delivery.states import AttemptState, Lane, MessageState
from tests import factories

KEY = ec.generate_private_key(ec.SECP256R1())
TWILIO_TOKEN = "the-accounts-token"
TWILIO_SID = "AC" + "a" * 32


@dataclass
class Sent:
    """One dispatch to some people: message n to people[n], all in one vendor request (SMS: one request each)."""

    dispatch: Dispatch
    people: list[int]
    tokens: list[str]
    attempts: list[int]

    def message(self, n: int = 0) -> Message:
        return Message.objects.get(dispatch_id=self.dispatch.pk, n=n)

    def attempt(self, n: int = 0) -> Attempt:
        return Attempt.objects.get(pk=self.message(n).attempt_id)

    def hash(self, n: int = 0) -> int:
        return int(self.message(n).address_hash)


def sent(
    count: int = 3,
    *,
    now: datetime,
    channel: str = "email",
    state: AttemptState = AttemptState.SENT,
    workspace_id: int | None = None,
    **more: Any,
) -> Sent:
    """A dispatch whose messages have left. more: other values of the dispatch."""
    home = factories.workspace().pk if workspace_id is None else workspace_id
    phones = {"phone": None} if channel == "email" else {}
    people = [_person(n, channel, now, **phones) for n in range(count)]
    values: dict[str, Any] = {"kind": "campaign", "key": "spring-sale", "occurrence": uuid.uuid4().hex, "lane": Lane.PROMOTIONAL, **more}
    values = {"message_class": "promotional", "topic": "offers", "planned_at": now, "due_at": now, **values}
    dispatch = Dispatch.objects.create(workspace_id=home, channel=channel, **values)
    vendor = {"email": "sendgrid", "sms": "twilio"}[channel]
    requests = [range(count)] if channel == "email" else [range(n, n + 1) for n in range(count)]
    attempts = []
    for request in requests:
        row = Attempt.objects.create(
            workspace_id=home,
            dispatch_id=dispatch.pk,
            vendor=vendor,
            account=vendor,
            message_class="promotional",
            token=1,
            state=state,
            first_n=request.start,
            last_n=request.stop - 1,
            count=len(request),
            posted_at=now,
            deadline=now,
            vendor_id="" if state != AttemptState.SENT else f"SM{request.start:032x}" if channel == "sms" else "zNig08",
        )
        attempts += [row.pk] * len(request)
    known = {person.id: person for person in audience.load(home, people)}
    for n, (profile_id, attempt_id) in enumerate(zip(people, attempts, strict=True)):
        address = (known[profile_id].email if channel == "email" else known[profile_id].phone) if profile_id in known else ""
        Message.objects.create(
            dispatch_id=dispatch.pk,
            n=n,
            workspace_id=home,
            profile_id=profile_id,
            state=MessageState.SENDING,
            attempt_id=attempt_id,
            at=now,
            address_hash=address_hash(home, channel, address or ""),
        )
    return Sent(dispatch, people, message_ids(dispatch.pk, range(count)), attempts)


def _person(n: int, channel: str, now: datetime, **changes: Any) -> int:
    phone = {"phone": f"+4479111234{n:02d}"} if channel == "sms" else {}
    consent = (("sms" if channel == "sms" else "email", "offers", "subscribed"),)
    return factories.profile(now=now, consents=consent, **{**changes, **phone})


# ── SendGrid calls ────────────────────────────────────────────────────────────────────────────────────────────────


def event(token: str, kind: str, *, now: datetime, **more: Any) -> dict[str, Any]:
    """One event as SendGrid posts it; its id is a new one unless given."""
    return {
        "email": "somebody@example.com",
        "timestamp": int(now.timestamp()),
        "event": kind,
        "sg_event_id": uuid.uuid4().hex,
        "sg_message_id": "zNig08.recvd-1-0.0",
        "message_id": token,
        **more,
    }


def sendgrid(
    events: object, *, now: datetime, key: ec.EllipticCurvePrivateKey = KEY, path: str = "/hooks/sendgrid", client: Client | None = None
) -> HttpResponse:
    """Post these events, signed."""
    body = (json.dumps(events) + "\r\n").encode() if not isinstance(events, bytes) else events
    return post(path, body, "application/json;charset=utf-8", signature(body, now=now, key=key), client)


def signature(body: bytes, *, now: datetime, key: ec.EllipticCurvePrivateKey = KEY) -> dict[str, str]:
    """The headers that say who wrote this body, and when."""
    timestamp = str(int(now.timestamp()))
    signed = b64encode(key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return {"X-Twilio-Email-Event-Webhook-Signature": signed, "X-Twilio-Email-Event-Webhook-Timestamp": timestamp}


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """As SendGrid's settings page shows it."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def post(path: str, body: bytes, content_type: str, headers: dict[str, str], client: Client | None = None) -> HttpResponse:
    """A raw call, as a stranger could make it; whatever is kept of it is drawn from, as a worker would a moment later."""
    answer = (client or Client(enforce_csrf_checks=True)).post(path, body, content_type=content_type, headers=headers)
    assert isinstance(answer, HttpResponse)
    inbox.draw_all(now=timezone.now())
    return answer


# ── Twilio calls ──────────────────────────────────────────────────────────────────────────────────────────────────


def twilio_route(*, now: datetime, **settings: Any) -> None:
    """A released Twilio route whose token is TWILIO_TOKEN (by the environment: OMNI_SECRET_TWILIO_TOKEN)."""
    body = {
        "title": "Texts",
        "channel": "sms",
        "vendor": "twilio",
        "settings": {"account_sid": TWILIO_SID, **settings},
        "secrets": {"auth_token": "TWILIO_TOKEN"},
        "price": {"currency": "USD"},
    }
    factories.put("vendor_route", "texts", body, now=now, author="cleo")
    factories.release("vendor_route", "texts", now=now, author="cleo")


def twilio(fields: dict[str, str], *, query: str = "", token: str = TWILIO_TOKEN, path: str = "/hooks/twilio") -> HttpResponse:
    """Post this form, signed for the public address."""
    url = f"{path}?{query}" if query else path
    signature = RequestValidator(token).compute_signature(f"http://127.0.0.1:8000{url}", fields)
    return post(url, urlencode(fields).encode(), "application/x-www-form-urlencoded", {"X-Twilio-Signature": signature})


def status(outgoing: Sent, n: int, word: str, code: str = "", **more: str) -> dict[str, str]:
    """A status callback's form about message n."""
    sid = more.pop("sid", f"SM{n:032x}")
    return {"MessageSid": sid, "MessageStatus": word, "AccountSid": TWILIO_SID, **({"ErrorCode": code} if code else {}), **more}
