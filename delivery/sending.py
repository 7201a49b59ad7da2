"""Admit, post, confirm: one piece of leased work to its vendor, window by window.

A window is at most `concurrency` vendor requests; a kill leaves at most one of them in doubt per worker. The worker
restrains itself: no request starts unless the lease outlives two full time-outs.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from delivery import confirmation, doubts, ledger, limits, preparation, settled
from delivery.adapters.base import Account, Fate, OutgoingRequest, Unsendable, VendorRequest
from delivery.connections import Connections
from delivery.eligibility import Candidate
from delivery.ledger import Bundle, Halted, Terms
from delivery.preparation import Prepared
from delivery.switches import killed
from delivery.terms import terms_of
from delivery.tokens import TOKENS
from delivery.work import Clock, Outcome, Outgoing, Work
from governance.door import DoorError

log = structlog.get_logger(__name__)
LONGEST_WAIT = 10.0  # seconds a worker sleeps for a rate's sake before it gives the work back instead
ACCOUNT_TROUBLE_RESTS = timedelta(seconds=30)
DATABASE_AWAY = 0.25  # seconds between attempts to write answers down


def send(work: Work, outgoing: Sequence[Outgoing], *, vendors: Connections, clock: Clock) -> Outcome:
    """Have the last look at this work, post what passes and record the answers; what can't go yet falls due again by itself.

    Entries without an Outgoing (people who are gone) are recorded as unreachable. Never raises for what a vendor, a stop or
    another worker does: the outcome counts it ("halted", "postponed", "in_doubt", …).
    """
    walk = _Walk(work, vendors, clock)
    try:
        terms = terms_of(work)
    except DoorError as error:
        account = work.dispatch.account or work.dispatch.route_key
        limits.hold(work.workspace_id, account, seconds=2 * ACCOUNT_TROUBLE_RESTS.total_seconds(), trouble=error.reason, now=clock())
        return walk.hand_back(error.reason, clock() + ACCOUNT_TROUBLE_RESTS)
    if killed(work.workspace_id, work.dispatch.key, terms.route.adapter.key, work.epoch):
        return walk.hand_back("a kill switch is on", clock() + ACCOUNT_TROUBLE_RESTS)
    if (until := limits.open_at(work.workspace_id, terms.route.key, now=clock())) is not None:
        return walk.hand_back("the vendor account rests", until)
    prepared = preparation.prepare(work, outgoing, terms)
    if work.doubts:
        prepared, walk.work = doubts.ask(work, prepared, terms, vendors, clock)
    return walk.through(prepared, terms)


class _Walk:
    """The state of one `send`: what is left, what was counted, and when the worker must have stopped."""

    def __init__(self, work: Work, vendors: Connections, clock: Clock) -> None:
        self.work, self.vendors, self.clock = work, vendors, clock
        self.counts, self.requests, self.deadline = Counter[str](), 0, work.deadline
        self._began = time.monotonic()

    def through(self, prepared: Prepared, terms: Terms) -> Outcome:
        """All windows, then close the work; or give it back where something stands in the way."""
        queue, unsendable, closed = deque(prepared.bundles), prepared.unsendable, False
        while queue or unsendable or not closed:
            window = _next_window(queue, terms)
            if window and (wait := self._wait(window, terms)) is not None:
                return self.hand_back("the vendor's rate", self.clock() + timedelta(seconds=wait))
            if window and self.vendors.stopping():
                self._put_back(window, terms)
                return self.hand_back("this worker was told to stop", self.clock())
            if not self._time_left():
                return self.hand_back("the lease is nearly over", self.clock())
            try:
                followed = self._window(window, unsendable, terms, last=not queue)
            except Halted as halt:
                return self.hand_back(str(halt), self.clock())
            if followed.later:
                return self.hand_back(followed.trouble, self.clock() + timedelta(seconds=followed.rest))
            queue.extendleft(reversed(followed.retry))
            unsendable, closed = [], not queue
        settled.finish_dispatch(self.work.dispatch.id, now=self.clock())
        log.info("work.sent", **self._told())
        return Outcome(self.counts, self.requests)

    def hand_back(self, reason: str, due_at: datetime) -> Outcome:
        """End the lease early and in good order."""
        settled.give_back(self.work, due_at=due_at)
        log.warning("work.given_back", reason=reason, **self._told())
        return Outcome(self.counts, self.requests, reason)

    def _told(self) -> dict[str, object]:
        work, seconds = self.work, round(time.monotonic() - self._began, 3)
        return {"dispatch": work.dispatch.id, "worker": work.worker, "requests": self.requests, "seconds": seconds, **self.counts}

    def _window(self, window: list[Bundle], unsendable: Sequence[Candidate], terms: Terms, *, last: bool) -> confirmation.Followed:
        """Admit, post and confirm up to `concurrency` requests."""
        started = time.monotonic()
        admission = ledger.admit(self.work, window, unsendable, terms=terms, clock=self.clock)
        self.deadline = started + settings.OMNI.lease_seconds
        self.counts += admission.counts
        answered = self._post(admission.bundles, terms)
        followed = self._confirm(answered, terms, last=last)
        self.counts += followed.counts
        return followed

    def _confirm(self, answered: list[tuple[Bundle, Fate]], terms: Terms, *, last: bool) -> confirmation.Followed:
        """Write the answers down. They wait for a database that is away as long as the lease: unwritten, they would be in doubt."""
        rest = self.vendors.breaker.note(self.work.workspace_id, terms.route.key, [fate.kind for _, fate in answered])
        while True:
            try:
                return confirmation.confirm(self.work, answered, terms=terms, last=last, rest=rest, now=self.clock())
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() >= self.deadline or connection.in_atomic_block:
                    raise
                log.warning("answers.wait", dispatch=self.work.dispatch.id, requests=len(answered), error=type(error).__name__)
                connection.close()
                time.sleep(DATABASE_AWAY)

    def _post(self, bundles: list[Bundle], terms: Terms) -> list[tuple[Bundle, Fate]]:
        """Post each bundle; what the vendor refused because its token had gone stale goes once more with a new one."""
        account, fates = self._attempt(bundles, terms)
        stale = [place for place, fate in enumerate(fates) if fate.stale_token]
        if stale:
            TOKENS.forget(self.work.workspace_id, terms.route.adapter, account)
            _, again = self._attempt([bundles[place] for place in stale], terms)
            for place, fate in zip(stale, again, strict=True):
                fates[place] = fate
        return list(zip(bundles, fates, strict=True))

    def _attempt(self, bundles: list[Bundle], terms: Terms) -> tuple[Account, list[Fate]]:
        """What became of each, and the account (with its token) that they were posted with."""
        route, now = terms.route, self.clock()
        limits, workspace_id = route.adapter.limits, self.work.workspace_id
        ready = TOKENS.ready(
            workspace_id,
            route.adapter,
            route.account,
            lambda asked: self.vendors.post(workspace_id, route.key, [asked], limits=limits, now=now)[0],
            now=now,
        )
        if isinstance(ready, Fate):
            return route.account, [ready for _ in bundles]
        made = [_made(self.work, bundle, terms, now, ready) for bundle in bundles]
        if not self._time_left():  # built too slowly, or stopped meanwhile: nothing has left the house
            return ready, [Fate("transient", retry_after=0.0, detail="not posted: the lease is nearly over") for _ in bundles]
        requests = [one for one in made if isinstance(one, VendorRequest)]
        self.requests += len(requests)
        answers = iter(self.vendors.post(workspace_id, route.key, requests, limits=limits, now=now))
        fates = []
        for bundle, one in zip(bundles, made, strict=True):
            answer = one if isinstance(one, Fate) else next(answers)
            fates.append(answer if isinstance(answer, Fate) else route.adapter.read(answer, ids_of(bundle)))
        return ready, fates

    def _wait(self, window: list[Bundle], terms: Terms) -> float | None:
        """Sleep for the rate's sake; None, or how many seconds are too many to sleep."""
        messages, account = sum(len(bundle.candidates) for bundle in window), terms.route.key
        seconds = limits.take(
            self.work.workspace_id, account, rate=terms.route.per_second, messages=messages, lane=self.work.dispatch.lane, now=self.clock()
        )
        if seconds > min(LONGEST_WAIT, self.deadline - time.monotonic() - 3 * settings.OMNI.vendor_timeout):
            self._put_back(window, terms)
            return min(seconds, 60.0)
        if seconds > 0:
            self.vendors.wait(seconds)
        return None

    def _put_back(self, window: list[Bundle], terms: Terms) -> None:
        if terms.route.per_second is not None:
            limits.put_back(self.work.workspace_id, terms.route.key, sum(len(bundle.candidates) for bundle in window))

    def _time_left(self) -> bool:
        needed = 2 * settings.OMNI.vendor_timeout
        wall = (self.work.leased_until - self.clock()).total_seconds() if self.deadline == self.work.deadline else needed
        return self.deadline - time.monotonic() >= needed and wall >= needed


def _next_window(queue: deque[Bundle], terms: Terms) -> list[Bundle]:
    """The requests that go together: as many as the vendor takes at once, and no more messages than its rate pays for."""
    window, messages = list[Bundle](), 0
    most, room = terms.route.adapter.limits.concurrency, limits.at_once(terms.route.per_second)
    while queue and len(window) < most:
        messages += len(queue[0].candidates)
        if window and room is not None and messages > room:
            break
        window.append(queue.popleft())
    return window


def _made(work: Work, bundle: Bundle, terms: Terms, now: datetime, account: Account) -> VendorRequest | Fate:
    """The request, or what it means that this message can't become one."""
    try:
        return build(work, bundle, terms, now, account)
    except Unsendable as unsendable:
        return unsendable.fate


def build(work: Work, bundle: Bundle, terms: Terms, now: datetime, account: Account) -> VendorRequest:
    """The vendor's request for one bundle. Raises Unsendable where its message can't be sent to its address at all."""
    program = bundle.program
    ends = [work.dispatch.expires_at, *(candidate.expires_at for candidate in bundle.candidates)]
    left = [int((moment - now).total_seconds()) for moment in ends if moment is not None]
    return terms.route.adapter.build(
        OutgoingRequest(
            attempt_id=bundle.attempt_id,
            channel=work.dispatch.channel,
            sender=program.sender,
            messages=[candidate.message for candidate in bundle.candidates if candidate.message is not None],
            reply_to=program.reply_to,
            substituted=program.substituted if bundle.substituted else None,
            valid_for=max(min(left), 1) if left else None,
            at=now,
        ),
        account,
    )


def ids_of(bundle: Bundle) -> list[str]:
    """The message ids of a bundle, in order."""
    return [candidate.message.message_id for candidate in bundle.candidates if candidate.message is not None]
