"""SendGrid v3 mail/send. Facts: the vendor's API reference and event documentation, read 2026-11."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from delivery.adapters import sendgrid_events
from delivery.adapters.base import (
    Account,
    Adapter,
    Attachment,
    EventKind,
    Fate,
    FateKind,
    Features,
    Limits,
    MailFacts,
    OutgoingMessage,
    OutgoingRequest,
    Unreadable,
    Unsupported,
    VendorEvent,
    VendorRequest,
    VendorResponse,
    Webhook,
    fate_of_status,
    moment_of,
    retry_after,
)

if TYPE_CHECKING:
    from rendering.door import Substituted

SUBSTITUTION_BYTES = 10_000  # per personalization: tags, values and the JSON around them
OFF = {  # links, pixel and unsubscribe pages are our own; the vendor's would rewrite them
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}
_ADDRESS_FIELD = re.compile(r"personalizations\.(\d+)\.to\b")


class SendGrid(Adapter):
    """E-mail through SendGrid: up to 1,000 people per request, one personalization each, so that none sees another.

    With substitution the constant text travels once and each personalization carries the values of its tags.
    A request is accepted (202) or refused as a whole; there is no idempotency key, so no answer means in doubt.
    """

    key = "sendgrid"
    title = "SendGrid v3"
    channels = frozenset({"email"})
    base_url = "https://api.sendgrid.com"
    tried = "lab"
    limits = Limits(recipients_per_request=1_000, concurrency=16, request_bytes=30_000_000)
    features = Features(substitution=True, echoes_message_id=True, attachments=True)
    secrets = ("api_key",)
    settings = ("categories", "ip_pool_name", "sandbox")
    setting_forms: ClassVar[Mapping[str, str]] = {"categories": "list", "sandbox": "yes or no"}
    webhook_secret = "webhook_key"
    event_kinds: ClassVar[tuple[EventKind, ...]] = tuple(dict.fromkeys([*sendgrid_events.KINDS.values(), "blocked"]))
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",  # sandbox mode: checked, not sent
        202: "accepted",
        400: "permanent_message",
        401: "misconfigured",
        403: "misconfigured",
        404: "misconfigured",
        405: "misconfigured",
        408: "transient",
        413: "permanent_message",
        415: "misconfigured",
        429: "throttled",
    }

    def mail_facts(self, settings: Mapping[str, Any]) -> MailFacts:
        """See Adapter. Its aliases (em1234, s1._domainkey, s2._domainkey) lead into sendgrid.net."""
        return MailFacts("SendGrid", spf="sendgrid.net", zones=("sendgrid.net",), selectors=("s1", "s2"))

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One mail/send. Without `substituted` exactly one message, in full. Raises Unsupported beyond the limits."""
        size = len(request.messages)
        if not 1 <= size <= self.limits.recipients_per_request or (size > 1 and request.substituted is None):
            raise Unsupported(f"{size} messages in one request {'with' if request.substituted else 'without'} substitution")
        subject, text, html = _content(request)
        body: dict[str, Any] = {
            "personalizations": _personalizations(request),
            "from": _party(request.sender.address, request.sender.name),
            "subject": subject,
            "content": [{"type": kind, "value": value} for kind, value in (("text/plain", text), ("text/html", html)) if value],
            "tracking_settings": OFF,
            "custom_args": {**request.custom, "attempt": str(request.attempt_id)},
        }
        if files := [_attachment(one) for message in request.messages for one in message.attachments]:
            if size > 1:
                raise Unsupported("attachments in a request for several people, who would all get them")
            body["attachments"] = files
        if request.reply_to:
            body["reply_to"] = {"email": request.reply_to}
        body.update(_options(account.settings))
        headers = {"authorization": f"Bearer {account.secrets['api_key']}", "content-type": "application/json"}
        return VendorRequest("POST", f"{account.base_url}/v3/mail/send", headers, orjson.dumps(body))

    def fits(self, message: OutgoingMessage, substituted: Substituted) -> bool:
        """Whether the values stay under the vendor's 10,000 bytes, counted as they travel; what has attachments travels alone."""
        if message.attachments:
            return False
        tags, values = substituted.tags, message.filled.values
        if 6 * sum(map(len, values)) + sum(map(len, tags)) + 6 * len(tags) < SUBSTITUTION_BYTES:  # no character takes more than six
            return True
        return len(orjson.dumps(dict(zip(tags, values, strict=True)))) < SUBSTITUTION_BYTES

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By status; the body is only looked at for a refusal's field, because some refusals are a proxy's HTML page."""
        kind = fate_of_status(self.fates, response.status)
        if kind == "accepted":
            return Fate(kind, vendor_id=response.headers.get("x-message-id", "")[:100])
        if response.status != 400:
            return Fate(kind, retry_after=retry_after(response.headers), detail=f"HTTP {response.status}", code=str(response.status))
        fields = _faulty_fields(response.body)
        at = next((int(found.group(1)) for found in map(_ADDRESS_FIELD.search, fields) if found), None)
        if at is None and len(message_ids) == 1 and any(field.startswith("personalizations.to") for field in fields):
            at = 0
        culprit = message_ids[at] if at is not None and at < len(message_ids) else None
        detail = f"refused: {', '.join(fields[:3]) or 'no field named'}"
        return Fate(
            "permanent_address" if culprit else kind, culprit=culprit, suppress="invalid" if culprit else "", detail=detail, code="400"
        )

    def signed_at(self, webhook: Webhook) -> datetime | None:
        """By the time that is signed with the call."""
        return moment_of(webhook.headers.get(sendgrid_events.TIMESTAMP))

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """ECDSA over the timestamp and the raw body, at most 25 hours old."""
        return sendgrid_events.verify(webhook, account.secrets.get(self.webhook_secret, ""))

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """The events of one POST, in the vendor's order, which promises nothing."""
        return sendgrid_events.read(webhook.body)


def _personalizations(request: OutgoingRequest) -> list[dict[str, Any]]:
    if request.substituted is None:
        return [_personalization(message) for message in request.messages]
    tags = request.substituted.tags
    return [
        {
            "to": [{"email": message.address}],
            "custom_args": {"message_id": message.message_id},
            "headers": message.headers or message.filled.headers,
            "substitutions": dict(zip(tags, message.filled.values, strict=True)),
        }
        for message in request.messages
    ]


def _personalization(message: OutgoingMessage) -> dict[str, Any]:
    return {
        "to": [{"email": message.address}],
        "custom_args": {"message_id": message.message_id},
        "headers": message.headers or message.filled.headers,
    }


def _content(request: OutgoingRequest) -> tuple[str, str, str]:
    """Subject, text and HTML: with tags where they are shared, else those of the only message."""
    shared = request.substituted
    if shared is not None:
        return shared.subject, shared.text, shared.html or ""
    filled = request.messages[0].filled
    return filled.subject, filled.text.decode(), (filled.html or b"").decode()


def _attachment(file: Attachment) -> dict[str, str]:
    made = {"filename": file.name, "type": file.content_type, "content": b64encode(file.content).decode(), "disposition": "attachment"}
    return {**made, "disposition": "inline", "content_id": file.content_id} if file.content_id else made


def _party(address: str, name: str) -> dict[str, str]:
    return {"email": address, "name": name} if name else {"email": address}


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the route's document may add to every request of its account."""
    options: dict[str, Any] = {}
    if settings.get("categories"):
        options["categories"] = list(settings["categories"])[:10]
    if settings.get("ip_pool_name"):
        options["ip_pool_name"] = settings["ip_pool_name"]
    if settings.get("sandbox"):
        options["mail_settings"] = {"sandbox_mode": {"enable": True}}
    return options


def _faulty_fields(body: bytes) -> list[str]:
    """The `field`s of an error answer, [] for anything that isn't one. The messages are left: they may quote addresses."""
    try:
        errors = orjson.loads(body)["errors"]
        return [error["field"][:80] for error in errors if isinstance(error, dict) and isinstance(error.get("field"), str)]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []
