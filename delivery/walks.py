"""Admit, post, confirm: one piece of leased work to its vendors, window by window.

While one window waits for its answers the next has its last look and leaves; the two together hold at most `concurrency`
vendor requests, and that is what a kill can leave in doubt per worker. The worker restrains itself: no request starts unless
the lease outlives two full time-outs.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from delivery import budgets, confirmation, ledger, quotas, settled, traffic
from delivery.adapters.base import Fate, VendorRequest
from delivery.connections import Connections, Posting
from delivery.eligibility import Candidate
from delivery.ledger import Bundle, Halted, Terms
from delivery.permits import Permit
from delivery.preparation import Prepared
from delivery.quotas import Limit
from delivery.requests import request_of
from delivery.tokens import TOKENS
from delivery.traffic import Taken
from delivery.windows import Flight, Stop, next_window
from delivery.work import Clock, Outcome, Work
from governance import door as governance

log = structlog.get_logger(__name__)
LONGEST_WAIT = 10.0  # seconds a worker sleeps for a rate's sake before it gives the work back instead
DATABASE_AWAY = 0.25  # seconds between attempts to write answers down


class Walk:
    """The state of one `send`: what is left, what was counted, and when the worker must have stopped."""

    def __init__(self, work: Work, vendors: Connections, clock: Clock) -> None:
        self.work, self.vendors, self.clock = work, vendors, clock
        self.counts, self.requests, self.deadline = Counter[str](), 0, work.deadline
        self._began, self._unpaid, self._elsewhere = time.monotonic(), False, False
        self._permit = Permit()

    def through(self, parts: Sequence[tuple[Prepared, Terms]], *, waits: Stop, elsewhere: bool) -> Outcome:
        """Every part by its own route, then close the work; or give it back where something stands in the way of any of it.

        elsewhere: there are other routes, which may carry at once what one of them has just refused.
        """
        self._elsewhere = elsewhere
        for place, (prepared, terms) in enumerate(parts):
            last = place == len(parts) - 1 and not waits
            waits.add(self._through(prepared, terms, last=last))
        if self._unpaid:  # once its answers are written down
            budgets.stop_spending(self.work, now=self.clock())
        if waits:
            return self.hand_back(waits.reason, waits.due_at or self.clock())
        if self.work.source == "batch":  # standing dispatches have no end
            settled.finish_dispatch(self.work.dispatch.id, now=self.clock())
        log.info("work.sent", **self._told())
        return Outcome(self.counts, self.requests)

    def _through(self, prepared: Prepared, terms: Terms, *, last: bool) -> Stop:
        """All windows of one route. last: nothing else of the work is left, so that its end closes it. Answers why some of it waits."""
        queue, unsendable, begun = deque(prepared.bundles), prepared.unsendable, False
        flying, stop, later = deque[Flight](), Stop(), Stop()
        while flying or ((queue or unsendable or not begun) and not stop):
            if (queue or unsendable or not begun) and not stop and self._has_room(flying, terms):
                try:
                    flight = self._take_off(queue, unsendable, flying, terms, stop, later)
                except Halted as halt:
                    stop.because(str(halt), self.clock())
                except Exception:  # what is in the air was answered all the same, and is written down first
                    while flying:
                        self._land(flying, terms, stop, queue, more=True)
                    raise
                else:
                    if flight is not None:
                        flying.append(flight)
                        unsendable, begun = [], True
                    if self._has_room(flying, terms) and queue and not stop:
                        continue
            if flying:
                self._land(flying, terms, stop, queue, more=bool(later) or not last)
        stop.add(later)
        return stop

    def hand_back(self, reason: str, due_at: datetime) -> Outcome:
        """End the lease early and in good order."""
        settled.give_back(self.work, due_at=due_at)
        log.warning("work.given_back", reason=reason, **self._told())
        return Outcome(self.counts, self.requests, reason)

    def _told(self) -> dict[str, object]:
        work, seconds = self.work, round(time.monotonic() - self._began, 3)
        return {"dispatch": work.dispatch.id, "worker": work.worker, "requests": self.requests, "seconds": seconds, **self.counts}

    def _has_room(self, flying: Sequence[Flight], terms: Terms) -> bool:
        """Whether another window may leave: two are in the air at most, and not more requests than the vendor takes at once."""
        return len(flying) < 2 and sum(len(flight.bundles) for flight in flying) < terms.route.adapter.limits.concurrency

    def _take_off(
        self,
        queue: deque[Bundle],
        unsendable: Sequence[Candidate],
        flying: deque[Flight],
        terms: Terms,
        stop: Stop,
        later: Stop,
    ) -> Flight | None:
        """Admit the next window and begin to post it; None where something stands in the way. Raises Halted. later: why some of it
        waits for longer than this lease."""
        limits_now = terms.route.limits_on(self.clock().date())
        window = next_window(queue, terms, quotas.at_once(limits_now), in_the_air=sum(len(flight.bundles) for flight in flying))
        taken = self._draw(window, limits_now, terms) if window and limits_now else None
        if taken is not None:
            window = self._allowed(window, taken, queue, later)
            seconds = taken.wait if window else self._until_turn(taken)
            if seconds > 0:
                while flying:  # answers are not left unwritten while this sleeps
                    self._land(flying, terms, stop, queue, more=True)
                if stop or seconds > self._longest_wait():
                    self._put_back(taken, terms)
                    stop.because("the vendor's rate", self.clock() + timedelta(seconds=min(seconds, 60.0)))
                    return None
                self.vendors.wait(seconds)
            if not window and (queue or stop):
                return None
        if window and self.vendors.stopping():
            self._put_back(taken, terms)
            stop.because("this worker was told to stop", self.clock())
            return None
        if not self._time_left():
            self._put_back(taken, terms)
            stop.because("the lease is nearly over", self.clock())
            return None
        started = time.monotonic()
        admission = ledger.admit(self.work, window, unsendable, terms=terms, clock=self.clock)
        self.deadline = started + settings.OMNI.lease_seconds
        self._permit.renew(started)
        self.counts += admission.counts
        if admission.unpaid:
            self._unpaid = True
            stop.because(budgets.SPENT, self.clock())
        if taken is not None:
            self._put_back(taken, terms, but={candidate.n for bundle in admission.bundles for candidate in bundle.candidates})
        return self._post(admission.bundles, terms)

    def _draw(self, window: list[Bundle], limits_now: Sequence[Limit], terms: Terms) -> Taken:
        candidates = [candidate for bundle in window for candidate in bundle.candidates]
        route, lane = terms.route, self.work.dispatch.lane
        return traffic.take(self.work.workspace_id, route.key, limits_now, candidates, lane=lane, reserved=route.reserved, now=self.clock())

    def _allowed(self, window: list[Bundle], taken: Taken, queue: deque[Bundle], later: Stop) -> list[Bundle]:
        """What of a window may go now. Whose turn comes soon goes to the end of the queue; the others are left for another lease, and
        with them all that is queued, where the whole account is used up."""
        going = list[Bundle]()
        for bundle in window:
            for numbers, into in ((taken.going, going), (taken.soon, queue)):
                some = [candidate for candidate in bundle.candidates if candidate.n in numbers]
                if some:
                    into.append(replace(bundle, candidates=some))
        if taken.later and taken.later_at is not None:
            later.because(f"the limit of {taken.shut or 'a sender or some recipients'}", taken.later_at)
            if taken.shut:
                queue.clear()
        return going

    def _until_turn(self, taken: Taken) -> float:
        """Seconds to sleep where nothing may go now."""
        return max((taken.soon_at - self.clock()).total_seconds(), 0.01) if taken.soon_at is not None else 0.0

    def _land(self, flying: deque[Flight], terms: Terms, stop: Stop, queue: deque[Bundle], *, more: bool) -> None:
        """Wait for the oldest window's answers and write them down; what is to be attempted anew joins the queue. more: something
        follows that neither flies nor queues."""
        flight = flying.popleft()
        followed = self._confirm(self._answers(flight, terms), terms, last=not (flying or queue or stop or more))
        self.counts += followed.counts
        queue.extendleft(reversed(followed.retry))
        if followed.later:
            stop.because(followed.trouble, self.clock() + timedelta(seconds=0 if self._elsewhere else followed.rest))

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

    def _post(self, bundles: list[Bundle], terms: Terms) -> Flight:
        """Begin to post these; what can't become a request has its fate already."""
        route, now, workspace_id = terms.route, self.clock(), self.work.workspace_id
        ready = TOKENS.ready(
            workspace_id,
            route.adapter,
            route.account,
            lambda asked: self.vendors.post(workspace_id, route.key, [asked], limits=route.adapter.limits, now=now)[0],
            now=now,
        )
        if isinstance(ready, Fate):
            return Flight(bundles, [ready] * len(bundles), Posting([]), route.account)
        made = [request_of(self.work, bundle, terms, now, ready) for bundle in bundles]
        if not self._time_left():  # built too slowly, or stopped meanwhile: nothing has left the house
            kept = Fate("transient", retry_after=0.0, detail="not posted: the lease is nearly over")
            return Flight(bundles, [kept] * len(bundles), Posting([]), ready)
        requests = [one for one in made if isinstance(one, VendorRequest)]
        self.requests += len(requests)
        self._renew()
        posting = self.vendors.begin(workspace_id, route.key, requests, limits=route.adapter.limits, now=now, permit=self._permit)
        return Flight(bundles, made, posting, ready)

    def _answers(self, flight: Flight, terms: Terms) -> list[tuple[Bundle, Fate]]:
        """Wait for a window's answers; what the vendor refused because its token had gone stale goes once more with a new one."""
        fates = flight.fates(terms, self._renew)
        stale = [place for place, fate in enumerate(fates) if fate.stale_token]
        if stale:
            TOKENS.forget(self.work.workspace_id, terms.route.adapter, flight.account)
            again = self._post([flight.bundles[place] for place in stale], terms)
            for place, fate in zip(stale, again.fates(terms, self._renew), strict=True):
                fates[place] = fate
        return list(zip(flight.bundles, fates, strict=True))

    def _renew(self) -> None:
        """Let what waits for its turn begin for another while, unless something was halted since the last look."""
        if self._permit.is_young():
            return
        now = time.monotonic()
        try:
            unchanged = governance.epoch(self.work.workspace_id) == self.work.epoch
        except (OperationalError, InterfaceError):  # it lapses by itself
            if not connection.in_atomic_block:
                connection.close()
            return
        if unchanged:
            self._permit.renew(now)
        else:
            self._permit.take_back()

    def _longest_wait(self) -> float:
        """Seconds that are not too many to sleep."""
        return min(LONGEST_WAIT, self.deadline - time.monotonic() - 3 * settings.OMNI.vendor_timeout)

    def _put_back(self, taken: Taken | None, terms: Terms, *, but: Set[int] = frozenset()) -> None:
        """What was drawn and isn't posted: all of it but these."""
        if taken is not None:
            traffic.put_back(self.work.workspace_id, terms.route.key, taken, taken.going - but)

    def _time_left(self) -> bool:
        needed = 2 * settings.OMNI.vendor_timeout
        wall = (self.work.leased_until - self.clock()).total_seconds() if self.deadline == self.work.deadline else needed
        return self.deadline - time.monotonic() >= needed and wall >= needed
