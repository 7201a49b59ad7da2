"""What goes out: an account, a sender, messages, and the one request that carries them. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rendering.door import Filled, Substituted


@dataclass(frozen=True, slots=True)
class Account:
    """One vendor account as the adapter sees it: where to post, credentials by name, settings of the route's document.

    public_url: how the vendor reaches this instance, without a slash at the end.
    workspace_key: the workspace's slug where the account has webhook addresses of its own, else "".
    token: the short-lived credential that the adapter's `token_request` asked for, "" for vendors without one.
    """

    base_url: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    public_url: str = ""
    workspace_key: str = ""
    token: str = field(default="", repr=False)

    def hook(self, vendor: str) -> str:
        """Where this vendor calls us back."""
        return f"{self.public_url}/hooks/{vendor}" + (f"/{self.workspace_key}" if self.workspace_key else "")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message is from: a name and an e-mail address, or a number or service id in `address`."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message. content_id: how the message's HTML names it (`cid:`), "" for a file of its own."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str = ""


@dataclass(slots=True)  # not frozen: one is made per message
class OutgoingMessage:
    """One message to one person. message_id: the id the vendor echoes; headers: instead of those that `filled` brings.

    options: what a channel knows beyond subject and text, filled for this person; each adapter's page says which it reads.
    """

    message_id: str
    address: str = field(repr=False)
    filled: Filled = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    attachments: Sequence[Attachment] = ()


@dataclass(slots=True)  # not frozen: with vendors that take one message at a time, one is made per message
class OutgoingRequest:
    """What one vendor request should carry: the unit that is accepted, refused or in doubt as a whole.

    at: when it is built, with a zone; signatures need it, and with the same `at` the same bytes come out.
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
    at: datetime = field(kw_only=True)


@dataclass(slots=True)  # not frozen: with vendors that take one message at a time, one is made per message
class VendorRequest:
    """One HTTP request (or outbox:// delivery). idempotent: the vendor promises that repeating it sends nothing twice.

    http2: the vendor speaks HTTP/2 only.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    idempotent: bool = False
    http2: bool = False


@dataclass(slots=True)  # not frozen: with vendors that take one message at a time, one is made per message
class Parcel:
    """Messages that may share one request."""

    messages: Sequence[OutgoingMessage]
    substituted: Substituted | None
