"""The outbox: a vendor inside the house. What is "sent" lands in the mailbox page instead of leaving the machine."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

import orjson

from delivery.adapters.base import (
    Account,
    Adapter,
    Attachment,
    Fate,
    Features,
    Limits,
    OutgoingMessage,
    OutgoingRequest,
    VendorRequest,
    VendorResponse,
)


class Outbox(Adapter):
    """Requests to `outbox://<channel>`, which the connections store as mailbox rows, one per message id: repeating is safe.

    Body (JSON): {"attempt", "channel", "from", "from_name", "reply_to", "messages": [{"message_id", "to", "subject", "html",
    "text", "locale", "headers", "options", "attachments"}]}; html is null for SMS and push.
    """

    key = "outbox"
    title = "Local outbox"
    channels = frozenset({"email", "sms", "push", "whatsapp", "wechat", "webhook"})
    platforms = frozenset({"fcm", "apns", "webpush"})
    base_url = "outbox://"
    tried = "in the house"
    limits = Limits(recipients_per_request=500, concurrency=32, request_bytes=64_000_000)  # a local table: one window per batch
    features = Features(mixed_content=True, idempotency_key=True, echoes_message_id=True, attachments=True)

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One request that holds every message in full."""
        body = {
            "attempt": request.attempt_id,
            "channel": request.channel,
            "from": request.sender.address,
            "from_name": request.sender.name,
            "reply_to": request.reply_to,
            "messages": [_mail(message) for message in request.messages],
        }
        return VendorRequest("POST", f"outbox://{request.channel}", {"content-type": "application/json"}, orjson.dumps(body), True)

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """The local store either has everything or, having failed as one transaction, nothing."""
        if response.status == 202:
            return Fate("accepted", vendor_id=response.headers.get("x-message-id", ""))
        return Fate("transient", detail=f"the outbox answered {response.status}")


def _file(one: Attachment) -> dict[str, object]:
    content = b64encode(one.content).decode()
    return {"name": one.name, "content_type": one.content_type, "bytes": len(one.content), "content_id": one.content_id, "content": content}


def _mail(message: OutgoingMessage) -> dict[str, object]:
    filled = message.filled
    return {
        "message_id": message.message_id,
        "to": message.address,
        "subject": filled.subject,
        "html": filled.html.decode() if filled.html is not None else None,
        "text": filled.text.decode(),
        "locale": filled.locale,
        "headers": message.headers or filled.headers,
        "options": dict(message.options),
        "attachments": [_file(one) for one in message.attachments],
    }
