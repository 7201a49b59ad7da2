"""The last look: who of these people may get this message at this moment, and why not.

Law: nobody who is suppressed, has not consented, is over a cap, is in quiet hours, may not be reached from here, or whose
message has expired or was recalled, is admitted, as of the moment of the last look and not of the launch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings

from audience import door as audience
from delivery.adapters.base import OutgoingMessage
from delivery.caps import capped
from delivery.policy_document import Cap, SendingPolicy
from delivery.quiet import QuietClock, day_began, zones_of
from delivery.states import Reason
from delivery.suppression import suppressed
from delivery.work import DispatchFacts, Program

CAPPED_WAITS = timedelta(hours=1)  # a postponed capped message looks again after so long


@dataclass(slots=True)
class Candidate:
    """One message before its last look. fault: why it can't be sent whatever the look says; again: the id of the attempt that
    surely failed, 0 for a first one; replaces: the attempt in doubt that this one repeats; first: the one that an earlier, refused
    repeat had replaced."""

    n: int
    profile_id: int
    person: audience.Person | None
    address: str
    address_hash: int
    message: OutgoingMessage | None
    program: Program | None
    variant: int = 0
    cost: int = 0
    fault: Reason = Reason.NONE
    expires_at: datetime | None = None
    again: int = 0
    replaces: int = 0
    first: int = 0


@dataclass(slots=True)
class Verdicts:
    """The outcome of one look."""

    admitted: list[Candidate]
    skipped: list[tuple[Candidate, Reason]] = field(default_factory=list)
    postponed: list[tuple[Candidate, datetime]] = field(default_factory=list)

    def keep(self, reason: Reason, passes: Callable[[Candidate], object]) -> None:
        """Skip, for this reason, whoever doesn't pass."""
        kept = [candidate for candidate in self.admitted if passes(candidate)]
        if len(kept) < len(self.admitted):
            self.skipped += [(candidate, reason) for candidate in self.admitted if not passes(candidate)]
            self.admitted = kept


def judge(
    dispatch: DispatchFacts, candidates: Iterable[Candidate], policy: SendingPolicy, *, local: bool, recalled: bool, now: datetime
) -> Verdicts:
    """The verdict on each candidate. local: the vendor is the outbox, which reaches nobody. Set-based: no query per person."""
    found = Verdicts([])
    for candidate in candidates:
        if candidate.fault:
            found.skipped.append((candidate, candidate.fault))
        else:
            found.admitted.append(candidate)
    if recalled:
        found.keep(Reason.RECALLED, lambda candidate: False)
    _expiry(dispatch, found, now)
    if not local and settings.OMNI.env != "production":
        listed = settings.OMNI.allowed_recipients
        push = dispatch.channel == "push"
        found.keep(Reason.NOT_ALLOWED, lambda candidate: allowed(_known_by(candidate) if push else candidate.address, listed))
    _permission(dispatch, found, now)
    _quiet_hours(dispatch, found, policy, now)
    _caps(dispatch, found, policy, now)
    return found


def allowed(address: str, listed: str) -> bool:
    """Whether an instance outside production may reach this address: it, its domain, or its number's beginning is listed."""
    whole, domains, beginnings = _allowed(listed)
    folded = address.casefold()
    return folded in whole or folded.endswith(domains) or folded.startswith(beginnings)


def _known_by(candidate: Candidate) -> str:
    """The address by which a device's owner is listed: nobody lists tokens."""
    person = candidate.person
    return (person.email or person.phone or "") if person is not None else ""


@lru_cache(maxsize=8)
def _allowed(listed: str) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """The list's whole addresses, "@domains" and "+beginnings of numbers"."""
    entries = [entry.strip().casefold() for entry in listed.split(",") if entry.strip()]
    domains = tuple(entry for entry in entries if entry.startswith("@"))
    return frozenset(entries), domains, tuple(entry for entry in entries if entry.startswith("+"))


def _expiry(dispatch: DispatchFacts, found: Verdicts, now: datetime) -> None:
    if dispatch.expires_at is not None and dispatch.expires_at <= now:
        found.keep(Reason.EXPIRED, lambda candidate: False)
    if dispatch.kind != "campaign":  # whose messages have no end of their own
        found.keep(Reason.EXPIRED, lambda candidate: candidate.expires_at is None or candidate.expires_at > now)


def _permission(dispatch: DispatchFacts, found: Verdicts, now: datetime) -> None:
    """Suppression, consent, and the segment's rule where the campaign looks again at sending."""
    workspace_id, channel = dispatch.workspace_id, dispatch.channel
    if found.admitted:
        hashes = [candidate.address_hash for candidate in found.admitted]
        stopped = suppressed(workspace_id, channel, hashes, message_class=dispatch.message_class)
        if stopped:
            found.keep(Reason.SUPPRESSED, lambda candidate: candidate.address_hash not in stopped)
    if found.admitted and dispatch.message_class != "transactional":
        ids = [candidate.profile_id for candidate in found.admitted]
        about = {"channel": channel, "topic": dispatch.topic, "message_class": dispatch.message_class}
        willing = audience.consenting(workspace_id, ids, **about, now=now)
        found.keep(Reason.NO_CONSENT, lambda candidate: candidate.profile_id in willing)
    if found.admitted and dispatch.recheck_rule:
        ids = [candidate.profile_id for candidate in found.admitted]
        matching = audience.matching(workspace_id, dispatch.recheck_rule, ids, as_of=now)
        found.keep(Reason.NOT_MATCHING, lambda candidate: candidate.profile_id in matching)


def _quiet_hours(dispatch: DispatchFacts, found: Verdicts, policy: SendingPolicy, now: datetime) -> None:
    quiet = policy.quiet_hours
    clock, admitted = QuietClock(quiet, dispatch.channel, dispatch.message_class, now), list[Candidate]()
    if not clock:
        return
    for candidate in found.admitted:
        opens = clock.opens_at(candidate.person) if candidate.person else None
        if opens is None:
            admitted.append(candidate)
        elif quiet is not None and quiet.then == "skip":
            found.skipped.append((candidate, Reason.QUIET_HOURS))
        else:
            _postpone(dispatch, found, candidate, opens, Reason.QUIET_HOURS)
    found.admitted = admitted


def _caps(dispatch: DispatchFacts, found: Verdicts, policy: SendingPolicy, now: datetime) -> None:
    caps = [cap for cap in policy.caps if cap.channel in (None, dispatch.channel) and cap.topic in (None, dispatch.topic)]
    if not caps or not found.admitted or dispatch.message_class != "promotional" or dispatch.shadow:
        return
    again = dispatch.id, [candidate.n for candidate in found.admitted if candidate.again]
    counts = dict[int, list[int]]()
    for since, ids in _windows(caps, found.admitted, policy, now).items():
        counts |= capped(dispatch.workspace_id, ids, caps, since, again=again)
    limits, admitted = [cap.count for cap in caps], list[Candidate]()
    for candidate in found.admitted:
        had = counts.setdefault(candidate.profile_id, [0] * len(caps))
        if all(count < limit for count, limit in zip(had, limits, strict=True)):
            counts[candidate.profile_id] = [count + 1 for count in had]  # an event campaign may hold one person twice
            admitted.append(candidate)
        elif policy.caps_then == "postpone":
            _postpone(dispatch, found, candidate, now + CAPPED_WAITS, Reason.CAPPED)
        else:
            found.skipped.append((candidate, Reason.CAPPED))
    found.admitted = admitted


def _windows(
    caps: Sequence[Cap], candidates: Iterable[Candidate], policy: SendingPolicy, now: datetime
) -> dict[tuple[datetime, ...], list[int]]:
    """Since when each cap counts, and for whom: one group, unless a cap goes by people's own calendars."""
    default = policy.quiet_hours.zone if policy.quiet_hours else "UTC"
    groups: dict[tuple[datetime, ...], list[int]] = {}
    known: dict[tuple[str, ...], tuple[datetime, ...]] = {}
    calendars = any(cap.days for cap in caps)
    for candidate in candidates:
        zones = zones_of(candidate.person) if calendars and candidate.person else ()
        if zones not in known:
            places = zones or (default,)
            known[zones] = tuple(day_began(places, cap.days, now) if cap.days else now - timedelta(hours=cap.hours or 0) for cap in caps)
        groups.setdefault(known[zones], []).append(candidate.profile_id)
    return groups


def _postpone(dispatch: DispatchFacts, found: Verdicts, candidate: Candidate, until: datetime, reason: Reason) -> None:
    """To another moment, or never where the message is of no use by then."""
    ends = [moment for moment in (dispatch.expires_at, candidate.expires_at) if moment is not None]
    if ends and min(ends) <= until:
        found.skipped.append((candidate, reason))
    else:
        found.postponed.append((candidate, until))
