"""WhatsApp Business, Cloud API. Facts: Meta's API description v23.0 and error reference, read 2026-11."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

import orjson

from delivery.adapters import push_words, whatsapp_codes, whatsapp_events
from delivery.adapters.base import (
    Account,
    Adapter,
    EventKind,
    Fate,
    FateKind,
    Features,
    Limits,
    OutgoingMessage,
    OutgoingRequest,
    Unreadable,
    Unsendable,
    VendorEvent,
    VendorRequest,
    VendorResponse,
    Webhook,
    fate_of_status,
    json_object,
    part,
    retry_after,
)

VERSION = "v23.0"
LONGEST_TEXT = 4_096  # characters


class WhatsAppCloud(Adapter):
    """WhatsApp through Meta's Cloud API: one message per request, 200 with the message's `wamid`.

    The address is a phone number. Reads template (its name), language ("en_US"), variables (texts in order, or by name), buttons
    (for each button the text that completes its link, in order) and image (of a template's header). Without a template the text
    goes as free text, which Meta delivers only within 24 hours after the person wrote. Our id travels as
    `biz_opaque_callback_data`, which statuses bring back. There is no idempotency key.
    """

    key = "whatsapp_cloud"
    title = "WhatsApp Cloud API"
    channels = frozenset({"whatsapp"})
    base_url = "https://graph.facebook.com"
    tried = "lab"
    limits = Limits(recipients_per_request=1, concurrency=32, request_bytes=65_536, per_second=80)
    features = Features(echoes_message_id=True)
    secrets = ("access_token",)
    settings = ("phone_number_id", "api_version")
    required_settings: ClassVar[Mapping[str, str]] = {"phone_number_id": "the number's id (not the number itself)"}
    webhook_secret, greeting_secret = "app_secret", "verify_token"
    event_kinds: ClassVar[tuple[EventKind, ...]] = (
        "processed",
        "delivered",
        "opened",
        "failed",
        "bounced",
        "blocked",
        "unsubscribed",
        "resubscribed",
        "asked_help",
    )
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",
        400: "permanent_message",
        401: "misconfigured",
        403: "misconfigured",
        404: "misconfigured",
        408: "transient",
        429: "throttled",
    }

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One message. Raises Unsupported for more than one or attachments, Unsendable for a text that is too long."""
        message = push_words.only(request)
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.address,
            **_content(message),
            "biz_opaque_callback_data": message.message_id,
        }
        version = quote(str(account.settings.get("api_version") or VERSION), safe="")
        url = f"{account.base_url}/{version}/{quote(str(account.settings['phone_number_id']), safe='')}/messages"
        headers = {"authorization": f"Bearer {account.secrets['access_token']}", "content-type": "application/json"}
        return VendorRequest("POST", url, headers, orjson.dumps(body))

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By the error's code; a success must name the message, and a server's error may have come after it was taken."""
        answer, status = json_object(response.body), response.status
        if 200 <= status < 300:
            wamid = part(answer, "messages", 0, "id")
            if status == 200 and isinstance(wamid, str) and wamid:
                return Fate("accepted", vendor_id=wamid[:120])
            return Fate("ambiguous", detail=f"HTTP {status} without a message's id")
        code, wait = part(answer, "error", "code"), retry_after(response.headers)
        if status >= 500 or status < 400 or type(code) is not int:
            return Fate(fate_of_status(self.fates, status), retry_after=wait, detail=f"HTTP {status}", code=str(status))
        said = whatsapp_codes.said(code)
        return Fate(
            said.kind,
            retry_after=wait or said.retry_after,
            culprit=message_ids[0] if said.kind in ("permanent_address", "permanent_message") and len(message_ids) == 1 else None,
            suppress=said.suppress,
            detail=said.meaning,
            code=str(code),
        )

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """By the app's secret, over the raw body."""
        return whatsapp_events.verify(webhook, account.secrets.get(self.webhook_secret, ""))

    def greet(self, webhook: Webhook, account: Account) -> str | None:
        """By the token that was entered on Meta's page."""
        return whatsapp_events.greet(webhook, account.secrets.get(self.greeting_secret, ""))

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """Statuses, and STOP or START from people."""
        return whatsapp_events.read(webhook)


def _content(message: OutgoingMessage) -> dict[str, Any]:
    """A template with its parameters where the message names one, else its text."""
    options = message.options
    name = options.get("template")
    if not isinstance(name, str) or not name:
        text = message.filled.text.decode()
        if not 1 <= len(text) <= LONGEST_TEXT:
            raise Unsendable("permanent_message", f"a text of {len(text):,} characters; 1 to {LONGEST_TEXT:,} are taken")
        return {"type": "text", "text": {"preview_url": "https://" in text, "body": text}}
    language = str(options.get("language") or message.filled.locale).replace("-", "_")
    components: list[dict[str, Any]] = []
    if options.get("image"):
        components.append({"type": "header", "parameters": [{"type": "image", "image": {"link": str(options["image"])}}]})
    variables = options.get("variables") or []
    if isinstance(variables, Mapping):
        named = [{"type": "text", "parameter_name": str(key), "text": str(value)} for key, value in variables.items()]
        components.append({"type": "body", "parameters": named})
    elif variables:
        components.append({"type": "body", "parameters": [{"type": "text", "text": str(value)} for value in variables]})
    for place, value in enumerate(options.get("buttons") or []):
        button = {"type": "button", "sub_type": "url", "index": str(place), "parameters": [{"type": "text", "text": str(value)}]}
        components.append(button)
    template = {"name": name, "language": {"policy": "deterministic", "code": language}, "components": components}
    return {"type": "template", "template": template}
