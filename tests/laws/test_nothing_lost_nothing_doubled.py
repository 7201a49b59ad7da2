"""The laws of the send path (docs/architecture/send-path.md), on both databases, under faults at every statement and a clock that jumps.

Nothing lost: at any time everybody considered is accounted for, and what the vendor has is known as sent or listed in doubt;
in the end every message has its final state. Nothing doubled: with the vendor's events no promotional message is accepted
twice, and no transactional one three times. Nobody gets anything after opting out, while their dispatch is paused, or over
their cap. Stale workers write nothing. Days of the whole street, with the scheduler and webhooks, are in test_simulated_days.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from audience import door as audience
from delivery import counts
from delivery import door as delivery
from delivery.models import Attempt, Dispatch, LeftOut, Message
from delivery.states import MessageState
from governance import door as governance
from tests.delivery.conftest import Clock, Killed, Street, _Dying, clock, street, vendor
from tests.simulation.chaos import Arm, Chaos
from tests.vendor_standin import StandIn

pytestmark = pytest.mark.django_db
EXAMPLES, STEPS = int(os.environ.get("OMNI_LAW_EXAMPLES", "16")), int(os.environ.get("OMNI_LAW_STEPS", "40"))
FAULTS = ("ok", "ok", "ok", "drop", "accept_drop", "429", "500", "accept_500", "garbage", "400:0", "400", "401")
PEOPLE, CAP = 5, 1
__all__ = ["clock", "street", "vendor"]  # fixtures


@dataclass
class World:
    """What all examples start from."""

    street: Street
    ids: list[int]
    began: datetime


class SendPath(RuleBasedStateMachine):
    world: World

    @initialize()
    def begin(self) -> None:
        self.block = transaction.atomic()
        self.block._from_testcase = True  # type: ignore[attr-defined]  # an example is a test: admit may be durable inside it
        self.block.__enter__()
        governance.bump(self.street.workspace_id)
        self.clock.at = self.world.began
        self.street.vendor.accepted.clear()
        self.street.vendor.fault = lambda number: "ok"
        self.heard, self.campaigns, self.receipts = 0, 0, 0
        self.dispatches: dict[int, str] = {}
        self.paused: dict[int, int] = {}  # dispatch -> how many messages the vendor had when it was paused
        self.stopped: dict[int, int] = {}
        self.switched: dict[str, int] = {}  # vendor -> how many messages it had when its switch was thrown
        self.left: dict[int, int] = {}  # person -> how many messages the vendor had when they left
        self.aside: list[tuple[delivery.Work, list[delivery.Outgoing]]] = []
        self.known: dict[str, tuple[int, str]] = {}  # whose a message is, and of which kind

    # ── people ────────────────────────────────────────────────────────────────────────────────────────────────────

    @rule(
        channel=st.sampled_from(["email", "sms"]),
        chosen=st.sets(st.integers(0, PEOPLE - 1), min_size=2),
        batch_size=st.integers(1, 4),
        ramp=st.sampled_from([(), (0.5, 1.0)]),
    )
    def launch(self, channel: str, chosen: set[int], batch_size: int, ramp: tuple[float, ...]) -> None:
        self.campaigns += 1
        dispatch = self.street.launch(
            [self.ids[place] for place in chosen],
            campaign_key=f"campaign-{self.campaigns}",
            channel=channel,
            batch_size=batch_size,
            ramp=ramp,
            soak_minutes=0,
            policy_key="manners",
        )
        self.dispatches[dispatch] = "promotional"

    @rule(place=st.integers(0, PEOPLE - 1), channel=st.sampled_from(["email", "sms"]))
    def decide(self, place: int, channel: str) -> None:
        dispatch = self.street.message_type(channel=channel, key=f"receipt-{channel}")
        self.dispatches[dispatch] = "transactional"
        self.street.decide(dispatch, [self.ids[place]])

    @rule(place=st.integers(0, PEOPLE - 1))
    def opt_out(self, place: int) -> None:
        person = self.ids[place]
        for channel in ("email", "sms"):
            audience.set_consent(
                self.street.workspace_id, [person], channel=channel, topic="*", state="unsubscribed", source="law", now=self.clock()
            )
        self.left.setdefault(person, len(self.street.vendor.accepted))

    @precondition(lambda self: any(kind == "promotional" for kind in self.dispatches.values()))
    @rule(data=st.data())
    def pause(self, data: st.DataObject) -> None:
        dispatch = data.draw(st.sampled_from([pk for pk, kind in self.dispatches.items() if kind == "promotional"]))
        with suppress(governance.Refused):
            delivery.pause(self.ada, dispatch, now=self.clock())
            self.paused[dispatch] = self.had(dispatch)

    @precondition(lambda self: self.paused)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        dispatch = data.draw(st.sampled_from(sorted(self.paused)))
        del self.paused[dispatch]
        delivery.resume(self.ben, dispatch, now=self.clock())

    @precondition(lambda self: any(kind == "promotional" for kind in self.dispatches.values()))
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        dispatch = data.draw(st.sampled_from([pk for pk, kind in self.dispatches.items() if kind == "promotional"]))
        with suppress(governance.Refused):
            delivery.stop(self.ben, dispatch, now=self.clock())
            self.stopped[dispatch] = self.had(dispatch)
            self.paused.pop(dispatch, None)

    @rule(channel=st.sampled_from(["sendgrid", "twilio"]), on=st.booleans())
    def switch(self, channel: str, on: bool) -> None:
        delivery.kill(self.ben, "vendor", channel, on, reason="drill", now=self.clock())
        if on:
            self.switched.setdefault(channel, self.taken_by(channel))
        else:
            self.switched.pop(channel, None)

    # ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=6), pieces=st.integers(1, 4))
    def work(self, faults: list[str], pieces: int) -> None:
        with self.faulty(faults):
            self.street.work(pieces)

    @rule(statement=st.integers(0, 40), deadly=st.booleans(), after=st.booleans())
    def work_and_be_struck(self, statement: int, deadly: bool, after: bool) -> None:
        """At any statement the worker dies, or the database fails it."""
        with struck(Arm(statement, Killed() if deadly else OperationalError("away"), after)):
            self.street.work(2)

    @rule(statement=st.integers(0, 10), after=st.booleans())
    def reconcile_and_be_struck(self, statement: int, after: bool) -> None:
        with struck(Arm(statement, Killed(), after)):
            self.street.reconcile()

    @rule()
    def take_and_die(self) -> None:
        self.street.lease("dies")

    @rule(after_post=st.booleans(), faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3))
    def die_at_the_vendor(self, after_post: bool, faults: list[str]) -> None:
        if piece := self.street.lease("dies"):
            with self.faulty(faults), suppress(Killed):
                dying = _Dying(self.street.vendors if after_post else None)
                delivery.send(piece, self.street.render(piece), vendors=dying, clock=self.clock)

    @rule()
    def take_and_sleep(self) -> None:
        if piece := self.street.lease("sleeps"):
            self.aside.append((piece, self.street.render(piece)))

    @precondition(lambda self: self.aside)
    @rule()
    def wake_up(self) -> None:
        piece, rendered = self.aside.pop(0)
        delivery.send(piece, rendered, vendors=self.street.vendors, clock=self.clock)

    # ── time and evidence ─────────────────────────────────────────────────────────────────────────────────────────

    @rule(span=st.sampled_from([1, 5, 45, 61, 1_000, 90_000]))
    def time_passes(self, span: int) -> None:
        self.clock.pass_(seconds=span)

    @rule()
    def events_arrive(self) -> None:
        """The feed is whole: with any event, all earlier ones have come too."""
        some = [one for one in self.street.vendor.accepted[self.heard :] if one.vendor == "sendgrid"]
        self.heard = len(self.street.vendor.accepted)
        if some:
            self.street.hear("delivered", some)

    @rule()
    def reconcile(self) -> None:
        self.street.reconcile()
        self.street.keep_house()

    @rule()
    def a_person_who_knows_resolves_a_doubt(self) -> None:
        times = self.street.vendor.times()
        for attempt in delivery.in_doubt(self.street.workspace_id)[:1]:
            accepted = any(times[token] for token in self.tokens(attempt))
            with suppress(governance.Refused):
                delivery.resolve_in_doubt(self.ben, attempt.pk, "sent" if accepted else "resend", now=self.clock())

    # ── the law ───────────────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def nothing_is_doubled(self) -> None:
        for token, times in self.street.vendor.times().items():
            key = delivery.read_message_id(token)
            assert key is not None
            assert times <= (1 if self.dispatches[key.dispatch_id] == "promotional" else 2), token

    @invariant()
    def nothing_is_lost(self) -> None:
        self.everybody_is_counted()
        states = self.states()
        for token in self.street.vendor.times():
            assert states.get(token) in {"sending", "in doubt", "sent", "delivered"}, (token, states.get(token))

    def everybody_is_counted(self) -> None:
        """What `facts` adds up to who was considered, asked in fewer statements, since it is asked after every step."""
        left_out = Counter(dict(LeftOut.objects.values_list("dispatch").annotate(Sum("count"))))
        for row in Dispatch.objects.filter(pk__in=self.dispatches):
            found = counts.count(row.workspace_id, row.pk)
            unsent = found.states[MessageState.SKIPPED] + found.states[MessageState.FAILED]
            assert sum(found.reasons.values()) == unsent, "whoever gets nothing has a reason"
            if row.kind == "campaign":
                assert row.planned + left_out[row.pk] == row.considered and found.rows <= row.planned, (row.pk, found)

    @invariant()
    def nobody_is_written_to_after_leaving(self) -> None:
        for one in self.street.vendor.accepted[min(self.left.values(), default=10**9) :]:
            person, kind = self.who(one.message_id)
            if kind == "promotional" and person in self.left:
                assert one.seq < self.left[person]

    @invariant()
    def caps_hold(self) -> None:
        moments: dict[int, list[datetime]] = {}
        for one in self.street.vendor.accepted:
            person, kind = self.who(one.message_id)
            if kind == "promotional" and one.at:
                moments.setdefault(person, []).append(one.at)
        for listed in moments.values():
            listed.sort()
            for first, last in zip(listed, listed[CAP:], strict=False):
                assert last - first >= timedelta(hours=24), listed

    @invariant()
    def what_is_halted_stays_halted(self) -> None:
        for dispatch, had in [*self.paused.items(), *self.stopped.items()]:
            assert self.had(dispatch) == had
        for name, had in self.switched.items():
            assert self.taken_by(name) == had

    def teardown(self) -> None:
        if not hasattr(self, "block"):
            return
        try:
            self.let_everything_settle()
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    def let_everything_settle(self) -> None:
        """The vendor behaves again, workers live, the feed speaks: what is not in doubt becomes final, and the ledger agrees
        with the vendor about every single message."""
        for name in list(self.switched):
            delivery.kill(self.ben, "vendor", name, False, reason="over", now=self.clock())
        self.switched.clear()
        for dispatch in list(self.paused):
            delivery.resume(self.ben, dispatch, now=self.clock())
        self.paused.clear()
        for _ in range(6):
            self.clock.pass_(seconds=2_000)
            self.street.work()
            self.events_arrive()
            self.reconcile()
        self.nothing_is_doubled()
        self.nothing_is_lost()
        for dispatch in self.dispatches:
            view = self.street.facts(dispatch)
            assert sum(view.counts.values()) == view.considered, view.counts
            assert view.waiting == 0 and not view.states.get("sending"), view.counts
        times = self.street.vendor.times()
        for token, state in self.states().items():
            assert state in {"in doubt", "sent", "delivered", "failed", "skipped"}, (token, state)
            if state in {"sent", "delivered"}:
                assert times[token], token
            elif state in {"failed", "skipped"}:
                assert not times[token], (token, state)
        doubts = delivery.in_doubt(self.street.workspace_id)
        assert Counter(self.states().values())["in doubt"] <= sum(attempt.count for attempt in doubts), "what is in doubt is listed"
        for attempt in doubts:
            if attempt.message_class == "transactional":
                assert attempt.replaces_id or attempt.vendor == "twilio", "it was sent once more, or the vendor could not tell"

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def street(self) -> Street:
        return self.world.street

    @property
    def clock(self) -> Clock:
        return self.world.street.clock

    @property
    def ids(self) -> list[int]:
        return self.world.ids

    @property
    def ada(self) -> Any:
        return self.street.person("ada")

    @property
    def ben(self) -> Any:
        return self.street.person("ben")

    def faulty(self, faults: list[str]) -> _Faults:
        return _Faults(self.street.vendor, faults)

    def had(self, dispatch: int) -> int:
        keys = (delivery.read_message_id(token) for token in self.street.vendor.times().elements())
        return sum(key is not None and key.dispatch_id == dispatch for key in keys)

    def taken_by(self, vendor: str) -> int:
        return sum(one.vendor == vendor for one in self.street.vendor.accepted)

    def who(self, token: str) -> tuple[int, str]:
        if token not in self.known:
            key = delivery.read_message_id(token)
            assert key is not None
            person = Message.objects.get(dispatch_id=key.dispatch_id, n=key.n).profile_id
            self.known[token] = person, self.dispatches[key.dispatch_id]
        return self.known[token]

    def tokens(self, attempt: Attempt) -> list[str]:
        rows = Message.objects.filter(dispatch_id=attempt.dispatch_id, attempt_id=attempt.pk, state=MessageState.SENDING)
        return delivery.message_ids(attempt.dispatch_id, rows.values_list("n", flat=True))

    def states(self) -> dict[str, str]:
        found = {}
        for dispatch in self.dispatches:
            for view in delivery.messages(self.street.workspace_id, dispatch_id=dispatch, limit=200).items:
                found[view.message_id] = view.state
        return found


@contextmanager
def struck(arm: Arm) -> Iterator[None]:
    """What is done here is struck at one of its statements, and whoever did it is gone."""
    chaos = Chaos(Random(0), lambda: None)
    chaos.arm = arm
    try:
        with connection.execute_wrapper(chaos.execute):
            yield
    except (Killed, OperationalError):
        connection.needs_rollback = False  # nothing failed in the database itself, and what was begun was rolled back
        delivery.doubt_instance()


class _Faults:
    """The vendor's next requests go like this, and after them everything is well."""

    def __init__(self, vendor: StandIn, faults: list[str]) -> None:
        self.vendor, self.faults = vendor, iter(faults)

    def __enter__(self) -> None:
        self.vendor.fault = lambda number: next(self.faults, "ok")

    def __exit__(self, *_: object) -> None:
        self.vendor.fault = lambda number: "ok"


@pytest.fixture
def world(street: Street) -> Iterator[World]:
    street.route("sendgrid")
    street.route("twilio")
    street.policy(caps=[{"count": CAP, "hours": 24}], halt={"heard": 0, "failed": 1, "unrendered": 1})  # a drawn vendor is a bad one
    consents = (("sms", "offers", "subscribed"), ("email", "offers", "subscribed"))
    from tests import factories

    ids = [factories.profile(now=street.clock(), phone=f"+14155550{place:03d}", consents=consents) for place in range(PEOPLE)]
    street.person("ada"), street.person("ben")
    yield World(street, ids, street.clock())


def test_nothing_is_lost_and_nothing_is_doubled(world: World) -> None:
    machine = type("Drawn", (SendPath,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
