"""What WhatsApp's webhooks say, and whether Meta sent them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from delivery.adapters import whatsapp_codes
from delivery.adapters.base import EventKind, Unreadable, VendorEvent, Webhook, json_object, part
from delivery.adapters.keywords import language, wish

VENDOR = "whatsapp_cloud"
SIGNATURE = "x-hub-signature-256"
OLDEST, NEWEST = 946_684_800, 4_102_444_800  # 2000 and 2100: outside is no timestamp
STATUSES: dict[str, EventKind] = {"sent": "processed", "delivered": "delivered", "read": "opened", "failed": "failed"}
_ID = re.compile(r"[!-~]{1,120}")
_DIGITS = re.compile(r"[1-9]\d{6,14}")


def verify(webhook: Webhook, app_secret: str) -> bool:
    """HMAC-SHA256 of the raw body by the app's secret. Never raises. A repeat has no effect, so there is no replay window."""
    given = webhook.headers.get(SIGNATURE, "")
    if not app_secret or not given.isascii():
        return False
    return hmac.compare_digest(given, "sha256=" + hmac.new(app_secret.encode(), webhook.body, sha256).hexdigest())


def greet(webhook: Webhook, verify_token: str) -> str | None:
    """The challenge given back to whoever knows the token that was entered on Meta's page."""
    query = parse_qs(urlsplit(webhook.url).query)
    mode, token, challenge = (query.get(f"hub.{name}", [""])[0] for name in ("mode", "verify_token", "challenge"))
    known = bool(verify_token) and hmac.compare_digest(token.encode(), verify_token.encode())
    return challenge if known and mode == "subscribe" and re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", challenge) else None


def read(webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
    """Statuses of our messages and what people wrote, one by one; other news of the account are passed over."""
    entries = json_object(webhook.body).get("entry")
    if not isinstance(entries, list):
        yield Unreadable(VENDOR, "expected an object with /entry", f"{len(webhook.body)} bytes")
        return
    for entry in entries:
        changes = part(entry, "changes")
        for change in changes if isinstance(changes, list) else [None]:
            yield from _change(change)


def _change(change: object) -> Iterator[VendorEvent | Unreadable]:
    value = part(change, "value")
    if not isinstance(value, dict):
        yield Unreadable(VENDOR, "/entry/changes: expected objects with /value", "")
        return
    for name, translate in (("statuses", _status), ("messages", _inbound)):
        items = value.get(name, [])
        for item in items if isinstance(items, list) else [items]:
            try:
                yield from translate(item)
            except ValueError as fault:
                shown = ", ".join(sorted(map(str, item)))[:300] if isinstance(item, dict) else type(item).__name__
                yield Unreadable(VENDOR, f"/{name}{fault}", shown)


def _status(item: Any) -> Iterator[VendorEvent]:
    """One status. Raises ValueError with the field and what was expected there, never with its value."""
    status, wamid, ours = part(item, "status"), _identity(item), part(item, "biz_opaque_callback_data")
    if not isinstance(status, str) or status not in STATUSES:
        raise ValueError("/status: expected one of the vendor's statuses")
    kind, detail, at = STATUSES[status], status, _moment(item)
    ours = ours[:64] if isinstance(ours, str) else ""
    code = part(item, "errors", 0, "code")
    if kind == "failed" and type(code) is int:
        kind, detail = whatsapp_codes.UNDELIVERABLE.get(code, kind), f"{code} {whatsapp_codes.said(code).meaning}"
    yield VendorEvent(VENDOR, f"{wamid}:{status}", ours, kind, at, detail=detail, vendor_id=wamid, channel="whatsapp")
    if code == 131050:
        yield VendorEvent(VENDOR, f"{wamid}:stopped", ours, "unsubscribed", at, detail=detail, vendor_id=wamid, everything=True)


def _inbound(item: Any) -> Iterator[VendorEvent]:
    """A message from a person: its wish is kept, never its words."""
    wamid, number, at = _identity(item), part(item, "from"), _moment(item)
    if not isinstance(number, str) or not _DIGITS.fullmatch(number):
        raise ValueError("/from: expected a phone number without +")
    pressed = part(item, "interactive", "button_reply", "title") or part(item, "interactive", "list_reply", "title")
    text = part(item, "text", "body") or part(item, "button", "text") or pressed
    asked = wish(text) if isinstance(text, str) else None
    yield VendorEvent(
        vendor=VENDOR,
        event_id=f"{wamid}:inbound",
        message_id="",
        kind=asked or "processed",
        at=at,
        detail="inbound text" if asked is None else "inbound keyword",
        everything=asked in ("unsubscribed", "resubscribed"),
        address=f"+{number}" if asked is not None else "",
        channel="whatsapp",
        language=language(text) if isinstance(text, str) else "",
    )


def _identity(item: Any) -> str:
    wamid = part(item, "id")
    if not isinstance(wamid, str) or not _ID.fullmatch(wamid):
        raise ValueError("/id: expected 1 to 120 printable characters")
    return wamid


def _moment(item: Any) -> datetime:
    at = part(item, "timestamp")
    if not (isinstance(at, str) and at.isascii() and at.isdigit() and len(at) <= 12 and OLDEST <= int(at) <= NEWEST):
        raise ValueError("/timestamp: expected seconds since 1970, as text")
    return datetime.fromtimestamp(int(at), UTC)
