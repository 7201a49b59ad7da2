"""A vendor is a table of facts and a few translations; everything here is pure data and pure functions.

An adapter opens no connection, never sleeps, reads no clock, logs nothing and touches no table. It turns what should
be sent into one `VendorRequest`, an answer into a `Fate`, and a webhook into `VendorEvent`s. Posting, pooling, rates,
retries and storing are done once, around the adapters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from delivery.adapters.incoming import (
    Charged,
    EventKind,
    Fate,
    FateKind,
    Found,
    Token,
    Unreadable,
    VendorEvent,
    VendorResponse,
    Webhook,
    fate_of_status,
    iso_moment,
    json_object,
    moment_of,
    part,
    retry_after,
    without_addresses,
)
from delivery.adapters.mail_facts import MailFacts
from delivery.adapters.outgoing import Account, Attachment, OutgoingMessage, OutgoingRequest, Parcel, Sender, VendorRequest

if TYPE_CHECKING:
    from rendering.door import Substituted

__all__ = [
    "Account",
    "Adapter",
    "Attachment",
    "Charged",
    "EventKind",
    "Fate",
    "FateKind",
    "Features",
    "Found",
    "Limits",
    "MailFacts",
    "OutgoingMessage",
    "OutgoingRequest",
    "Parcel",
    "Unsendable",
    "Sender",
    "Token",
    "Unreadable",
    "Unsupported",
    "VendorEvent",
    "VendorRequest",
    "VendorResponse",
    "Webhook",
    "fate_of_status",
    "iso_moment",
    "json_object",
    "moment_of",
    "part",
    "retry_after",
    "without_addresses",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request and one account may carry.

    recipients_per_request: messages in one request. concurrency: open requests per account and process.
    request_bytes: body size the vendor accepts. per_second: recipients per second an account may be given, None: unknown.
    """

    recipients_per_request: int = 1
    concurrency: int = 16
    request_bytes: int = 10_000_000
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """What a vendor can do; whoever needs more must ask before building.

    substitution: constant text travels once and values per recipient. mixed_content: one request may carry a different
    content per recipient. idempotency_key: a repeated key sends once, however late the repeat comes. echoes_message_id: events
    carry our message id. lookup: an unanswered request can be looked up. attachments: files can go with a message. prices: it tells
    what it charged for one message.
    """

    substitution: bool = False
    mixed_content: bool = False
    idempotency_key: bool = False
    echoes_message_id: bool = False
    lookup: bool = False
    attachments: bool = False
    prices: bool = False


class Unsupported(ValueError):
    """The caller asked an adapter for something its facts say it can't do: a fault in our code, not bad input."""


class Unsendable(ValueError):
    """This one message can't become a request (no such kind of address, larger than the vendor takes, a template missing).

    fate: what that means for it; nothing was posted, and no vendor needs to be asked.
    """

    def __init__(self, kind: FateKind, detail: str, *, suppress: str = "") -> None:
        super().__init__(detail)
        self.fate = Fate(kind, detail=detail, suppress=suppress)


class Adapter:
    """Base of every vendor. Subclasses state the facts and write the translations; see docs/how-to/add-a-vendor.md.

    platforms: of a push vendor, the kinds of devices that it writes to. base_url: where requests go unless the environment names a
    stand-in. tried: what the adapter was run against. secrets (of every account), further_secrets (of some), settings: names that a
    route's document may fill; required_settings: those it must, with
    what is expected there; setting_forms: "list" or "yes or no" for settings that are no text. webhook_secret verifies webhooks,
    greeting_secret answers the vendor's question whether an address is ours; webhook_answer: body and content type of the usual
    answer to a webhook; event_kinds: what its events can say.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    channels: ClassVar[frozenset[str]]
    platforms: ClassVar[frozenset[str]] = frozenset()
    limits: ClassVar[Limits] = Limits()
    features: ClassVar[Features] = Features()
    fates: ClassVar[Mapping[int, FateKind]] = {}
    base_url: ClassVar[str] = ""
    tried: ClassVar[Literal["lab", "contract only", "in the house"]] = "contract only"
    secrets: ClassVar[tuple[str, ...]] = ()
    further_secrets: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]] = ()
    required_settings: ClassVar[Mapping[str, str]] = {}
    setting_forms: ClassVar[Mapping[str, str]] = {}
    webhook_secret: ClassVar[str] = ""
    greeting_secret: ClassVar[str] = ""
    webhook_answer: ClassVar[tuple[str, str]] = ("", "text/plain")
    event_kinds: ClassVar[tuple[EventKind, ...]] = ()

    def mail_facts(self, settings: Mapping[str, Any]) -> MailFacts | None:
        """What an account with these settings needs in the DNS of the domains that it sends for; None where nothing is known."""
        return None

    def home(self, settings: Mapping[str, Any]) -> str:
        """Where an account with these settings is posted to, without a slash at the end."""
        return self.base_url

    def secrets_of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The secrets that an account with these settings needs."""
        return self.secrets

    def faults(self, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What is wrong with an account's settings: name, and what is expected there, in words."""
        yield from ((name, expected) for name, expected in self.required_settings.items() if not settings.get(name))

    def every_secret(self) -> tuple[str, ...]:
        """Names of all secrets that a route of this vendor may give, those for webhooks last."""
        return tuple(dict.fromkeys(filter(None, (*self.secrets, *self.further_secrets, self.webhook_secret, self.greeting_secret))))

    def token_request(self, account: Account, at: datetime) -> VendorRequest | None:
        """How to ask for a short-lived token, where the vendor wants one in each request (`Account.token`)."""
        return None

    def read_token(self, response: VendorResponse) -> Token | Fate:
        """The token, or why there is none: misconfigured (a person must mend the account) or transient."""
        raise NotImplementedError

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """The one HTTP request that carries these messages. Raises Unsupported where the facts are exceeded, Unsendable where this
        message can't be sent to this address at all."""
        raise NotImplementedError

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """What an answer means. message_ids: those of the request, in order, so that a culprit can be named."""
        raise NotImplementedError

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """Whether the vendor itself sent this, unaltered. Reads the raw body; never raises for what a stranger sends."""
        return False

    def signed_at(self, webhook: Webhook) -> datetime | None:
        """When a webhook says it was signed, where that is part of what is signed; None: no such time, or unreadable. Unverified: for
        telling people why a call was refused."""
        return None

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """What a verified webhook says, one by one; a bad one comes out as Unreadable and the rest go on."""
        return iter(())

    def answer(self, webhook: Webhook, text: str) -> tuple[str, str]:
        """Body and content type of the answer to a webhook. text: what to tell the person who wrote, "" for nothing; a vendor that
        sends no text by its answer leaves it out."""
        return self.webhook_answer

    def greet(self, webhook: Webhook, account: Account) -> str | None:
        """The answer to a vendor's GET that asks whether this address is ours; None: it isn't this account that is asked."""
        return None

    def confirm(self, webhook: Webhook) -> VendorRequest | None:
        """What a verified webhook asks us to call once, so that more come (SNS's SubscribeURL); None: nothing. Only an address of the
        vendor's own, whatever the webhook says."""
        return None

    def lookup(self, request: OutgoingRequest, account: Account, *, posted_at: datetime) -> VendorRequest | None:
        """A question to the vendor about an unanswered request, where the vendor can be asked."""
        return None

    def found(self, request: OutgoingRequest, response: VendorResponse, *, posted_at: datetime, known: Collection[str] = ()) -> Found:
        """The answer to `lookup`. known: vendor ids that belong to other attempts. Two candidates, or an unreadable answer,
        are undecided; "absent" is worth something only when the vendor had time to list the message."""
        return Found("undecided")

    def price_question(self, vendor_id: str, account: Account) -> VendorRequest:
        """How to ask what one message cost. Raises Unsupported where the vendor doesn't tell (`features.prices`)."""
        raise Unsupported("this vendor doesn't tell what a message cost")

    def read_price(self, response: VendorResponse) -> Charged | None:
        """The answer to that; None: no price yet, or none that can be read."""
        return None

    def parcels(self, messages: Sequence[OutgoingMessage], *, substituted: Substituted | None, at_most: int) -> list[Parcel]:
        """Cut messages of one content (one template, variant and locale) into requests of at most `at_most` messages.

        A vendor that takes one content per request gets the messages that don't fit its substitution alone, in full.
        """
        size = max(1, min(at_most, self.limits.recipients_per_request))
        shared = substituted if self.features.substitution and size > 1 else None
        if shared is None and not self.features.mixed_content:
            return [Parcel((message,), None) for message in messages]
        together = [message for message in messages if shared is None or self.fits(message, shared)]
        alone = [] if len(together) == len(messages) else [m for m in messages if shared is not None and not self.fits(m, shared)]
        parcels = [Parcel(together[start : start + size], shared) for start in range(0, len(together), size)]
        return parcels + [Parcel((message,), None) for message in alone]

    def fits(self, message: OutgoingMessage, substituted: Substituted) -> bool:
        """Whether this message's values are within what the vendor substitutes."""
        return True
