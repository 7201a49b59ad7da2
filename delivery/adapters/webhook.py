"""A message as a signed call to your own service. Facts: the Standard Webhooks specification 1.0, read 2026-11."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson

from delivery.adapters.base import (
    Account,
    Adapter,
    Fate,
    FateKind,
    Features,
    Limits,
    OutgoingRequest,
    VendorRequest,
    VendorResponse,
    fate_of_status,
    retry_after,
)
from delivery.adapters.push_words import only

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class OwnWebhook(Adapter):
    """Any channel of your own: each message is one JSON POST to the route's address, signed by Standard Webhooks.

    The address is whatever your service knows the person by. Body: {"type": "omni.message", "timestamp", "data": {"message_id", "to",
    "subject", "text", "html", "locale", "from", "options"}}; options go as they are. `webhook-id` is the message's id and the same in
    every repeat, so a receiver that remembers ids takes each message once; that is the receiver's promise, so without an answer
    the message is in doubt here as anywhere.
    """

    key = "webhook"
    title = "Own webhook"
    channels = frozenset({"webhook"})
    limits = Limits(recipients_per_request=1, concurrency=16, request_bytes=1_000_000)
    features = Features()
    secrets = ("signing_secret",)
    settings = ("url",)
    required_settings: ClassVar[Mapping[str, str]] = {"url": "the https address of your service"}
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",
        201: "accepted",
        202: "accepted",
        204: "accepted",
        400: "permanent_message",
        401: "misconfigured",
        403: "misconfigured",
        404: "misconfigured",
        405: "misconfigured",
        408: "transient",
        410: "misconfigured",  # the receiver wants no more calls at all
        413: "permanent_message",
        422: "permanent_message",
        429: "throttled",
    }

    def home(self, settings: Mapping[str, Any]) -> str:
        """The route's own address."""
        return str(settings.get("url", ""))

    def faults(self, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Only https, but for a service on this machine: the body holds what is said to people."""
        yield from super().faults(settings)
        parts = urlsplit(str(settings.get("url") or ""))
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if settings.get("url") and not (parts.hostname and safe):
            yield "url", "an address that begins with https://"

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One message. Raises Unsupported for more than one, or for attachments."""
        message = only(request)
        filled, moment = message.filled, request.at
        data = {
            "message_id": message.message_id,
            "to": message.address,
            "subject": filled.subject,
            "text": filled.text.decode(),
            "html": filled.html.decode() if filled.html is not None else None,
            "locale": filled.locale,
            "from": request.sender.address,
            "options": dict(message.options),
        }
        body = orjson.dumps({"type": "omni.message", "timestamp": moment, "data": data})
        headers = {
            "content-type": "application/json",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signature(account.secrets["signing_secret"], message.message_id, int(moment.timestamp()), body),
        }
        return VendorRequest("POST", account.base_url, headers, body)

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By status: nothing that a service of one's own may write in a body counts."""
        kind = fate_of_status(self.fates, response.status)
        if kind == "accepted":
            return Fate(kind)
        culprit = message_ids[0] if kind == "permanent_message" and len(message_ids) == 1 else None
        detail = f"HTTP {response.status}"
        return Fate(kind, retry_after=retry_after(response.headers), culprit=culprit, detail=detail, code=str(response.status))


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of id, timestamp and body joined by dots. secret: `whsec_` and base64, or any text."""
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True) if secret.startswith("whsec_") else secret.encode()
    except Base64Error:
        key = secret.encode()
    made = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, sha256).digest()
    return f"v1,{b64encode(made).decode()}"
