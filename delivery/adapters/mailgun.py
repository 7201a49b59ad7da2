"""Mailgun v3 messages. Facts: the vendor's API description and user manual, read 2026-11."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import formataddr
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import orjson

from delivery.adapters import mailgun_events
from delivery.adapters.base import (
    Account,
    Adapter,
    EventKind,
    Fate,
    FateKind,
    Features,
    Limits,
    MailFacts,
    OutgoingMessage,
    OutgoingRequest,
    Parcel,
    Unreadable,
    Unsupported,
    VendorEvent,
    VendorRequest,
    VendorResponse,
    Webhook,
    fate_of_status,
    json_object,
    moment_of,
    part,
    retry_after,
)

if TYPE_CHECKING:
    from rendering.door import Substituted

VALUES_BYTES = 10_000  # of one person: a thousand of them stay far below what a request may hold
PLACEHOLDER = "%recipient"  # what begins so would be replaced by the vendor
_BAD_TO = re.compile(r"^'?to'? parameter is not a valid address")
_WAIT = re.compile(r"try again after (\d{1,4}) seconds")
Part = tuple[str, str, str, bytes]  # field, file name, content type, content


class Mailgun(Adapter):
    """E-mail through Mailgun: up to 1,000 people per request by recipient variables, none of whom sees another.

    The constant text travels once. A request is accepted as a whole (200 with an id that all its messages share) or refused. Our id
    is a variable that events bring back. The vendor ignores a repeated address within a request, so two messages to one address
    never share one. There is no idempotency key.
    """

    key = "mailgun"
    title = "Mailgun v3"
    channels = frozenset({"email"})
    base_url = "https://api.mailgun.net"
    limits = Limits(recipients_per_request=1_000, concurrency=16, request_bytes=25_000_000)
    features = Features(substitution=True, echoes_message_id=True, attachments=True)
    secrets = ("api_key",)
    settings = ("domain", "region", "sandbox")
    required_settings: ClassVar[Mapping[str, str]] = {"domain": "the domain that sends, such as mg.example.com"}
    setting_forms: ClassVar[Mapping[str, str]] = {"sandbox": "yes or no"}
    webhook_secret = "signing_key"
    event_kinds: ClassVar[tuple[EventKind, ...]] = tuple(dict.fromkeys([*mailgun_events.KINDS.values(), "deferred", "dropped"]))
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",
        400: "permanent_message",
        401: "misconfigured",
        402: "misconfigured",
        403: "misconfigured",
        404: "misconfigured",
        408: "transient",
        413: "permanent_message",
        429: "throttled",
    }

    def mail_facts(self, settings: Mapping[str, Any]) -> MailFacts:
        """See Adapter. Signatures and bounces are the sending domain's, which may be another than the address's."""
        domain = str(settings.get("domain") or "").lower()
        return MailFacts("Mailgun", spf="mailgun.org", zones=("mailgun.org",), dkim_domain=domain, return_path=domain)

    def home(self, settings: Mapping[str, Any]) -> str:
        """Europe has an address of its own (region: eu)."""
        return "https://api.eu.mailgun.net" if settings.get("region") == "eu" else self.base_url

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One form. Without `substituted` exactly one message, in full. Raises Unsupported beyond the limits."""
        size, shared = len(request.messages), request.substituted
        if not 1 <= size <= self.limits.recipients_per_request or (size > 1 and shared is None):
            raise Unsupported(f"{size} messages in one request {'with' if shared else 'without'} substitution")
        if size > 1 and any(message.attachments for message in request.messages):
            raise Unsupported("attachments in a request for several people, who would all get them")
        fields = [("from", formataddr((request.sender.name, request.sender.address)))]
        fields += [("to", message.address) for message in request.messages]
        fields += _one(request.messages[0]) if shared is None else _many(request.messages, shared)
        fields += [("o:tracking", "no"), ("o:tracking-clicks", "no"), ("o:tracking-opens", "no")]  # links and pixel are our own
        if request.reply_to:
            fields.append(("h:Reply-To", request.reply_to))
        if account.settings.get("sandbox"):
            fields.append(("o:testmode", "yes"))
        parts: list[Part] = [(name, "", "", value.encode()) for name, value in fields]
        for file in request.messages[0].attachments:
            # The vendor makes a picture's content id of its file name, so the HTML has to name it by that.
            parts.append(("inline" if file.content_id else "attachment", file.name, file.content_type, file.content))
        boundary, body = _form(parts)
        headers = {
            "authorization": "Basic " + b64encode(f"api:{account.secrets['api_key']}".encode()).decode(),
            "content-type": f"multipart/form-data; boundary={boundary}",
        }
        return VendorRequest("POST", f"{account.base_url}/v3/{quote(str(account.settings['domain']), safe='')}/messages", headers, body)

    def parcels(self, messages: Sequence[OutgoingMessage], *, substituted: Substituted | None, at_most: int) -> list[Parcel]:
        """As everywhere, and no address twice in one request."""
        rounds, seen = defaultdict[int, list[OutgoingMessage]](list), Counter[str]()
        for message in messages:
            address = message.address.casefold()
            rounds[seen[address]].append(message)
            seen[address] += 1
        parcels = list[Parcel]()
        for _, some in sorted(rounds.items()):
            parcels += super().parcels(some, substituted=substituted, at_most=at_most)
        return parcels

    def fits(self, message: OutgoingMessage, substituted: Substituted) -> bool:
        """Whether the values are small, and nothing in them or around them looks like a variable of the vendor's."""
        if message.attachments or any(PLACEHOLDER in value for value in message.filled.values):
            return False
        if any(PLACEHOLDER in text for text in (substituted.subject, substituted.text, substituted.html or "")):
            return False
        return len(orjson.dumps(message.filled.values)) < VALUES_BYTES

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By status; a success must name the message. The words are read only for a wait and for an address."""
        answer, status = json_object(response.body), response.status
        words = answer.get("message")
        words = words if isinstance(words, str) else ""
        if 200 <= status < 300:
            named = answer.get("id")
            if status == 200 and isinstance(named, str) and named:
                return Fate("accepted", vendor_id=named.strip("<>")[:120])
            return Fate("ambiguous", detail=f"HTTP {status} without an id")
        kind, wait = fate_of_status(self.fates, status), retry_after(response.headers)
        if status == 429 and wait is None and (said := _WAIT.search(words)):
            wait = float(said.group(1))
        single = message_ids[0] if len(message_ids) == 1 else None
        if status == 400 and single and _BAD_TO.search(words):
            return Fate("permanent_address", culprit=single, suppress="invalid", detail="not a valid address", code="400")
        culprit = single if kind == "permanent_message" else None
        return Fate(kind, retry_after=wait, culprit=culprit, detail=f"HTTP {status}", code=str(status))

    def signed_at(self, webhook: Webhook) -> datetime | None:
        """By the time that is signed with the call."""
        return moment_of(part(json_object(webhook.body), "signature", "timestamp"))

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """HMAC-SHA256 over time and token, which are in the body. It does not cover what the event says."""
        return mailgun_events.verify(webhook, account.secrets.get(self.webhook_secret, ""))

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """The one event of a call."""
        return mailgun_events.read(webhook)


def _one(message: OutgoingMessage) -> list[tuple[str, str]]:
    filled, headers = message.filled, message.headers or message.filled.headers
    fields = [("subject", filled.subject), ("text", filled.text.decode())]
    fields += [("html", filled.html.decode())] if filled.html else []
    return fields + [(f"h:{name}", value) for name, value in headers.items()] + [("v:message_id", message.message_id)]


def _many(messages: Sequence[OutgoingMessage], shared: Substituted) -> list[tuple[str, str]]:
    """The text with the vendor's variables where tags were, and each person's values. Headers are variables, too."""
    names = [f"v{place}" for place in range(len(shared.tags))]
    texts = [("subject", shared.subject), ("text", shared.text), *([("html", shared.html)] if shared.html else [])]
    variables, headers = {}, dict[str, str]()
    for message in messages:
        own = message.headers or message.filled.headers
        headers |= {f"h:{name}": f"%recipient.h:{name}%" for name in own}
        variables[message.address] = {
            **dict(zip(names, message.filled.values, strict=True)),
            **{f"h:{name}": value for name, value in own.items()},
            "message_id": message.message_id,
        }
    return [
        *((name, _with_variables(text, shared.tags, names)) for name, text in texts),
        *headers.items(),
        ("v:message_id", "%recipient.message_id%"),
        ("recipient-variables", orjson.dumps(variables).decode()),
    ]


def _with_variables(text: str, tags: Sequence[str], names: Sequence[str]) -> str:
    for tag, name in zip(tags, names, strict=True):
        text = text.replace(tag, f"%recipient.{name}%")
    return text


def _form(parts: Sequence[Part]) -> tuple[str, bytes]:
    """A multipart form and its boundary, which is made of the content: the same form is the same bytes."""
    digest = blake2b(digest_size=20)
    for name, file, _, content in parts:
        digest.update(f"{name}\x00{file}\x00{len(content)}\x00".encode() + content)
    boundary = f"omni-{digest.hexdigest()}"
    lines = []
    for name, file, kind, content in parts:
        shown = re.sub(r'[\r\n"]', "_", file)
        head = f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"' + (f'; filename="{shown}"' if file else "")
        lines.append(head.encode() + (f"\r\ncontent-type: {kind}".encode() if kind else b"") + b"\r\n\r\n" + content + b"\r\n")
    return boundary, b"".join(lines) + f"--{boundary}--\r\n".encode()
