"""Amazon SES v2, SendEmail. Facts: the vendor's service description 2019-09-27 and developer guide, read 2026-11."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import formataddr
from typing import Any, ClassVar

import orjson

from delivery.adapters import ses_events
from delivery.adapters.aws_signature import AwsKey, signed
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

ERRORS: Mapping[str, FateKind] = {
    "TooManyRequestsException": "throttled",
    "ThrottlingException": "throttled",
    "LimitExceededException": "throttled",
    "AccountSuspendedException": "misconfigured",
    "SendingPausedException": "misconfigured",
    "MailFromDomainNotVerifiedException": "misconfigured",
    "NotFoundException": "misconfigured",
    "MessageRejected": "permanent_message",
    "BadRequestException": "permanent_message",
}
ADDRESS_WORDS = (
    "illegal address",
    "missing final",
    "missing local",
    "domain contains",
    "domain starts",
    "domain ends",
    "invalid destination",
)


class Ses(Adapter):
    """E-mail through Amazon SES: one message per request, 200 with its MessageId. Signed here, with a key that may only send.

    Our id travels as a tag, which event publishing brings back through SNS. There is no idempotency key. SendBulkEmail is not
    used: it answers for each of its fifty people by itself, and without an answer each of them would be in doubt by itself.
    """

    key = "ses"
    title = "Amazon SES v2"
    channels = frozenset({"email"})
    base_url = "https://email.us-east-1.amazonaws.com"
    limits = Limits(recipients_per_request=1, concurrency=32, request_bytes=40_000_000)
    features = Features(echoes_message_id=True, attachments=True)
    secrets = ("access_key_id", "secret_access_key")
    settings = ("region", "configuration_set", "topic_arn")
    required_settings: ClassVar[Mapping[str, str]] = {"region": "where the account sends, such as eu-west-1"}
    webhook_secret = "sns_certificate"
    event_kinds: ClassVar[tuple[EventKind, ...]] = tuple(dict.fromkeys(ses_events.KINDS.values())) + ("dropped",)
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",
        400: "permanent_message",
        403: "misconfigured",
        404: "misconfigured",
        408: "transient",
        413: "permanent_message",
        429: "throttled",
    }

    def mail_facts(self, settings: Mapping[str, Any]) -> MailFacts:
        """See Adapter. Selectors are three random tokens per domain."""
        return MailFacts("Amazon SES", spf="amazonses.com", zones=("amazonses.com",))

    def home(self, settings: Mapping[str, Any]) -> str:
        """Each region has an address of its own."""
        return f"https://email.{settings.get('region') or 'us-east-1'}.amazonaws.com"

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One message, in full. Raises Unsupported for more."""
        if len(request.messages) != 1:
            raise Unsupported(f"{len(request.messages)} messages in one request")
        message, settings = request.messages[0], account.settings
        filled, given = message.filled, message.headers or message.filled.headers
        content: dict[str, Any] = {
            "Subject": _text(filled.subject),
            "Body": {"Text": _text(filled.text.decode()), **({"Html": _text(filled.html.decode())} if filled.html else {})},
            "Headers": [{"Name": name, "Value": value} for name, value in given.items()],
        }
        if message.attachments:
            content["Attachments"] = [_attachment(one) for one in message.attachments]
        body: dict[str, Any] = {
            "FromEmailAddress": formataddr((request.sender.name, request.sender.address)),
            "Destination": {"ToAddresses": [message.address]},
            "Content": {"Simple": content},
            "EmailTags": [{"Name": "message_id", "Value": message.message_id}],
        }
        if request.reply_to:
            body["ReplyToAddresses"] = [request.reply_to]
        if settings.get("configuration_set"):
            body["ConfigurationSetName"] = settings["configuration_set"]
        url, data = f"{account.base_url}/v2/email/outbound-emails", orjson.dumps(body)
        key = AwsKey(account.secrets["access_key_id"], account.secrets["secret_access_key"], str(settings["region"]), "ses")
        headers = signed("POST", url, {"content-type": "application/json"}, data, key, request.at)
        return VendorRequest("POST", url, headers, data)

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By the kind of error, which is in a header or in the body."""
        answer, status = json_object(response.body), response.status
        if 200 <= status < 300:
            named = answer.get("MessageId")
            if status == 200 and isinstance(named, str) and named:
                return Fate("accepted", vendor_id=named[:120])
            return Fate("ambiguous", detail=f"HTTP {status} without a MessageId")
        kind, error = fate_of_status(self.fates, status), _error(response.headers.get("x-amzn-errortype") or answer.get("__type"))
        if 400 <= status < 500:
            kind = ERRORS.get(error, kind)
        words = str(answer.get("message") or "").lower()
        if error == "BadRequestException" and any(said in words for said in ADDRESS_WORDS):
            kind = "permanent_address"
        return Fate(
            kind,
            retry_after=retry_after(response.headers),
            culprit=message_ids[0] if kind in ("permanent_address", "permanent_message") and len(message_ids) == 1 else None,
            suppress="invalid" if kind == "permanent_address" else "",
            detail=f"HTTP {status} {error}".strip(),
            code=error or str(status),
        )

    def signed_at(self, webhook: Webhook) -> datetime | None:
        """By the time that is signed with the call."""
        return ses_events.signed_at(webhook)

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """SNS's signature by the certificate that the route holds, for the route's own topic."""
        topic = str(account.settings.get("topic_arn") or "")
        return ses_events.verify(webhook, account.secrets.get(self.webhook_secret, ""), topic)

    def confirm(self, webhook: Webhook) -> VendorRequest | None:
        """SNS asks once whether this address wants the topic."""
        url = ses_events.subscribe_url(webhook)
        return VendorRequest("GET", url, idempotent=True) if url else None

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """The event of one notification."""
        return ses_events.read(webhook)


def _text(data: str) -> dict[str, str]:
    return {"Data": data, "Charset": "UTF-8"}


def _attachment(file: Attachment) -> dict[str, str]:
    made = {"FileName": file.name, "ContentType": file.content_type, "RawContent": b64encode(file.content).decode()}
    if file.content_id:
        return {**made, "ContentDisposition": "INLINE", "ContentId": file.content_id}
    return {**made, "ContentDisposition": "ATTACHMENT"}


def _error(named: object) -> str:
    """The bare name of the error: headers add an address, bodies a prefix."""
    return named.split(":", 1)[0].rpartition("#")[2][:60] if isinstance(named, str) else ""
