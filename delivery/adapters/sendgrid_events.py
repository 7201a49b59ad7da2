"""What SendGrid's event webhook says, and whether SendGrid said it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from delivery.adapters.base import EventKind, Unreadable, VendorEvent, Webhook
from delivery.user_agents import is_machine

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
REPLAY_WINDOW = 25 * 3_600  # seconds: the vendor retries for 24 h and doesn't say that a retry is signed anew
CLOCK_SKEW = 600  # seconds a vendor's clock may be ahead of ours
OLDEST, NEWEST = 946_684_800, 4_102_444_800  # 2000 and 2100: outside is no timestamp

KINDS: Mapping[str, EventKind] = {
    "processed": "processed",
    "deferred": "deferred",
    "delivered": "delivered",
    "bounce": "bounced",
    "dropped": "dropped",
    "open": "opened",
    "click": "clicked",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "group_resubscribe": "resubscribed",
}
# The vendor's own suppression list turned the message away: the address is no use to us either.
DROPPED_FOR_GOOD = frozenset({"bounced address", "spam reporting address", "unsubscribed address", "invalid"})
# A refusal that says something about us, not about the mailbox.
OUR_FAULT = frozenset({"reputation", "content", "frequency/volume", "technical"})
_OUR_LINK = re.compile(r"/t/[A-Za-z0-9_-]{28}/(\d{1,4})(?:[?#].*)?$")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ADDRESS = re.compile(r"[^\s<>@\"']+@[^\s<>@\"']+")


def verify(webhook: Webhook, public_key: str) -> bool:
    """Whether the holder of the account's key signed these raw bytes within the replay window. Never raises."""
    signature, timestamp = webhook.headers.get(SIGNATURE, ""), webhook.headers.get(TIMESTAMP, "")
    if not (signature and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    age = webhook.received_at.timestamp() - int(timestamp)
    key = _public_key(public_key)
    if key is None or not -CLOCK_SKEW <= age <= REPLAY_WINDOW:
        return False
    try:
        key.verify(b64decode(signature, validate=True), timestamp.encode() + webhook.body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return True


@lru_cache(maxsize=32)
def _public_key(encoded: str) -> ec.EllipticCurvePublicKey | None:
    """The key as the vendor's page shows it: base64 of DER, with or without PEM's first and last line."""
    bare = "".join(line for line in encoded.splitlines() if not line.startswith("-----")).replace(" ", "")
    try:
        key = load_der_public_key(b64decode(bare, validate=True))
    except (Base64Error, ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def read(body: bytes) -> Iterator[VendorEvent | Unreadable]:
    """The events of one POST; what can't be read comes out as Unreadable."""
    items = _items(body)
    if not isinstance(items, list):
        yield Unreadable("sendgrid", "the body is not a JSON array", _raw(body[:2_000].decode("utf-8", "replace")))
        return
    for item in items:
        try:
            yield _event(item)
        except ValueError as fault:
            yield Unreadable("sendgrid", str(fault), _raw(item))


def _items(body: bytes) -> object:
    """Parsed JSON. One text that isn't Unicode makes orjson refuse everything: the slower reader then saves the others."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _event(item: object) -> VendorEvent:
    """One event. Raises ValueError with the reason, which names the field and never repeats its value."""
    if not isinstance(item, dict):
        raise ValueError("expected an object per event")
    name, event_id, at = item.get("event"), item.get("sg_event_id"), item.get("timestamp")
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError("/event: expected one of the vendor's event names")
    if not isinstance(event_id, str) or not 1 <= len(event_id) <= 100 or _has_controls(event_id):
        raise ValueError("/sg_event_id: expected 1 to 100 printable characters")
    if type(at) is not int or not OLDEST <= at <= NEWEST:
        raise ValueError("/timestamp: expected seconds since 1970")
    message_id = item.get("message_id", "")
    if not isinstance(message_id, str) or _has_controls(message_id):
        raise ValueError("/message_id: expected text")
    kind = KINDS[name]
    if kind == "bounced" and item.get("type") == "blocked":
        kind = "blocked"
    return VendorEvent(
        vendor="sendgrid",
        event_id=event_id,
        message_id=message_id[:64],
        kind=kind,
        at=datetime.fromtimestamp(at, UTC),
        machine=kind in {"opened", "clicked"} and _by_machine(item),
        permanent=_permanent(kind, item),
        detail=_detail(item),
        url_k=_link_number(item) if kind == "clicked" else None,
        everything=name == "unsubscribe",
    )


def _by_machine(item: Mapping[str, Any]) -> bool:
    return item.get("sg_machine_open") is True or ("useragent" in item and is_machine(str(item["useragent"])))


def _permanent(kind: EventKind, item: Mapping[str, Any]) -> bool:
    """Whether writing to this address again is pointless: a 5.x.x bounce about the mailbox, or the vendor's own list."""
    if kind == "dropped":
        return str(item.get("reason", "")).strip().lower() in DROPPED_FOR_GOOD
    if kind != "bounced":
        return False
    status, classification = str(item.get("status", "")), str(item.get("bounce_classification", "")).strip().lower()
    return (status.startswith("5") or not status) and classification not in OUR_FAULT


def _detail(item: Mapping[str, Any]) -> str:
    """Status and reason for people, without addresses or control characters, at most 200 characters."""
    text = " ".join([item[name] for name in ("status", "reason", "response") if isinstance(item.get(name), str)])
    text = _CONTROLS.sub(" ", text) if _has_controls(text) else text
    return (_ADDRESS.sub("…", text) if "@" in text else text)[:200]


def _has_controls(text: str) -> bool:
    """The quick question first: nearly every text is printable."""
    return not text.isprintable() and _CONTROLS.search(text) is not None


def _link_number(item: Mapping[str, Any]) -> int | None:
    found = _OUR_LINK.search(str(item.get("url", "")))
    return int(found.group(1)) if found else None


def _raw(item: object) -> str:
    """What is kept of an unreadable event: at most 2,000 characters, addresses blotted out."""
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=True, default=str)
    return _ADDRESS.sub("…", _CONTROLS.sub(" ", text))[:2_000]
