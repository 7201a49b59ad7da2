"""What Postmark's webhooks say. Postmark signs nothing: its calls bear the password that was put into their address."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from typing import Any

from delivery.adapters.base import EventKind, Unreadable, VendorEvent, Webhook, iso_moment, json_object, part, without_addresses
from delivery.user_agents import is_machine

VENDOR = "postmark"
MOMENTS = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")
KINDS: Mapping[str, EventKind] = {"Delivery": "delivered", "SpamComplaint": "complained", "Open": "opened", "Click": "clicked"}
BOUNCES: Mapping[str, tuple[EventKind, bool]] = {  # Type → what it says, and whether the address is dead
    "HardBounce": ("bounced", True),
    "BadEmailAddress": ("bounced", True),
    "ManuallyDeactivated": ("dropped", True),
    "SpamComplaint": ("complained", False),
    "Transient": ("deferred", False),
    "SpamNotification": ("blocked", False),
    "Blocked": ("blocked", False),
    "DMARCPolicy": ("blocked", False),
    "Unsubscribe": ("unsubscribed", False),
}
EVENT_KINDS: tuple[EventKind, ...] = (
    "processed",
    "deferred",
    "delivered",
    "bounced",
    "blocked",
    "dropped",
    "opened",
    "clicked",
    "complained",
    "unsubscribed",
    "resubscribed",
)


def verify(webhook: Webhook, password: str) -> bool:
    """Whether the call bears the password (HTTP Basic, any user). Never raises."""
    scheme, _, given = webhook.headers.get("authorization", "").partition(" ")
    if not password or scheme.lower() != "basic":
        return False
    try:
        said = b64decode(given.encode("ascii", "strict"), validate=True).partition(b":")[2]
    except (Base64Error, ValueError):
        return False
    return hmac.compare_digest(said, password.encode())


def read(webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
    """The one event of a call."""
    item = json_object(webhook.body)
    try:
        yield _event(item)
    except ValueError as fault:
        yield Unreadable(VENDOR, str(fault), ", ".join(sorted(item))[:300])


def _event(item: Mapping[str, Any]) -> VendorEvent:
    """Raises ValueError with the field and what was expected there."""
    name, sent = item.get("RecordType"), item.get("MessageID")
    if not isinstance(name, str) or name not in {*KINDS, "Bounce", "SubscriptionChange"}:
        raise ValueError("/RecordType: expected one of the vendor's record types")
    if not isinstance(sent, str) or not 1 <= len(sent) <= 100 or not sent.isprintable():
        raise ValueError("/MessageID: expected 1 to 100 printable characters")
    moment = next((item[one] for one in MOMENTS if isinstance(item.get(one), str)), "")
    kind, permanent = _kind(name, item)
    ours, number = part(item, "Metadata", "message_id"), item.get("ID")
    return VendorEvent(
        vendor=VENDOR,
        event_id=f"{sent}:{name}:{number if type(number) is int else moment}"[:160],
        message_id=ours[:64] if isinstance(ours, str) else "",
        kind=kind,
        at=iso_moment(moment, "/DeliveredAt"),
        machine=kind in ("opened", "clicked") and is_machine(str(item.get("UserAgent") or "")),
        permanent=permanent,
        detail=without_addresses(item.get("Type") or item.get("SuppressionReason") or name),
        everything=kind == "unsubscribed",
        vendor_id=sent,
    )


def _kind(name: str, item: Mapping[str, Any]) -> tuple[EventKind, bool]:
    if name == "Bounce":
        return BOUNCES.get(str(item.get("Type")), ("bounced", False))
    if name == "SubscriptionChange":
        if item.get("SuppressSending") is not True:
            return "resubscribed", False
        # Bounces and complaints have calls of their own; what is left is the person's wish.
        return ("unsubscribed" if item.get("SuppressionReason") == "ManualSuppression" else "processed"), False
    return KINDS[name], False
