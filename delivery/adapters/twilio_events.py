"""What Twilio's callbacks say, and whether Twilio said it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.sax.saxutils import escape

import orjson
from twilio.request_validator import RequestValidator, get_signature_algorithm

from delivery.adapters import twilio_codes
from delivery.adapters.base import EventKind, Unreadable, VendorEvent, Webhook
from delivery.adapters.keywords import language, vendors_wish, wish

SIGNATURE = "x-twilio-signature"
SIGNATURE_SETTINGS = "x-twilio-webhooks-signature-settings"

STATUSES: Mapping[str, EventKind] = {
    "accepted": "processed",
    "scheduled": "processed",
    "queued": "processed",
    "sending": "processed",
    "sent": "processed",
    "partially_delivered": "processed",
    "delivered": "delivered",
    "read": "opened",
    "undelivered": "bounced",
    "failed": "failed",
    "canceled": "failed",
}
READ_BY_TWILIO: Mapping[str, EventKind] = {"STOP": "unsubscribed", "START": "resubscribed", "HELP": "asked_help"}
_SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


def verify(webhook: Webhook, token: str) -> bool:
    """Whether the holder of the token signed this address and body. Never raises.

    Form posts sign every field; JSON posts sign the address, which must then carry the body's SHA-256.
    """
    signature = webhook.headers.get(SIGNATURE, "")
    if not (token and signature and signature.isascii()):
        return False
    try:
        body = webhook.body.decode()
        parameters = _form(body) if _is_form(webhook) else body
    except (UnicodeDecodeError, ValueError):
        return False
    if isinstance(parameters, str) and "bodySHA256" not in parse_qs(urlsplit(webhook.url).query):
        return False  # nothing would bind the body to the signature
    algorithm = get_signature_algorithm(webhook.headers.get(SIGNATURE_SETTINGS))
    return bool(RequestValidator(token).validate(webhook.url, parameters, signature, algorithm))


def read(webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
    """The one event of a callback: a status of our message, or a text that a person sent."""
    fields = _fields(webhook)
    try:
        if fields is None:
            raise ValueError("expected form fields or a JSON object")
        yield _status(webhook, fields) if fields.get("MessageStatus") else _inbound(webhook, fields)
    except ValueError as fault:
        yield Unreadable("twilio", str(fault), ", ".join(sorted(fields or {}))[:500])


def answer(text: str) -> str:
    """The callback's answer that sends a text back to whoever wrote."""
    return f"<Response><Message>{escape(text)}</Message></Response>" if text else "<Response/>"


def _is_form(webhook: Webhook) -> bool:
    return webhook.headers.get("content-type", "").split(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _form(body: str) -> dict[str, str]:
    return dict(parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body), max_num_fields=200))


def _fields(webhook: Webhook) -> dict[str, str] | None:
    try:
        if _is_form(webhook):
            return _form(webhook.body.decode())
        given = orjson.loads(webhook.body)
    except (ValueError, UnicodeDecodeError):
        return None
    return {name: value for name, value in given.items() if isinstance(value, str)} if isinstance(given, dict) else None


def _status(webhook: Webhook, fields: Mapping[str, str]) -> VendorEvent:
    """A status callback; our message id is in the query of the address that we gave."""
    status, sid = fields["MessageStatus"], fields.get("MessageSid", "")
    if status not in STATUSES:
        raise ValueError("/MessageStatus: expected one of the vendor's statuses")
    if not _SID.fullmatch(sid):
        raise ValueError("/MessageSid: expected SM and 32 hexadecimal digits")
    code = fields.get("ErrorCode", "")
    number = int(code) if code.isascii() and code.isdigit() and len(code) <= 6 else 0
    kind, permanent, detail = STATUSES[status], False, status
    if kind in {"bounced", "failed"} and status != "canceled":
        said = twilio_codes.failure(number)
        kind = said.kind or kind
        permanent, detail = said.permanent, f"{number or status} {said.meaning}"
    ours = parse_qs(urlsplit(webhook.url).query).get("message_id", [""])[0]
    return VendorEvent(
        vendor="twilio",
        event_id=f"{sid}:{status}",
        message_id=ours[:64],
        kind=kind,
        at=webhook.received_at,
        permanent=permanent,
        detail=detail,
        vendor_id=sid,
        everything=kind == "unsubscribed",
    )


def _inbound(webhook: Webhook, fields: Mapping[str, str]) -> VendorEvent:
    """A text from a person. Only its wish is kept, never its words."""
    sid, sender = fields.get("MessageSid", ""), fields.get("From", "")
    number = sender.removeprefix("whatsapp:")
    if not _SID.fullmatch(sid):
        raise ValueError("/MessageSid: expected SM and 32 hexadecimal digits")
    if not _NUMBER.fullmatch(number):
        raise ValueError("/From: expected a phone number such as +15551230000")
    text, channel = fields.get("Body", ""), "sms" if sender == number else "whatsapp"
    # Advanced opt-out says what it read; otherwise Twilio acts on its own words, in texts only.
    theirs = READ_BY_TWILIO.get(fields.get("OptOutType", "").strip().upper()) or (vendors_wish(text) if channel == "sms" else None)
    kind = theirs or wish(text)
    return VendorEvent(
        vendor="twilio",
        event_id=f"{sid}:inbound",
        message_id="",
        kind=kind or "processed",
        at=webhook.received_at,
        detail="inbound text" if kind is None else "inbound keyword",
        everything=kind in ("unsubscribed", "resubscribed"),
        address=number if kind is not None else "",
        channel=channel,
        language=language(text),
        answered=theirs is not None,
    )
