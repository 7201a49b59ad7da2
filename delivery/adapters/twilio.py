"""Twilio Messages (SMS and WhatsApp). Facts: the vendor's API description and error reference, read 2026-11."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import orjson

from delivery.adapters import twilio_codes, twilio_events
from delivery.adapters.base import (
    Account,
    Adapter,
    Charged,
    EventKind,
    Fate,
    FateKind,
    Features,
    Found,
    Limits,
    OutgoingMessage,
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
from delivery.adapters.forms import form_value
from delivery.adapters.push_words import only

LONGEST_VALIDITY = 36_000  # seconds the vendor queues at most
CLOCK_SKEW = timedelta(seconds=60)
LONGEST_CALL = timedelta(seconds=120)
PAGE_SIZE = 200
DEAREST = 10**12  # micros: no message costs a million


class Twilio(Adapter):
    """SMS and WhatsApp through Twilio: one form post per message, 201 with a `sid`.

    On WhatsApp both numbers carry the prefix `whatsapp:`. Reads template (its ContentSid, HX…) and variables (texts in order, or
    by name); without a template the text goes as free text, which is delivered only within 24 hours after the person wrote.
    There is no idempotency key; our message id travels in the StatusCallback's query, which the vendor signs, and an
    unanswered request can be looked up by recipient, sender, text and time. Beyond the sender's rate the vendor queues for
    up to ten hours, so requests carry how long the message is of use.
    """

    key = "twilio"
    title = "Twilio Messages"
    channels = frozenset({"sms", "whatsapp"})
    base_url = "https://api.twilio.com"
    tried = "lab"
    limits = Limits(recipients_per_request=1, concurrency=200, request_bytes=65_536)
    features = Features(echoes_message_id=True, lookup=True, prices=True)
    secrets = ("auth_token",)
    further_secrets = ("api_key_secret",)
    settings = ("account_sid", "api_key_sid", "messaging_service_sid", "smart_encoded", "answers_keywords", "help_reply")
    required_settings: ClassVar[Mapping[str, str]] = {"account_sid": "the account's SID"}
    setting_forms: ClassVar[Mapping[str, str]] = {"smart_encoded": "yes or no", "answers_keywords": "yes or no"}
    webhook_secret = "auth_token"
    webhook_answer = ("<Response/>", "text/xml")
    event_kinds: ClassVar[tuple[EventKind, ...]] = (
        "processed",
        "delivered",
        "opened",
        "bounced",
        "blocked",
        "failed",
        "unsubscribed",
        "resubscribed",
        "asked_help",
    )
    fates: ClassVar[Mapping[int, FateKind]] = {
        201: "accepted",
        400: "permanent_message",
        401: "misconfigured",
        403: "misconfigured",
        404: "misconfigured",
        405: "misconfigured",
        408: "transient",
        415: "misconfigured",
        429: "throttled",
    }

    def secrets_of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """An API key's secret instead of the account's token, where the route has such a key."""
        return ("api_key_secret",) if settings.get("api_key_sid") else self.secrets

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One message. Raises Unsupported for more, and for attachments."""
        message, (name, sender) = only(request), _from(request, account)
        if request.channel == "whatsapp" and message.options.get("template"):
            content = urlencode(_template(message)).encode()
        else:
            content = b"Body=" + form_value(message.filled.text)
        body = b"To=%s&%s&StatusCallback=%s%s&%s=%s" % (
            form_value(_numbered(request, message.address).encode()),
            content,
            _quoted(account.hook(self.key) + "?message_id="),
            form_value(form_value(message.message_id.encode())),
            name,
            _quoted(sender),
        )
        if request.valid_for is not None:
            body += b"&ValidityPeriod=%d" % min(max(request.valid_for, 1), LONGEST_VALIDITY)
        if account.settings.get("smart_encoded"):
            body += b"&SmartEncoded=true"
        headers = {**_authorization(account), "content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        return VendorRequest("POST", _messages(account), headers, body)

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """A 201 without a readable sid is in doubt: the vendor took it, but what it said was lost on the way."""
        status, answer = response.status, json_object(response.body)
        if 200 <= status < 300:
            sid = answer.get("sid")
            if status == 201 and isinstance(sid, str) and sid:
                return Fate("accepted", vendor_id=sid[:100])
            return Fate("ambiguous", detail=f"HTTP {status} without a message sid")
        culprit = message_ids[0] if len(message_ids) == 1 else None
        code = answer.get("code")
        if status >= 500 or status < 400 or type(code) is not int:
            kind = fate_of_status(self.fates, status)
            return Fate(kind, retry_after=retry_after(response.headers), detail=f"HTTP {status}", code=str(status))
        said = twilio_codes.refusal(code)
        kind = "throttled" if status == 429 else "misconfigured" if status == 401 else said.kind
        return Fate(
            kind,
            retry_after=retry_after(response.headers) or said.retry_after,
            culprit=culprit if kind in {"permanent_address", "permanent_message"} else None,
            suppress=said.suppress,
            detail=said.meaning,
            code=str(code),
        )

    def lookup(self, request: OutgoingRequest, account: Account, *, posted_at: datetime) -> VendorRequest | None:
        """The newest messages to this number. Not narrowed by date: what is still queued has no date of sending yet."""
        query = urlencode({"To": _numbered(request, request.messages[0].address), "PageSize": PAGE_SIZE})
        return VendorRequest(
            "GET", f"{_messages(account)}?{query}", {**_authorization(account), "accept": "application/json"}, idempotent=True
        )

    def found(self, request: OutgoingRequest, response: VendorResponse, *, posted_at: datetime, known: Collection[str] = ()) -> Found:
        """By recipient, sender, text and time; one candidate is the message, none in a page that isn't full means absent."""
        listed = json_object(response.body).get("messages")
        if response.status != 200 or not isinstance(listed, list):
            return Found("undecided")
        candidates = [
            item["sid"]
            for item in listed
            if isinstance(item, dict) and isinstance(item.get("sid"), str) and item["sid"] not in known and _same(item, request, posted_at)
        ]
        if len(candidates) == 1:
            return Found("accepted", candidates[0])
        return Found("undecided") if candidates or len(listed) >= PAGE_SIZE else Found("absent")

    def price_question(self, vendor_id: str, account: Account) -> VendorRequest:
        """The message itself, which carries its price once the vendor has one."""
        url = f"{_messages(account).removesuffix('.json')}/{quote(vendor_id, safe='')}.json"
        return VendorRequest("GET", url, {**_authorization(account), "accept": "application/json"}, idempotent=True)

    def read_price(self, response: VendorResponse) -> Charged | None:
        """`price` is null at first, then a negative amount as text; `price_unit` its currency."""
        answer = json_object(response.body)
        price, unit = answer.get("price"), answer.get("price_unit")
        if response.status != 200 or not isinstance(price, str) or not isinstance(unit, str):
            return None
        try:
            micros = int(abs(Decimal(price)) * 1_000_000)
        except (InvalidOperation, ValueError, OverflowError):
            return None
        return Charged(micros, unit.upper()[:3]) if micros <= DEAREST else None

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """HMAC over the address and the form, or over an address that binds the JSON body."""
        return twilio_events.verify(webhook, account.secrets.get(self.webhook_secret, ""))

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """One status callback or one inbound text."""
        return twilio_events.read(webhook)

    def answer(self, webhook: Webhook, text: str) -> tuple[str, str]:
        """TwiML that sends the text back."""
        return twilio_events.answer(text), self.webhook_answer[1]


def _messages(account: Account) -> str:
    return f"{account.base_url}/2010-04-01/Accounts/{account.settings['account_sid']}/Messages.json"


def _numbered(request: OutgoingRequest, number: str) -> str:
    return f"whatsapp:{number}" if request.channel == "whatsapp" else number


def _template(message: OutgoingMessage) -> dict[str, str]:
    """ContentSid and ContentVariables; variables in order are named by their place, as the vendor's templates do."""
    variables = message.options.get("variables") or {}
    named = variables if isinstance(variables, Mapping) else {str(place): value for place, value in enumerate(variables, 1)}
    texts = {str(name): str(value) for name, value in named.items()}
    return {"ContentSid": str(message.options["template"]), **({"ContentVariables": orjson.dumps(texts).decode()} if texts else {})}


def _authorization(account: Account) -> dict[str, str]:
    """Basic: an API key and its secret where the route has them, else the account and its token."""
    user = str(account.settings.get("api_key_sid") or account.settings["account_sid"])
    password = account.secrets["api_key_secret"] if account.settings.get("api_key_sid") else account.secrets["auth_token"]
    return {"authorization": _basic(user, password)}


@lru_cache(maxsize=64)
def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@lru_cache(maxsize=256)
def _quoted(value: str) -> bytes:
    """What an account's requests have in common, as a form's value."""
    return form_value(value.encode())


def _from(request: OutgoingRequest, account: Account) -> tuple[bytes, str]:
    """The messaging service picks a number where there is one; a template's own sender wins."""
    sender, service = request.sender.address, str(account.settings.get("messaging_service_sid") or "")
    if sender.startswith("MG"):
        return b"MessagingServiceSid", sender
    if not sender and not service:
        raise Unsupported("neither a sender nor a messaging service")
    if request.channel == "whatsapp" and sender:
        sender = "whatsapp:" + sender.removeprefix("whatsapp:")
    return (b"From", sender) if sender else (b"MessagingServiceSid", service)


def _same(item: Mapping[str, Any], request: OutgoingRequest, posted_at: datetime) -> bool:
    """Whether a listed message can be the one we posted: what the list leaves out doesn't speak against it."""
    message = request.messages[0]
    sender = _numbered(request, request.sender.address) if request.sender.address.startswith("+") else None
    for name, ours in (("to", _numbered(request, message.address)), ("from", sender)):
        if ours is not None and isinstance(item.get(name), str) and item[name] != ours:
            return False
    text = message.filled.text.decode()  # trial accounts prefix a line; of a template only the vendor knows the text
    if isinstance(item.get("body"), str) and not message.options.get("template") and not item["body"].endswith(text):
        return False
    try:
        created = parsedate_to_datetime(item.get("date_created") or "")
    except (TypeError, ValueError):
        return True
    return posted_at - CLOCK_SKEW <= created <= posted_at + LONGEST_CALL
