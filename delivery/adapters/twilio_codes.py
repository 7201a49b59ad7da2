"""Twilio's error codes, as far as they change what we do. Facts: the vendor's error reference, read 2026-11.

Codes that aren't listed fall back to their range: the vendor refines them from time to time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from delivery.adapters.base import EventKind, FateKind


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code in the answer to a send means. suppress: why the number must not be written to again."""

    kind: FateKind
    meaning: str
    suppress: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What a code in a status callback means. kind: where it says more than the status "undelivered" or "failed"."""

    meaning: str
    permanent: bool = False
    kind: EventKind | None = None


REFUSALS: Mapping[int, Refusal] = {
    20003: Refusal("misconfigured", "authentication failed"),
    20005: Refusal("misconfigured", "account not active"),
    20404: Refusal("misconfigured", "no such account"),
    20415: Refusal("misconfigured", "form encoding expected"),
    20429: Refusal("throttled", "too many open requests"),
    21211: Refusal("permanent_address", "not a phone number", "invalid"),
    21212: Refusal("misconfigured", "the sender is not a phone number"),
    21408: Refusal("permanent_address", "region not enabled for this account"),
    21602: Refusal("permanent_message", "empty text"),
    21603: Refusal("misconfigured", "no sender"),
    21604: Refusal("permanent_address", "no phone number"),
    21606: Refusal("misconfigured", "the sender can't send messages there"),
    21609: Refusal("misconfigured", "the public address is no valid callback"),
    21610: Refusal("permanent_address", "opted out by STOP", "stopped"),
    21611: Refusal("throttled", "the sender's queue is full", retry_after=60.0),
    21612: Refusal("permanent_address", "not reachable from this sender"),
    21614: Refusal("permanent_address", "not a mobile number", "invalid"),
    21617: Refusal("permanent_message", "longer than 1,600 characters"),
    21659: Refusal("misconfigured", "the sender is not one of the account's numbers"),
    21701: Refusal("misconfigured", "no such messaging service"),
    21703: Refusal("misconfigured", "the messaging service has no sender"),
    21656: Refusal("permanent_message", "the template's variables are not valid"),
    21910: Refusal("misconfigured", "sender and recipient are not on the same channel"),
    30002: Refusal("misconfigured", "account suspended"),
    30036: Refusal("permanent_message", "validity period out of range"),
    63003: Refusal("permanent_address", "no such recipient on this channel"),
    63007: Refusal("misconfigured", "no such sender on this channel"),
    63013: Refusal("misconfigured", "the channel's provider refuses for policy violations"),
    63015: Refusal("permanent_address", "the sandbox writes only to numbers that joined it"),
    63016: Refusal("permanent_message", "more than 24 hours since the person wrote: only a template may go"),
    63018: Refusal("throttled", "too many messages a second on this channel"),
    63024: Refusal("permanent_address", "no WhatsApp on this number"),
    63027: Refusal("permanent_message", "the template does not exist in this language"),
    63028: Refusal("permanent_message", "the number of variables is not the template's"),
    63032: Refusal("permanent_address", "the vendor delivers no more to this person for now"),
    63036: Refusal("permanent_address", "no WhatsApp on this number"),
    63038: Refusal("throttled", "the account's daily limit is reached", retry_after=3_600.0),
    63040: Refusal("permanent_message", "the template was rejected"),
    63041: Refusal("permanent_message", "the template is paused"),
    63042: Refusal("permanent_message", "the template is disabled"),
    63049: Refusal("permanent_address", "the vendor delivers no more marketing to this person for now"),
}

FAILURES: Mapping[int, Failure] = {
    21610: Failure("opted out by STOP", permanent=True, kind="unsubscribed"),
    30001: Failure("the sender's queue was full"),
    30002: Failure("account suspended"),
    30003: Failure("handset unreachable"),
    30004: Failure("blocked by the carrier", kind="blocked"),
    30005: Failure("unknown handset", permanent=True),
    30006: Failure("landline or unreachable carrier", permanent=True),
    30007: Failure("filtered as spam", kind="blocked"),
    30008: Failure("unknown error"),
    30036: Failure("expired before it could be sent"),
    63003: Failure("no such recipient on this channel"),
    63016: Failure("outside the 24 hours after the person wrote, and no template"),
    63018: Failure("too many messages a second on this channel"),
    63024: Failure("no WhatsApp on this number", kind="bounced"),
    63032: Failure("the vendor delivers no more to this person for now", kind="blocked"),
    63036: Failure("no WhatsApp on this number", kind="bounced"),
    63049: Failure("the vendor delivers no more marketing to this person for now", kind="blocked"),
}


def refusal(code: int) -> Refusal:
    """By code, else by range: 20xxx is about the account, the rest about this message."""
    return REFUSALS.get(code) or Refusal("misconfigured" if 20_000 <= code < 21_000 else "permanent_message", f"code {code}")


def failure(code: int) -> Failure:
    """By code, else a failure that may not happen again."""
    return FAILURES.get(code) or Failure(f"code {code}" if code else "no reason given")
