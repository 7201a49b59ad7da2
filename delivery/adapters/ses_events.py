"""What SES says through SNS, and whether SNS said it. The certificate is not fetched: the route holds it as a secret, as text."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from delivery.adapters.base import EventKind, Unreadable, VendorEvent, Webhook, iso_moment, json_object, part, without_addresses
from delivery.user_agents import is_machine

VENDOR = "ses"
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
KINDS: Mapping[str, EventKind] = {
    "Send": "processed",
    "Delivery": "delivered",
    "Bounce": "bounced",
    "Complaint": "complained",
    "Reject": "failed",
    "Rendering Failure": "failed",
    "DeliveryDelay": "deferred",
    "Open": "opened",
    "Click": "clicked",
    "Subscription": "unsubscribed",
}
REPLAY_WINDOW = 25 * 3_600  # seconds
CLOCK_SKEW = 600  # seconds a vendor's clock may be ahead of ours
_SUBSCRIBE = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?/\?[!-~]{1,4000}")


def verify(webhook: Webhook, certificate: str, topic_arn: str) -> bool:
    """RSA with SHA-256 (signature version 2) over the fields that SNS signs. Never raises.

    Everybody's topics are signed by the same key, so only the route's own topic is believed. SNS repeats a call for an hour unless told
    to for longer, so one that was made more than 25 hours ago is a replay.
    """
    signed = signed_at(webhook)
    if signed is None or not -CLOCK_SKEW <= (webhook.received_at - signed).total_seconds() <= REPLAY_WINDOW:
        return False
    given, key = json_object(webhook.body), _key(certificate)
    fields = SIGNED.get(str(given.get("Type")))
    if key is None or fields is None or not topic_arn or given.get("TopicArn") != topic_arn or given.get("SignatureVersion") != "2":
        return False
    present = [(name, given[name]) for name in fields if name in given]
    if not all(isinstance(value, str) for _, value in present):
        return False
    text = "".join(f"{name}\n{value}\n" for name, value in present)
    try:
        key.verify(b64decode(str(given.get("Signature")), validate=True), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return True


def signed_at(webhook: Webhook) -> datetime | None:
    """When SNS made the call, by its own signed field."""
    try:
        return iso_moment(json_object(webhook.body).get("Timestamp"), "/Timestamp")
    except ValueError:
        return None


def subscribe_url(webhook: Webhook) -> str:
    """Where a verified question is answered, at SNS and nowhere else; "" for everything that is no question."""
    given = json_object(webhook.body)
    url = given.get("SubscribeURL")
    asked = given.get("Type") == "SubscriptionConfirmation" and isinstance(url, str) and _SUBSCRIBE.fullmatch(url)
    return str(url) if asked else ""


def read(webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
    """The one event of a notification; SNS's own questions are none."""
    given = json_object(webhook.body)
    if given.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return
    try:
        yield _event(given)
    except ValueError as fault:
        yield Unreadable(VENDOR, str(fault), ", ".join(sorted(given))[:300])


@lru_cache(maxsize=32)
def _key(certificate: str) -> rsa.RSAPublicKey | None:
    try:
        key = x509.load_pem_x509_certificate(certificate.replace("\\n", "\n").strip().encode()).public_key()
    except ValueError:
        return None
    return key if isinstance(key, rsa.RSAPublicKey) else None


def _event(given: Mapping[str, Any]) -> VendorEvent:
    """Raises ValueError with the field and what was expected there."""
    said = json_object(given["Message"]) if isinstance(given.get("Message"), str) else {}
    name, sent = said.get("eventType") or said.get("notificationType"), part(said, "mail", "messageId")
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError("/Message/eventType: expected one of the vendor's event names")
    if not isinstance(sent, str) or not 1 <= len(sent) <= 100:
        raise ValueError("/Message/mail/messageId: expected 1 to 100 characters")
    about = said.get("failure" if name == "Rendering Failure" else name[0].lower() + name[1:])
    at = part(about, "timestamp") or part(said, "mail", "timestamp")
    ours, kind, permanent = part(said, "mail", "tags", "message_id", 0), KINDS[name], False
    if kind == "bounced":
        permanent = part(about, "bounceType") == "Permanent"
        kind = "dropped" if part(about, "bounceSubType") in ("Suppressed", "OnAccountSuppressionList") else kind
    words = " ".join(str(part(about, key) or "") for key in ("bounceType", "bounceSubType", "complaintFeedbackType", "delayType", "reason"))
    return VendorEvent(
        vendor=VENDOR,
        event_id=f"{sent}:{name}:{at}"[:160],
        message_id=ours[:64] if isinstance(ours, str) else "",
        kind=kind,
        at=iso_moment(at, "/Message/timestamp"),
        machine=kind in ("opened", "clicked") and is_machine(str(part(about, "userAgent") or "")),
        permanent=permanent,
        detail=without_addresses(words.strip()),
        everything=kind == "unsubscribed",
        vendor_id=sent,
    )
