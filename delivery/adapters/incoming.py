"""What comes back: answers, events, tokens, and how to read what all vendors write alike. Pure data and pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import orjson

FateKind = Literal["accepted", "permanent_address", "permanent_message", "misconfigured", "throttled", "transient", "ambiguous"]
EventKind = Literal[
    "processed",
    "deferred",
    "delivered",
    "bounced",
    "blocked",
    "dropped",
    "opening",
    "opened",
    "clicking",
    "clicked",
    "complained",
    "unsubscribed",
    "resubscribed",
    "asked_help",
    "failed",
]


OLDEST, NEWEST = 946_684_800, 4_102_444_800  # 2000 and 2100: outside is no timestamp
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ADDRESS = re.compile(r"[^\s<>@\"']+@[^\s<>@\"']+")
_NUMBER = re.compile(r"\+?\d[\d -]{6,}\d")


@dataclass(slots=True)  # not frozen: with vendors that take one message at a time, one is made per message
class VendorResponse:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(slots=True)  # not frozen: with vendors that take one message at a time, one is made per message
class Fate:
    """What an answer means for the whole request.

    accepted: the vendor has it. permanent_address: the culprit's address will never work here. permanent_message: the
    content or a field is refused. misconfigured: nothing will work until a person mends the account. throttled and
    transient: surely not accepted, may be tried again (retry_after seconds where the vendor said so). ambiguous: it may
    have been accepted. culprit: the message id the vendor named. suppress: why the culprit's address must not be written
    to again. detail and code: for people, without personal data. stale_token: nothing was accepted because the short-lived
    token is no longer good: with a new one the same request may go at once, once. only_this: throttled or transient, and it says
    nothing about the account: this message may be tried again later while others go on (greylisting).
    """

    kind: FateKind
    vendor_id: str = ""
    retry_after: float | None = None
    culprit: str | None = None
    suppress: str = ""
    detail: str = ""
    code: str = ""
    stale_token: bool = False
    only_this: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A short-lived credential as a vendor handed it out. seconds: how long it is good from now on, > 0."""

    value: str = field(repr=False)
    seconds: float


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
    must equal the one the vendor answered with for the event to be about that message. kinds "clicking" and "opening": it is not
    clear yet whether a person did it. channel: of what a person wishes, where there is no message that has one; language: in which
    they said it; answered: the vendor itself answers them, so nobody else may.
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
    channel: str = "sms"
    language: str = ""
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One event of a webhook that could not be understood: kept for a person, never a reason to refuse the others."""

    vendor: str
    reason: str
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Charged:
    """What a vendor says that one message cost: in micros of an ISO currency."""

    micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up says about an unanswered request: the vendor has it, surely hasn't, or can't tell."""

    verdict: Literal["accepted", "absent", "undecided"]
    vendor_id: str = ""


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


def json_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object, {} for anything else: gateways answer with pages of their own."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def part(parsed: object, *path: str | int) -> Any:
    """What lies at this path of parsed JSON, None where the shape is another one."""
    for step in path:
        if isinstance(step, str) and isinstance(parsed, dict):
            parsed = parsed.get(step)
        elif isinstance(step, int) and isinstance(parsed, list) and -len(parsed) <= step < len(parsed):
            parsed = parsed[step]
        else:
            return None
    return parsed


def moment_of(seconds: object) -> datetime | None:
    """A moment from seconds since 1970 as text, None for what is no such number of this century."""
    if not (isinstance(seconds, str) and seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        return None
    return datetime.fromtimestamp(int(seconds), UTC) if OLDEST <= int(seconds) <= NEWEST else None


def iso_moment(value: object, name: str) -> datetime:
    """A moment with its zone, UTC where it has none. Raises ValueError that names the field."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or not 2000 <= moment.year < 2100:
        raise ValueError(f"{name}: expected a moment such as 2026-03-02T09:00:00Z")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def without_addresses(text: object, limit: int = 200) -> str:
    """Words for people: no e-mail addresses, no long numbers, no control characters, at most `limit` characters."""
    plain = _CONTROLS.sub(" ", text) if isinstance(text, str) else ""
    return _NUMBER.sub("…", _ADDRESS.sub("…", plain))[:limit]
