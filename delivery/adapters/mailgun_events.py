"""What Mailgun's webhooks say, and whether Mailgun made them."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from delivery.adapters.base import EventKind, Unreadable, VendorEvent, Webhook, json_object, part, without_addresses
from delivery.user_agents import is_machine

VENDOR = "mailgun"
REPLAY_WINDOW = 25 * 3_600  # seconds: the vendor repeats for eight hours and doesn't say that a repeat is signed anew
CLOCK_SKEW = 600
OLDEST, NEWEST = 946_684_800, 4_102_444_800  # 2000 and 2100: outside is no timestamp
KINDS: Mapping[str, EventKind] = {
    "accepted": "processed",
    "stored": "processed",
    "delivered": "delivered",
    "failed": "bounced",
    "rejected": "failed",
    "opened": "opened",
    "clicked": "clicked",
    "unsubscribed": "unsubscribed",
    "complained": "complained",
}


def verify(webhook: Webhook, signing_key: str) -> bool:
    """Whether whoever has the key made time and token of this call, at most 25 hours ago. Never raises."""
    signature = json_object(webhook.body).get("signature")
    given = [part(signature, name) for name in ("timestamp", "token", "signature")]
    if not signing_key or not all(isinstance(one, str) and one.isascii() and len(one) <= 200 for one in given):
        return False
    timestamp, token, made = map(str, given)
    if not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if not -CLOCK_SKEW <= webhook.received_at.timestamp() - int(timestamp) <= REPLAY_WINDOW:
        return False
    return hmac.compare_digest(made, hmac.new(signing_key.encode(), (timestamp + token).encode(), sha256).hexdigest())


def read(webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
    """The one event of a call."""
    item = json_object(webhook.body).get("event-data")
    try:
        yield _event(item)
    except ValueError as fault:
        yield Unreadable(VENDOR, f"/event-data{fault}", ", ".join(sorted(map(str, item)))[:300] if isinstance(item, dict) else "")


def _event(item: Any) -> VendorEvent:
    """Raises ValueError with the field and what was expected there."""
    name, event_id, at = part(item, "event"), part(item, "id"), part(item, "timestamp")
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError("/event: expected one of the vendor's event names")
    if not isinstance(event_id, str) or not 1 <= len(event_id) <= 100 or not event_id.isprintable():
        raise ValueError("/id: expected 1 to 100 printable characters")
    if isinstance(at, bool) or not isinstance(at, int | float) or not OLDEST <= at <= NEWEST:
        raise ValueError("/timestamp: expected seconds since 1970")
    ours, sent = part(item, "user-variables", "message_id"), part(item, "message", "headers", "message-id")
    kind, permanent = _failure(item) if name == "failed" else (KINDS[name], False)
    words = " ".join(str(one) for one in (part(item, "reason"), part(item, "delivery-status", "code")) if one)
    return VendorEvent(
        vendor=VENDOR,
        event_id=event_id,
        message_id=ours[:64] if isinstance(ours, str) else "",
        kind=kind,
        at=datetime.fromtimestamp(at, UTC),
        machine=kind in ("opened", "clicked") and _by_machine(item),
        permanent=permanent,
        detail=without_addresses(words),
        everything=kind == "unsubscribed",
        vendor_id=sent.strip("<>")[:120] if isinstance(sent, str) else "",
    )


def _failure(item: Any) -> tuple[EventKind, bool]:
    """A failure that will be tried again, one of the vendor's own list, or a bounce, which is permanent only about the mailbox."""
    reason, code = part(item, "reason"), part(item, "delivery-status", "code")
    enhanced = str(part(item, "delivery-status", "enhanced-code") or "")
    if part(item, "severity") == "temporary":
        return "deferred", False
    if isinstance(reason, str) and reason.startswith("suppress-"):
        return "dropped", True
    return "bounced", enhanced.startswith("5.1.") or (not enhanced and reason == "bounce" and code == 550)


def _by_machine(item: Any) -> bool:
    bot, agent = part(item, "client-info", "bot"), part(item, "client-info", "user-agent")
    return bool(bot) or (isinstance(agent, str) and is_machine(agent))
