"""Whoever is merged while a campaign is on its way, whatever the vendor answers: one person is written to once, nobody is forgotten."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from audience import door as audience
from delivery import door as delivery
from delivery import leases
from delivery.models import Attempt, Message
from delivery.states import AttemptState, MessageState
from tests.delivery.conftest import Street, clock, street, vendor
from tests.delivery.test_merged_people import Meanwhile

__all__ = ["clock", "street", "vendor"]  # fixtures
EXAMPLES, STEPS = int(os.environ.get("OMNI_LAW_EXAMPLES", "15")), int(os.environ.get("OMNI_LAW_STEPS", "12"))
pairs = st.tuples(st.integers(0, 2), st.integers(0, 2))
some_pairs, answers = st.lists(pairs, max_size=1), st.sampled_from(["429", "400", "ok", "drop", "accept_drop"])


class OneEach(RuleBasedStateMachine):
    """together: the places that were under way already when their people became one, so that each may be sent."""

    def __init__(self, street: Street) -> None:
        super().__init__()
        self.street = street

    @initialize(many=st.integers(2, 3), batch_size=st.integers(1, 2), message_class=st.sampled_from(["promotional", "service"]))
    def begin(self, many: int, batch_size: int, message_class: str) -> None:
        leases._running.clear()  # dispatches of earlier examples were rolled back
        self.scope = transaction.atomic()
        self.scope._from_testcase = True  # type: ignore[attr-defined]  # as the test's own: last looks insist on a transaction of theirs
        self.scope.__enter__()
        self.street.vendor.accepted.clear()
        self.people = self.street.people(many)
        self.who = {number: number for number in self.people}
        self.dispatch = self.street.launch(self.people, batch_size=batch_size, message_class=message_class)
        self.together = set[int]()

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            try:
                self._everybody_has_it_in_the_end()
            finally:
                transaction.set_rollback(True)
                self.scope.__exit__(None, None, None)

    @rule(pair=pairs)
    def merged(self, pair: tuple[int, int]) -> None:
        stays, goes = (self.who[self.people[place % len(self.people)]] for place in pair)
        if stays == goes:
            return
        names = {person.id: person.external_id for person in audience.load(self.street.workspace_id, [stays, goes])}
        audience.merge(self.street.person("cleo"), names[stays], names[goes], now=self.street.clock())
        self.who = {number: stays if person == goes else person for number, person in self.who.items()}
        self.together |= self._live()

    @rule(made=some_pairs, under_way=some_pairs, nested=st.booleans(), answer=answers)
    def sent_some(self, made: list[tuple[int, int]], under_way: list[tuple[int, int]], nested: bool, answer: str) -> None:
        """Some turn out to be one after their messages were made, some while these are on their way, when another worker may send, too."""

        def meanwhile() -> None:
            self._holds()
            for pair in under_way:
                self.merged(pair)
            if nested:
                self._work("ok", lambda: None)

        self._work(answer, meanwhile, made)

    @rule(minutes=st.sampled_from([1, 10]))
    def time_passes(self, minutes: int) -> None:
        self.street.clock.pass_(minutes=minutes)
        self.street.reconcile()

    @rule()
    def the_vendor_tells(self) -> None:
        self.street.hear("processed")

    def _work(self, answer: str, meanwhile: Callable[[], None], made: list[tuple[int, int]] | None = None) -> None:
        work = self.street.lease()
        if work is None:
            return
        written = self.street.render(work)
        for pair in made or []:
            self.merged(pair)

        def first_answered() -> None:
            meanwhile()
            first = self.street.vendor.requests
            self.street.vendor.fault = lambda number: answer if number == first else "ok"

        vendors: Any = Meanwhile(self.street.vendors, first_answered)
        delivery.send(work, written, vendors=vendors, clock=self.street.clock)
        self.street.vendor.fault = lambda number: "ok"
        self._holds()

    def _live(self) -> set[int]:
        """The places of all that was sent or may have been."""
        rows = Message.objects.filter(dispatch_id=self.dispatch, state__lt=MessageState.FAILED)
        refused = set(Attempt.objects.filter(dispatch_id=self.dispatch, state=AttemptState.REFUSED).values_list("pk", flat=True))
        return {n for n, attempt in rows.values_list("n", "attempt_id") if attempt not in refused}

    def _holds(self) -> None:
        live = self._live()
        self.together &= live
        theirs = defaultdict(set)
        for n, number in Message.objects.filter(dispatch_id=self.dispatch, n__in=live).values_list("n", "profile_id"):
            theirs[self.who[number]].add(n)
        for person, places in theirs.items():
            assert len(places) == 1 or places <= self.together, f"{person} is written to at {places}"

    def _everybody_has_it_in_the_end(self) -> None:
        for _ in range(6):
            self.street.clock.pass_(minutes=10)
            self.street.work()
            self._holds()
        assert self.street.lease() is None, "something still waits"
        refused = Message.objects.filter(dispatch_id=self.dispatch, state=MessageState.FAILED).values_list("n", flat=True)
        rows = Message.objects.filter(dispatch_id=self.dispatch, n__in=self._live() | {*refused}).values_list("profile_id", flat=True)
        assert {self.who[number] for number in rows} == {*self.who.values()}, "somebody was forgotten"


@pytest.mark.django_db
def test_one_person_is_written_to_once_whenever_they_turn_out_to_be_one(street: Street) -> None:
    street.route("sendgrid")
    street.person("cleo")
    run_state_machine_as_test(
        lambda: OneEach(street),
        settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)),
    )
