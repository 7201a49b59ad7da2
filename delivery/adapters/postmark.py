"""Postmark, single e-mails. Facts: the vendor's API description and error list, read 2026-11."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from email.utils import formataddr
from typing import Any, ClassVar

import orjson

from delivery.adapters import postmark_events
from delivery.adapters.base import (
    Account,
    Adapter,
    Attachment,
    EventKind,
    Fate,
    FateKind,
    Features,
    Limits,
    MailFacts,
    OutgoingRequest,
    Unreadable,
    Unsupported,
    VendorEvent,
    VendorRequest,
    VendorResponse,
    Webhook,
    fate_of_status,
    json_object,
    retry_after,
)

CODES: Mapping[int, tuple[FateKind, str]] = {  # ErrorCode → what it means, and the word for people
    10: ("misconfigured", "the server token is refused"),
    100: ("transient", "the vendor is in maintenance"),
    300: ("permanent_message", "a field is not valid"),
    400: ("misconfigured", "no such sender signature"),
    401: ("misconfigured", "the sender signature is not confirmed"),
    405: ("misconfigured", "the account may not send: out of credits"),
    406: ("permanent_address", "inactive after a hard bounce, a complaint or a suppression"),
    411: ("permanent_message", "a kind of attachment that isn't taken"),
    412: ("misconfigured", "the account waits for approval"),
    413: ("misconfigured", "the account may not send"),
    429: ("throttled", "too many requests"),
    1235: ("misconfigured", "no such message stream"),
}


class Postmark(Adapter):
    """E-mail through Postmark: one message per request, 200 with ErrorCode 0 and a MessageID.

    The batch call isn't used: it answers 200 although single messages failed, each with an ErrorCode of its own, so a request would be
    neither accepted nor refused as a whole, and one that got no answer would leave five hundred people in doubt, each by itself.
    Our id travels as metadata, which events bring back. There is no idempotency key.
    """

    key = "postmark"
    title = "Postmark"
    channels = frozenset({"email"})
    base_url = "https://api.postmarkapp.com"
    limits = Limits(recipients_per_request=1, concurrency=32, request_bytes=10_000_000)
    features = Features(echoes_message_id=True, attachments=True)
    secrets = ("server_token",)
    settings = ("message_stream",)
    webhook_secret = "webhook_password"
    event_kinds: ClassVar[tuple[EventKind, ...]] = postmark_events.EVENT_KINDS
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",
        401: "misconfigured",
        403: "misconfigured",
        404: "misconfigured",
        408: "transient",
        413: "permanent_message",
        415: "misconfigured",
        422: "permanent_message",
        429: "throttled",
    }

    def mail_facts(self, settings: Mapping[str, Any]) -> MailFacts:
        """See Adapter. A return-path domain is an alias of pm.mtasv.net; selectors begin with the day they were made."""
        return MailFacts("Postmark", spf="spf.mtasv.net", zones=("mtasv.net",))

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One message, in full. Raises Unsupported for more."""
        if len(request.messages) != 1:
            raise Unsupported(f"{len(request.messages)} messages in one request")
        message = request.messages[0]
        filled, given = message.filled, message.headers or message.filled.headers
        body: dict[str, Any] = {
            "From": formataddr((request.sender.name, request.sender.address)),
            "To": message.address,
            "Subject": filled.subject,
            "TextBody": filled.text.decode(),
            "Headers": [{"Name": name, "Value": value} for name, value in given.items()],
            "Metadata": {"message_id": message.message_id},
            "TrackOpens": False,  # links and pixel are our own
            "TrackLinks": "None",
        }
        if filled.html:
            body["HtmlBody"] = filled.html.decode()
        if request.reply_to:
            body["ReplyTo"] = request.reply_to
        if account.settings.get("message_stream"):
            body["MessageStream"] = account.settings["message_stream"]
        if message.attachments:
            body["Attachments"] = [_attachment(one) for one in message.attachments]
        headers = {
            "x-postmark-server-token": account.secrets["server_token"],
            "content-type": "application/json",
            "accept": "application/json",
        }
        return VendorRequest("POST", f"{account.base_url}/email", headers, orjson.dumps(body))

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By ErrorCode: even 200 is a success only with 0."""
        answer, status = json_object(response.body), response.status
        code, named, wait = answer.get("ErrorCode"), answer.get("MessageID"), retry_after(response.headers)
        if status == 200 and code == 0 and type(code) is int and isinstance(named, str) and named:
            return Fate("accepted", vendor_id=named[:120])
        if type(code) is not int or code == 0 or status >= 500 or 200 < status < 400:
            kind = "ambiguous" if status == 200 else fate_of_status(self.fates, status)
            return Fate(kind, retry_after=wait, detail=f"HTTP {status}", code=str(status))
        kind, words = CODES.get(code, ("permanent_message", f"ErrorCode {code}"))
        if status in (401, 429):
            kind = self.fates[status]
        if code == 300 and "'To'" in str(answer.get("Message") or ""):
            kind, words = "permanent_address", "not a valid address"
        return Fate(
            kind,
            retry_after=wait,
            culprit=message_ids[0] if kind in ("permanent_address", "permanent_message") and len(message_ids) == 1 else None,
            suppress={300: "invalid", 406: "bounced"}.get(code, "") if kind == "permanent_address" else "",
            detail=words,
            code=str(code),
        )

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """By a password: the vendor signs nothing."""
        return postmark_events.verify(webhook, account.secrets.get(self.webhook_secret, ""))

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """The one event of a call."""
        return postmark_events.read(webhook)


def _attachment(file: Attachment) -> dict[str, str]:
    made = {"Name": file.name, "ContentType": file.content_type, "Content": b64encode(file.content).decode()}
    return {**made, "ContentID": f"cid:{file.content_id}"} if file.content_id else made
