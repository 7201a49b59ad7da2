"""Whatever people do in whatever order: nobody vouches for their own words, and what is in force is what was approved."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from governance import door as governance
from governance.audit import verify
from governance.canonical import sha256
from governance.door import Actor, DoorError, Missing, Refused
from tests.governance.conftest import staff
from tests.governance.office import AUDIENCE

EXAMPLES, STEPS = int(os.environ.get("OMNI_LAW_EXAMPLES", "8")), int(os.environ.get("OMNI_LAW_STEPS", "25"))
WRITERS, DECIDERS = ["ada", "ben", "cleo"], ["ben", "bea", "cleo", "leo"]
KEYS = {"page": ["a", "b", "c"], "plan": ["spring"]}
DOCUMENTS = [(kind, key) for kind, keys in KEYS.items() for key in keys]
ACTS = ["save", "ask", "ask", "ask", "submit", "approve", "approve", "approve", "release", "release", "reject", "roll back", "recall"]


class Approvals(RuleBasedStateMachine):
    """Drives the doors and keeps its own simple books: who wrote which body, what is released, what was vouched for."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = transaction.atomic()
        self.scope.__enter__()
        AUDIENCE["everyone"] = 100
        self.office = staff(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.wrote: dict[tuple[str, str, str], set[int]] = {}  # (kind, key, sha256): the people who saved that body
        self.in_force: dict[tuple[str, str], dict[str, Any]] = {}
        self.numbers: dict[tuple[str, str], int] = {}
        self.vouched: set[tuple[str, str]] = set()  # (name, bill hash) of every approval that was right when it was given
        self.drafts: dict[tuple[str, str], str] = {}  # the sha256 of each latest revision
        self.recalled: set[tuple[str, str, int]] = set()
        self.moved = True
        self.was_in_force: dict[tuple[str, str], set[int]] = {}

    def teardown(self) -> None:
        try:
            assert verify(self.office.workspace_id).fault == ""
        finally:
            transaction.set_rollback(True)
            self.scope.__exit__(None, None, None)

    def attempt(self, act: Any) -> Any:
        """The outcome, or None where the door said no: with words."""
        try:
            return act()
        except DoorError as error:
            assert error.reason
            return None

    def actor(self, name: str) -> Actor:
        return self.office.people[name]

    @rule(
        what=st.sampled_from(ACTS),
        writer=st.sampled_from(WRITERS),
        decider=st.sampled_from(DECIDERS),
        where=st.sampled_from(DOCUMENTS),
        text=st.sampled_from("ab"),
        uses=st.lists(st.sampled_from("abc"), unique=True, max_size=2),
        message_class=st.sampled_from(["promotional", "promotional", "service"]),
        number=st.integers(1, 4),
    )
    def somebody_acts(
        self, what: str, writer: str, decider: str, where: tuple[str, str], text: str, uses: list[str], message_class: str, number: int
    ) -> None:
        """One rule with a weighted choice: separate rules would be switched off at random, and these need each other."""
        self.moved = what not in ("save", "ask", "submit")
        {
            "save": lambda: self.save(writer, where, text, uses, message_class),
            "ask": lambda: self.ask(writer, where, text, message_class),
            "submit": lambda: self.submit(writer, where),
            "approve": lambda: self.decide(decider, number, "approve"),
            "reject": lambda: self.decide(decider, number, "reject"),
            "release": lambda: self.release(decider, number),
            "roll back": lambda: self.roll_back(decider, where, number),
            "recall": lambda: self.recall(decider, where, number),
        }[what]()

    @initialize()
    def begin(self) -> None:
        for _, key in DOCUMENTS[:3]:
            self.save("ada", ("page", key), "first", [], "promotional")
        self.save("ada", ("plan", "spring"), "a", [], "")

    def save(self, name: str, where: tuple[str, str], text: str, uses: list[str], message_class: str) -> None:
        kind, key = where
        body = {"text": text, "uses": uses, "message_class": message_class} if kind == "page" else {"page": text}
        before = self.office.latest(kind, key)
        row = self.attempt(lambda: self.office.save(self.actor(name), kind, key, **body))
        if row is not None:
            self.drafts[where] = row.sha256
        if row is not None and row.number != before:
            self.wrote.setdefault((kind, key, row.sha256), set()).add(self.actor(name).user_id or 0)

    def ask(self, name: str, where: tuple[str, str], text: str, message_class: str) -> None:
        self.save(name, where, text, [], message_class)
        self.submit(name, where)

    def submit(self, name: str, where: tuple[str, str]) -> None:
        self.attempt(lambda: self.office.submit(self.actor(name), *where))

    def decide(self, name: str, place: int, verdict: Any) -> None:
        waiting = self.waiting("open")
        if not waiting:
            return
        submission = waiting[place % len(waiting)]
        who, root = self.actor(name).user_id or 0, (submission.document.kind, submission.document.key)
        done = self.attempt(lambda: self.office.decide(self.actor(name), submission, verdict))
        for item in done.bill if done else ():
            ref = (item["kind"], item["key"])
            assert self.drafts[ref] == item["sha256"], f"{name} decided on an older {ref}"
            own = who in self.wrote[*ref, item["sha256"]]
            fresh = sha256(self.in_force.get(ref)) != item["sha256"]
            assert not (own and (fresh or ref == root)), f"{name} decided on their own {ref}"
        if done and verdict == "approve":
            self.vouched.add((name, done.bill_hash))

    def release(self, name: str, place: int) -> None:
        waiting = self.waiting("approved")
        if not waiting:
            return
        approved = waiting[place % len(waiting)]
        overtaken = {item["key"] for item in approved.bill if self.overtaken(item)}
        if self.attempt(lambda: self.office.release(self.actor(name), approved)) is None:
            return
        assert not self.recalled & {(item["kind"], item["key"], item["number"]) for item in approved.bill}
        assert not overtaken, f"{overtaken} were taken back unseen"
        votes = [decision for decision in approved.decisions.all() if decision.verdict == "approve"]
        assert votes and all(decision.bill_hash == approved.bill_hash for decision in votes)
        for item in approved.bill:
            self.move(item["kind"], item["key"], item["number"])

    def waiting(self, state: str) -> list[governance.Submission]:
        rows = governance.Submission.objects.filter(workspace_id=self.office.workspace_id, state=state)
        return list(rows.select_related("document").order_by("pk"))

    def overtaken(self, item: dict[str, Any]) -> bool:
        """True if something else is in force than when this was submitted, and than what it would put in force."""
        number = self.numbers.get((item["kind"], item["key"]))
        return number not in (item["released_number"], item["number"])

    def roll_back(self, name: str, where: tuple[str, str], number: int) -> None:
        act = lambda: governance.roll_back(self.actor(name), *where, number=number, reason="so", now=self.office.now())  # noqa: E731
        if self.attempt(act) is not None:
            assert number in self.was_in_force[where]
            self.move(*where, number)

    def recall(self, name: str, where: tuple[str, str], number: int) -> None:
        act = lambda: governance.recall(self.actor(name), *where, number=number, reason="so", now=self.office.now())  # noqa: E731
        row = self.attempt(act)
        if row is not None:
            self.recalled.add((*where, number))
        if row is not None and self.numbers.get(where) == number:
            del self.in_force[where], self.numbers[where]

    def move(self, kind: str, key: str, number: int) -> None:
        self.in_force[kind, key] = governance.revision(self.office.workspace_id, kind, key, number).body
        self.numbers[kind, key] = number
        self.was_in_force.setdefault((kind, key), set()).add(number)

    def released(self, where: tuple[str, str]) -> governance.RevisionView | None:
        try:
            return governance.released(self.office.workspace_id, *where)
        except Missing:
            return None

    @invariant()
    def what_is_in_force_is_what_was_put_there(self) -> None:
        for where in DOCUMENTS:
            view = self.released(where)
            assert (view.body if view else None) == self.in_force.get(where)
            assert view is None or view.recalled_at is None

    @invariant()
    def what_would_launch_was_vouched_for_by_others(self) -> None:
        for where in self.in_force if self.moved else ():  # saving and asking put nothing in force
            try:
                approval = self.office.approval(*where)
            except Refused as refused:
                assert refused.findings or "approvals" in refused.reason
                continue
            below = sorted([item.kind, item.key, sha256(self.in_force[item.kind, item.key])] for item in approval.bill.items)
            assert approval.bill_hash == sha256(below)
            assert approval.deciders
            assert {(name, approval.bill_hash) for name in approval.deciders} <= self.vouched


@pytest.mark.django_db
def test_nobody_vouches_for_their_own_words_and_only_the_approved_is_in_force() -> None:
    limits = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Approvals, settings=limits)
