"""The limits of a vendor account as plain data, and the arithmetic of their spans. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from delivery.eligibility import Candidate

Per = Literal["second", "minute", "hour", "day", "calendar day"]
Scope = Literal["account", "sender", "sender_domain", "recipient_domain"]
Key = tuple[str, str]  # what it is counted for ("account", "sender:+15550009999"), and per what
SPAN: dict[Per, int] = {"minute": 60, "hour": 3_600, "day": 86_400}
SHARES = 120
BURST = 1 / 20


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` recipients per `per`, counted for each thing of the scope. domains: whose recipients share it. gently: binds
    campaigns only (a warm-up)."""

    count: float
    per: Per
    of: Scope = "account"
    domains: frozenset[str] = frozenset()
    gently: bool = False

    def key(self, candidate: Candidate) -> Key | None:
        """What this candidate is counted under; None where the limit isn't about it."""
        if self.of == "account":
            return "account", self.per
        if self.of == "recipient_domain":
            domain = candidate.address.rpartition("@")[2].lower()
            return (f"recipient_domain:{min(self.domains)}", self.per) if domain in self.domains else None
        sender = candidate.program.sender.address.lower() if candidate.program else ""
        return f"{self.of}:{sender.rpartition('@')[2] if self.of == 'sender_domain' else sender}"[:160], self.per

    @property
    def burst(self) -> float:
        """Of a speed: what its bucket can hold."""
        return max(1.0, self.count * BURST)

    def filling(self, pace: float) -> float:
        """Of a speed: messages a second by which its bucket fills."""
        return self.count * (1 - BURST) * pace

    def words(self) -> str:
        """For people: "10,000 messages in 24 hours"."""
        span = {"hour": "an hour", "day": "24 hours", "calendar day": "today of the warm-up"}.get(self.per, f"a {self.per}")
        return f"{self.count:,.0f} messages {'' if self.gently else 'in '}{span}"


def at_once(limits: Iterable[Limit]) -> int | None:
    """The most messages that one window may hold: what the slowest bucket can hold. None: no limit."""
    bursts = [limit.burst for limit in limits if limit.per == "second"]
    return int(min(bursts)) if bursts else None


def used(limit: Limit, counted: Sequence[Sequence[int]], now: datetime) -> int:
    """How much of a quota still counts. counted: [a share of its span, messages], ascending."""
    first = oldest(limit, now)
    return sum(many for share, many in counted if share >= first)


def share_of(limit: Limit, at: datetime) -> int:
    """The number of the share of its span that a moment lies in."""
    if limit.per == "calendar day":
        return at.date().toordinal()
    return int(at.timestamp() * SHARES // SPAN[limit.per])


def oldest(limit: Limit, now: datetime) -> int:
    """The first share that still counts: nothing is let go before the span and one share more have passed."""
    return share_of(limit, now) - (0 if limit.per == "calendar day" else SHARES + 1)


def free_at(limit: Limit, counted: Sequence[Sequence[int]], now: datetime) -> datetime:
    """When a hundredth of the quota (one at least) is free again."""
    if limit.per == "calendar day":
        return datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
    share, wanted = SPAN[limit.per] / SHARES, max(1, int(limit.count / 100))
    for at, many in counted:
        if at >= oldest(limit, now):
            wanted -= many
            if wanted <= 0:
                return datetime.fromtimestamp((at + SHARES + 2) * share, now.tzinfo)
    return now + timedelta(seconds=share)


def warm_up(began: date, days: Sequence[int], today: date) -> Limit | None:
    """The limit of a warm-up's day; None before it begins and after it has ended."""
    place = (today - began).days
    return Limit(days[place], "calendar day", gently=True) if 0 <= place < len(days) else None
