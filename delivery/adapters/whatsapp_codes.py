"""WhatsApp's error codes, as far as they change what we do. Facts: Meta's error reference, read 2026-11; it says to decide by the
code, never by HTTP status or title. Codes that aren't listed fall back to their range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from delivery.adapters.base import EventKind, FateKind


@dataclass(frozen=True, slots=True)
class Said:
    """What a code means. kind: of the answer to a send; suppress: why the number must not be written to again."""

    kind: FateKind
    meaning: str
    suppress: str = ""
    retry_after: float | None = None


CODES: Mapping[int, Said] = {
    0: Said("misconfigured", "the access token is refused"),
    3: Said("misconfigured", "the app lacks a capability"),
    4: Said("throttled", "too many calls of this app"),
    10: Said("misconfigured", "permission not granted"),
    100: Said("permanent_message", "a parameter is not valid"),
    190: Said("misconfigured", "the access token has expired"),
    368: Said("misconfigured", "blocked for policy violations"),
    80007: Said("throttled", "too many calls of this account"),
    130429: Said("throttled", "too many messages a second"),
    130472: Said("permanent_address", "the number is part of an experiment without marketing"),
    130497: Said("permanent_address", "the business may not write to this country"),
    131000: Said("transient", "something went wrong at the vendor"),
    131005: Said("misconfigured", "permission not granted"),
    131008: Said("permanent_message", "a parameter is missing"),
    131009: Said("permanent_message", "a parameter's value is not valid"),
    131016: Said("transient", "the service is unavailable"),
    131021: Said("permanent_address", "sender and recipient are the same number"),
    131026: Said("permanent_address", "undeliverable: no WhatsApp, an old version, or terms not accepted"),
    131030: Said("permanent_address", "not among the test number's recipients"),
    131031: Said("misconfigured", "the account is locked"),
    131037: Said("misconfigured", "the number's display name is not approved"),
    131042: Said("misconfigured", "payment is not set up"),
    131045: Said("misconfigured", "the number's certificate is not registered"),
    131047: Said("permanent_message", "more than 24 hours since the person wrote: only a template may go"),
    131048: Said("misconfigured", "too many messages of this number were blocked or reported"),
    131049: Said("permanent_address", "the vendor delivers no more marketing to this person for now"),
    131050: Said("permanent_address", "the person stopped marketing messages", "unsubscribed"),
    131051: Said("permanent_message", "a kind of message that isn't supported"),
    131056: Said("transient", "too many messages to this person at once", retry_after=4.0),
    131057: Said("transient", "the account is in maintenance", retry_after=60.0),
    133010: Said("misconfigured", "the number is not registered"),
    133016: Said("throttled", "too many registrations", retry_after=3_600.0),
}
# A failed status of one of these says something about the person or the number, not about the message.
UNDELIVERABLE: Mapping[int, EventKind] = {131026: "bounced", 131049: "blocked", 130472: "blocked", 131050: "blocked"}


def said(code: int) -> Said:
    """By code, else by range: 200 to 299 are permissions, 132xxx templates; the rest is about the message."""
    found = CODES.get(code)
    if found:
        return found
    return Said("misconfigured", "permission not granted") if 200 <= code < 300 else Said("permanent_message", f"code {code}")
