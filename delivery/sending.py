"""One piece of leased work on its way: whose route carries which message, and what stands in the way of all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from audience import door as audience
from delivery import doubts, limits, preparation
from delivery.connections import Connections
from delivery.ledger import Terms
from delivery.models import Attempt
from delivery.routing import choose, for_device
from delivery.switches import killed
from delivery.terms import terms_of
from delivery.walks import Walk
from delivery.windows import Stop
from delivery.work import Clock, Entry, Outcome, Outgoing, Work
from governance.door import DoorError

ACCOUNT_TROUBLE_RESTS = timedelta(seconds=30)
SWITCHED_OFF, RESTS = "a kill switch is on", "the vendor account rests"


def send(work: Work, outgoing: Sequence[Outgoing], *, vendors: Connections, clock: Clock) -> Outcome:
    """Have the last look at this work, post what passes and record the answers; what can't go yet falls due again by itself.

    Entries without an Outgoing (people who are gone) are recorded as unreachable. Never raises for what a vendor, a stop or
    another worker does: the outcome counts it ("halted", "postponed", "in_doubt", …).
    """
    walk, now = Walk(work, vendors, clock), clock()
    try:
        terms = terms_of(work)
    except DoorError as error:
        account = work.dispatch.account or work.dispatch.route_key
        limits.hold(work.workspace_id, account, seconds=2 * ACCOUNT_TROUBLE_RESTS.total_seconds(), trouble=error.reason, now=now)
        return walk.hand_back(error.reason, now + ACCOUNT_TROUBLE_RESTS)
    if work.dispatch.channel == "push":
        audience.give_devices(work.workspace_id, [one.person for one in outgoing if one.person is not None])
    closed = _closed(work, terms, now)
    if len(closed) == len(terms):
        return walk.hand_back(*min(closed.values(), key=lambda why: why[1]))
    parts, waits = [], Stop()
    for one, entries in _shared_out(work, outgoing, terms, closed, now):
        if one.route.key in closed:
            waits.because(*closed[one.route.key])
            continue
        prepared = preparation.prepare(work, entries, outgoing, one, day=now.date())
        if work.doubts:
            prepared, walk.work = doubts.ask(walk.work, prepared, one, vendors, clock)
        parts.append((prepared, one))
    return walk.through(parts, waits=waits, elsewhere=len(terms) > 1)


def _closed(work: Work, terms: Sequence[Terms], now: datetime) -> dict[str, tuple[str, datetime]]:
    """The routes that can't be used now: why, and when to look again."""
    keys = [one.route.key for one in terms]
    closed = {key: (RESTS, until) for key, until in limits.resting(work.workspace_id, keys, lane=work.dispatch.lane, now=now).items()}
    for one in terms:
        if killed(work.workspace_id, work.dispatch.key, one.route.adapter.key, work.epoch):
            closed[one.route.key] = (SWITCHED_OFF, now + ACCOUNT_TROUBLE_RESTS)
    return closed


def _shared_out(
    work: Work, outgoing: Sequence[Outgoing], terms: Sequence[Terms], closed: dict[str, tuple[str, datetime]], now: datetime
) -> list[tuple[Terms, list[Entry]]]:
    """Whose route carries which message, the open routes first. What is in doubt stays with the account that was asked."""
    if len(terms) == 1:
        return [(terms[0], list(work.entries))]
    by_key = {one.route.key: one for one in terms}
    routes, prefer = [one.route for one in terms], terms[0].policy.equal_routes
    given = {one.n: one for one in outgoing}
    doubtful = Attempt.objects.filter(dispatch_id=work.dispatch.id, id__in=set(work.doubts.values()))
    asked = dict(doubtful.values_list("id", "account")) if work.doubts else {}
    shared: dict[str, list[Entry]] = {}
    push = work.dispatch.channel == "push"
    for entry in work.entries:
        one = given.get(entry.n)
        key = asked.get(work.doubts.get(entry.n, 0), "")
        if key not in by_key:
            country, parts = (one.person.country or "", one.parts) if one is not None else ("", 1)
            draw = f"{work.dispatch.id}/{entry.n}"
            served = for_device(routes, one.person.devices) if one is not None and push else routes
            route = choose(served, country, draw, closed=closed, prefer=prefer, day=now.date(), parts=parts)
            key = route.key if route is not None else terms[0].route.key
        shared.setdefault(key, []).append(entry)
    return sorted(((by_key[key], entries) for key, entries in shared.items()), key=lambda part: part[0].route.key in closed)
