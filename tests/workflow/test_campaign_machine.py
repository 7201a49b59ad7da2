"""Whatever people do to a campaign in whatever order: what goes out was in force, approved and not recalled when it was launched, once to
each, never while it is held, and every act is allowed or refused as its state and the actor's role say.

`OMNI_LAW_EXAMPLES=500 OMNI_LAW_STEPS=50` draws more and longer stories.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audience import door as audience
from delivery import door as delivery
from delivery.models import OutboxMail
from governance import door as governance
from governance.audit import verify
from governance.door import DoorError, Missing
from tests import factories as make
from workflow import pipeline
from workflow.models import Run

EXAMPLES, STEPS = int(os.environ.get("OMNI_LAW_EXAMPLES", "8")), int(os.environ.get("OMNI_LAW_STEPS", "25"))
BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PEOPLE, KEY = 12, "spring-sale"
ACTORS = ["ben", "ben", "ben", "ada", "vera"]  # approver, author, viewer
HELD = {"running", "paused", "halted"}
ACTS = ["work"] * 6 + ["launch"] * 4 + ["edit", "release", "pause", "resume", "resume", "stop", "switch", "recall", "roll back"]
ACTS += ["edit and release"] * 3 + ["opt out", "opt in"]
DOCUMENTS = ["template", "campaign"]


@dataclass
class Launched:
    """What was true of one run at its launch. frozen: how many of its mails had left when it was held, None while it isn't."""

    dispatch: int
    subject: str
    pins: set[tuple[str, int]]
    frozen: int | None = None
    recalled: bool = False


class Campaigns(RuleBasedStateMachine):
    """Drives the doors of governance, workflow and delivery, with books of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = transaction.atomic()
        self.scope._from_testcase = True  # type: ignore[attr-defined]  # an example is a test: admit may be durable inside it
        self.scope.__enter__()
        self.now, self.edits, self.switched, self.vendors = BEGAN, 0, False, delivery.Connections()
        self.runs: list[Launched] = []
        self.left: dict[str, int] = {}  # address -> how many mails it had when its owner opted out

    @initialize()
    def begin(self) -> None:
        governance.bump(make.workspace().pk)
        self.people = {
            make.profile(now=self.now, external_id=f"p{n}", email=f"p{n}@example.com"): f"p{n}@example.com" for n in range(PEOPLE)
        }
        make.spring_sale(now=self.now, batch_size=2)

    # ── what people do ────────────────────────────────────────────────────────────────────────────────────────────

    @rule(
        what=st.sampled_from(ACTS),
        name=st.sampled_from(ACTORS),
        kind=st.sampled_from(DOCUMENTS),
        place=st.integers(0, 5),
        right=st.sampled_from([True, True, True, False]),
    )
    def somebody_acts(self, what: str, name: str, kind: str, place: int, right: bool) -> None:
        """One rule with a weighted choice: separate rules would be switched off at random, and these need each other."""
        self.now += timedelta(minutes=1)
        {
            "edit": lambda: self.edit(kind, place),
            "release": lambda: self.release(kind),
            "recall": lambda: self.recall(name, kind, place),
            "roll back": lambda: self.roll_back(name, kind, place),
            "launch": lambda: self.launch(name, right),
            "pause": lambda: self.control(delivery.pause, name, place, {"running"}, {"ada", "ben"}),
            "resume": lambda: self.control(delivery.resume, name, place, {"paused", "halted"}, {"ben"}),
            "stop": lambda: self.control(delivery.stop, name, place, HELD, {"ada", "ben"}),
            "switch": lambda: self.switch(name, not self.switched if right else self.switched),
            "edit and release": lambda: (self.edit(kind, place), self.release(kind)),
            "work": lambda: self.work(1 + place // 3),
            "opt out": lambda: self.opt_out(place),
            "opt in": lambda: self.opt_in(place),
        }[what]()

    def work(self, pieces: int) -> None:
        """So many pieces of work, by a worker that then looks at the waves."""
        self.now += timedelta(minutes=1)
        for _ in range(pieces):
            work = delivery.lease(lanes=("transactional", "promotional"), worker="w", now=self.now)
            if work is None:
                break
            pipeline.send_batch(work, vendors=self.vendors, clock=lambda: self.now)
        delivery.housekeeping(self.now)

    def opt_out(self, place: int) -> None:
        person, address = list(self.people.items())[place]
        audience.set_consent(self.home, [person], channel="email", topic="offers", state="unsubscribed", source="law", now=self.now)
        self.left.setdefault(address, OutboxMail.objects.filter(recipient=address).count())

    def opt_in(self, place: int) -> None:
        person, address = list(self.people.items())[place]
        audience.set_consent(self.home, [person], channel="email", topic="offers", state="subscribed", source="law", now=self.now)
        self.left.pop(address, None)

    def edit(self, kind: str, place: int) -> None:
        self.edits += 1
        if kind == "template":
            make.put("template", "offer", make.template(locales={"en": make.letter(subject=f"Offer {self.edits}")}), now=self.now)
        else:
            ramp = ([], [0.25, 1.0], [0.5, 1.0])[place % 3]
            body = make.campaign(title=f"Sale {self.edits}", batch_size=1 + place // 3, ramp=ramp, soak_minutes=place % 2)
            make.put("campaign", KEY, body, now=self.now)

    def release(self, kind: str) -> None:
        """By its author and somebody else; refused where nothing is new."""
        self.attempt(lambda: make.release(kind, self.key_of(kind), now=self.now))

    def recall(self, name: str, kind: str, place: int) -> None:
        actor, key = make.person(name, now=self.now), self.key_of(kind)
        known = {number for run in self.runs[-2:] for pinned, number in run.pins if pinned == kind}
        number = [1 + place, *sorted(known)][place % (len(known) + 1)]
        if self.attempt(lambda: governance.recall(actor, kind, key, number=number, reason="wrong", now=self.now)):
            assert name == "ben"
            for run in self.runs:
                if (kind, number) in run.pins:
                    run.recalled = True
                    self.freeze(run)

    def roll_back(self, name: str, kind: str, place: int) -> None:
        actor, key = make.person(name, now=self.now), self.key_of(kind)
        if self.attempt(lambda: governance.roll_back(actor, kind, key, number=1 + place, reason="so", now=self.now)):
            assert name == "ben"

    def launch(self, name: str, right: bool) -> None:
        ahead = self.attempt(lambda: pipeline.preview(self.home, KEY, now=self.now))
        before = Run.objects.count()
        typed = (ahead.count if ahead else 0) + (0 if right else 1)
        run = self.attempt(lambda: pipeline.launch(make.person(name, now=self.now), KEY, now=self.now, typed_count=typed))
        allowed = name == "ben" and right and ahead is not None and not ahead.errors
        assert (run is not None) == allowed, f"launched by {name}: {run is not None}, with {ahead and ahead.errors}"
        assert Run.objects.count() == before + (run is not None)
        if run is None:
            return
        campaign, template = self.released("campaign"), self.released("template")
        assert campaign is not None and template is not None and not self.switched
        assert campaign.recalled_at is None and template.recalled_at is None
        assert run.campaign_revision_id == campaign.id
        pins = {("campaign", campaign.number), ("template", template.number)}
        self.runs.append(Launched(run.dispatch_id, template.body["locales"]["en"]["subject"], pins))

    def control(self, act: Any, name: str, place: int, states: set[str], names: set[str]) -> None:
        if not self.runs:
            return
        run = self.runs[place % len(self.runs)]
        allowed = name in names and self.state(run) in states
        done = self.attempt(lambda: act(make.person(name, now=self.now), run.dispatch, now=self.now) is None)
        assert bool(done) == allowed, f"{act.__name__} by {name}"
        if done and act is delivery.resume and not run.recalled and not self.switched:
            run.frozen = None
        elif done and act is not delivery.resume:
            self.freeze(run)

    def switch(self, name: str, on: bool) -> None:
        actor = make.person(name, now=self.now)
        done = self.attempt(lambda: delivery.kill(actor, "campaign", KEY, on, reason="drill", now=self.now) is None)
        assert bool(done) == (name == "ben" or (on and name == "ada"))
        if not done:
            return
        self.switched = on
        for run in self.runs:
            if on:
                self.freeze(run)
            elif not run.recalled and self.state(run) == "running":
                run.frozen = None

    # ── what always holds ─────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def what_is_held_stays_held(self) -> None:
        for run in self.runs:
            assert run.frozen is None or self.had(run) == run.frozen, f"{self.state(run)}, recalled: {run.recalled}"

    @invariant()
    def nobody_gets_it_twice_or_after_leaving_and_it_says_what_was_launched(self) -> None:
        mails = list(OutboxMail.objects.values_list("recipient", "dispatch_id", "subject"))
        assert max(Counter(recipient for recipient, _, _ in mails).values(), default=0) <= 1
        words = {run.dispatch: run.subject for run in self.runs}
        assert all(subject == words[dispatch].replace("{{ first_name }}", "friend") for _, dispatch, subject in mails if dispatch)
        had = Counter(recipient for recipient, _, _ in mails)
        assert all(had[address] == before for address, before in self.left.items())

    @invariant()
    def everybody_considered_is_somewhere(self) -> None:
        for run in self.runs:
            view = delivery.facts(self.home, run.dispatch)
            assert sum(view.counts.values()) == view.considered, view.counts
            assert view.counts.get("sent", 0) == self.had(run)

    def teardown(self) -> None:
        try:
            if hasattr(self, "people"):
                self.let_everything_end()
                assert verify(self.home).fault == ""
        finally:
            self.vendors.close()
            transaction.set_rollback(True)
            self.scope.__exit__(None, None, None)

    def let_everything_end(self) -> None:
        """What nobody holds any more is sent to its end."""
        ben = make.person("ben", now=self.now)
        self.switch("ben", False)
        for run in self.runs:
            if self.state(run) in {"paused", "halted"}:
                delivery.resume(ben, run.dispatch, now=self.now)
                run.frozen = self.had(run) if run.recalled else None
        for _ in range(12):
            self.work(100)
        self.what_is_held_stays_held()
        self.nobody_gets_it_twice_or_after_leaving_and_it_says_what_was_launched()
        for run in self.runs:
            view = delivery.facts(self.home, run.dispatch)
            assert self.state(run) in {"done", "stopped"} and not view.counts.get("waiting"), (self.state(run), view.counts)

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def home(self) -> int:
        return make.workspace().pk

    def key_of(self, kind: str) -> str:
        return KEY if kind == "campaign" else "offer"

    def attempt(self, act: Any) -> Any:
        """The outcome, or None where the door said no: with words."""
        try:
            with transaction.atomic():
                return act()
        except DoorError as error:
            assert error.reason
            return None

    def released(self, kind: str) -> Any:
        try:
            return governance.released(self.home, kind, self.key_of(kind))
        except Missing:
            return None

    def state(self, run: Launched) -> str:
        return str(delivery.facts(self.home, run.dispatch).state)

    def had(self, run: Launched) -> int:
        return OutboxMail.objects.filter(dispatch_id=run.dispatch).count()

    def freeze(self, run: Launched) -> None:
        run.frozen = self.had(run)


@pytest.mark.django_db
def test_whatever_is_done_to_a_campaign_only_what_was_launched_goes_out_and_once() -> None:
    limits = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Campaigns, settings=limits)
