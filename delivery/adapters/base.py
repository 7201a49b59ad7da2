"""A vendor is a table of facts and a few translations; everything here is pure data and pure functions.

An adapter opens no connection, never sleeps, reads no clock, logs nothing and touches no table. It turns what should
be sent into one `VendorRequest`, an answer into a `Fate`, and a webhook into `VendorEvent`s. Posting, pooling, rates,
retries and storing are done once, around the adapters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from rendering.door import Filled, Substituted

FateKind = Literal["accepted", "permanent_address", "permanent_message", "misconfigured", "throttled", "transient", "ambiguous"]
EventKind = Literal[
    "processed",
    "deferred",
    "delivered",
    "bounced",
    "blocked",
    "dropped",
    "opened",
    "clicking",
    "clicked",
    "complained",
    "unsubscribed",
    "resubscribed",
    "failed",
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
    content per recipient. idempotency_key: a repeated key sends once. echoes_message_id: events carry our message id.
    lookup: an unanswered request can be looked up.
    """

    substitution: bool = False
    mixed_content: bool = False
    idempotency_key: bool = False
    echoes_message_id: bool = False
    lookup: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """One vendor account as the adapter sees it: where to post, credentials by name, settings of the route's document.

    public_url: how the vendor reaches this instance, without a slash at the end.
    workspace_key: the workspace's slug where the account has webhook addresses of its own, else "".
    """

    base_url: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    public_url: str = ""
    workspace_key: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message is from: a name and an e-mail address, or a number or service id in `address`."""

    address: str
    name: str = ""


@dataclass(slots=True)  # not frozen: one is made per message
class OutgoingMessage:
    """One message to one person. message_id: the id the vendor echoes; headers: instead of those that `filled` brings."""

    message_id: str
    address: str = field(repr=False)
    filled: Filled = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """What one vendor request should carry: the unit that is accepted, refused or in doubt as a whole.

    attempt_id: the ledger's id of this request (an idempotency key where the vendor has them).
    substituted: the constant text with tags that every message's `filled.values` replaces; None: each message is complete
    in itself, and adapters whose requests hold one content take one message then.
    valid_for: seconds after which the message is of no use, None: the vendor's default.
    """

    attempt_id: int
    channel: str
    sender: Sender
    messages: Sequence[OutgoingMessage]
    reply_to: str = ""
    substituted: Substituted | None = None
    valid_for: int | None = None
    custom: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VendorRequest:
    """One HTTP request (or outbox:// delivery). idempotent: the vendor promises that repeating it sends nothing twice."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    idempotent: bool = False


@dataclass(frozen=True, slots=True)
class VendorResponse:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Fate:
    """What an answer means for the whole request.

    accepted: the vendor has it. permanent_address: the culprit's address will never work here. permanent_message: the
    content or a field is refused. misconfigured: nothing will work until a person mends the account. throttled and
    transient: surely not accepted, may be tried again (retry_after seconds where the vendor said so). ambiguous: it may
    have been accepted. culprit: the message id the vendor named. suppress: why the culprit's address must not be written
    to again. detail and code: for people, without personal data.
    """

    kind: FateKind
    vendor_id: str = ""
    retry_after: float | None = None
    culprit: str | None = None
    suppress: str = ""
    detail: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A vendor's call as it arrived. url: the public address the vendor called, with its query; header names are lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: datetime


@dataclass(frozen=True, slots=True)
class VendorEvent:
    """One thing a vendor says happened.

    message_id: our id as echoed, "" where the event is about a person (an inbound STOP), who is then in `address`;
    the address is used to find the person and is never stored. machine: done by software, not by the person.
    permanent: the address will not work later either. everything: an unsubscription from all topics of the channel.
    url_k: number of the link clicked, where our own link was followed. vendor_id: the vendor's id of the message, where it
    must equal the one the vendor answered with for the event to be about that message. kind "clicking": a click of which it
    is not clear yet whether a person made it.
    """

    vendor: str
    event_id: str
    message_id: str
    kind: EventKind
    at: datetime
    machine: bool = False
    permanent: bool = False
    detail: str = ""
    url_k: int | None = None
    everything: bool = False
    address: str = field(default="", repr=False)
    vendor_id: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One event of a webhook that could not be understood: kept for a person, never a reason to refuse the others."""

    vendor: str
    reason: str
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up says about an unanswered request: the vendor has it, surely hasn't, or can't tell."""

    verdict: Literal["accepted", "absent", "undecided"]
    vendor_id: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Messages that may share one request."""

    messages: Sequence[OutgoingMessage]
    substituted: Substituted | None


class Unsupported(ValueError):
    """The caller asked an adapter for something its facts say it can't do: a fault in our code, not bad input."""


class Adapter:
    """Base of every vendor. Subclasses state the facts and write the translations; see docs/how-to/add-a-vendor.md."""

    key: ClassVar[str]
    title: ClassVar[str]
    channels: ClassVar[frozenset[str]]
    limits: ClassVar[Limits] = Limits()
    features: ClassVar[Features] = Features()
    fates: ClassVar[Mapping[int, FateKind]] = {}
    secrets: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]] = ()
    webhook_secret: ClassVar[str] = ""

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """The one HTTP request that carries these messages. Raises Unsupported where the facts are exceeded."""
        raise NotImplementedError

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """What an answer means. message_ids: those of the request, in order, so that a culprit can be named."""
        raise NotImplementedError

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """Whether the vendor itself sent this, unaltered. Reads the raw body; never raises for what a stranger sends."""
        return False

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """What a verified webhook says, one by one; a bad one comes out as Unreadable and the rest go on."""
        return iter(())

    def lookup(self, request: OutgoingRequest, account: Account, *, posted_at: datetime) -> VendorRequest | None:
        """A question to the vendor about an unanswered request, where the vendor can be asked."""
        return None

    def found(self, request: OutgoingRequest, response: VendorResponse, *, posted_at: datetime, known: Collection[str] = ()) -> Found:
        """The answer to `lookup`. known: vendor ids that belong to other attempts. Two candidates, or an unreadable answer,
        are undecided; "absent" is worth something only when the vendor had time to list the message."""
        return Found("undecided")

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


def fate_of_status(fates: Mapping[int, FateKind], status: int) -> FateKind:
    """The table's word for a status; what it doesn't list is judged by its class: 4xx surely refused, the rest in doubt."""
    if status in fates:
        return fates[status]
    return "permanent_message" if 400 <= status < 500 else "ambiguous"


def retry_after(headers: Mapping[str, str], *, limit: float = 3_600.0) -> float | None:
    """Seconds to wait by `Retry-After` (a number, or a date next to the answer's own `Date`), 0 to `limit`; None where unreadable."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return min(float(value), limit)
    try:
        wait = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait, 0.0), limit)
