"""Whoever is merged, named, told of and forgotten in whatever order: every id leads to one person, who has all that was theirs."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audience import door as audience
from audience.models import Event, ListMember, Profile, Subscription
from governance.door import Conflict, Missing
from tests import factories

EXAMPLES, STEPS = int(os.environ.get("OMNI_LAW_EXAMPLES", "6")), int(os.environ.get("OMNI_LAW_STEPS", "15"))
NAMES, CHANNELS, ATTRIBUTES = ["a", "b", "c", "d"], ["email", "sms"], ["x", "y"]
STRICT = {"unsubscribed": 0, "subscribed": 1}
some_name, some_names = st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), min_size=1)


@dataclass(eq=False)
class Somebody:
    """A person as the law's own books have them. own: their own external id."""

    own: str
    attributes: dict[str, Any] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    consents: dict[str, str] = field(default_factory=dict)
    listed: bool = False


class Merges(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.scope = transaction.atomic()
        self.scope.__enter__()
        self.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.cleo = factories.person("cleo", now=self.at)
        self.home = self.cleo.workspace_id
        for name in ATTRIBUTES:
            factories.in_force("attribute", name, factories.attribute(title=name, type="number"), now=self.at)
        self.who: dict[str, Somebody] = {}
        self.told = 0

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            transaction.set_rollback(True)
            self.scope.__exit__(None, None, None)

    @rule(rows=st.lists(st.tuples(some_name, st.sampled_from(ATTRIBUTES), st.integers(0, 3)), min_size=1, max_size=4), many=st.booleans())
    def told_of(self, rows: list[tuple[str, str, int]], many: bool) -> None:
        """In one chunk, the later over the earlier, under whichever ids. many: by the way of large imports."""
        crowd = [audience.ProfileRow(f"crowd-{n}") for n in range(25 * many)]
        given = [audience.ProfileRow(name, attributes={attribute: value}) for name, attribute, value in rows]
        outcome = audience.upsert(self.home, [*crowd, *given], source="law", now=self.at)
        assert outcome.taken == len(crowd) + len(given)
        for name, attribute, value in rows:
            self.who.setdefault(name, Somebody(name)).attributes[attribute] = value

    @rule(names=some_names, event=st.sampled_from(["looked", "bought"]))
    def happened(self, names: list[str], event: str) -> None:
        new = [audience.NewEvent(f"e{self.told + n}", event, name, self.at) for n, name in enumerate(names)]
        self.told += len(names)
        known = [name for name in names if name in self.who]
        assert audience.record(self.home, new, now=self.at).accepted == len(known)
        for name in known:
            self.who[name].events[event] += 1

    @rule(name=some_name, channel=st.sampled_from(CHANNELS), state=st.sampled_from(list(STRICT)))
    def said(self, name: str, channel: str, state: Any) -> None:
        """By the number that this id had of its own, as a link in an old message says it."""
        self.at += timedelta(seconds=1)
        number = Profile.objects.filter(external_id=name).values_list("pk", flat=True).first()
        news = audience.set_consent(
            self.home, [number or 0], channel=channel, topic="offers", state=state, source="form", wording=f"{self.at}", now=self.at
        )
        assert news == (name in self.who)
        if name in self.who:
            self.who[name].consents[channel] = state

    @rule(name=some_name)
    def put_on_a_list(self, name: str) -> None:
        audience.change_list(self.cleo, "fair", [name], by="external_id", mode="add", now=self.at)
        if name in self.who:
            self.who[name].listed = True

    @rule(stays=some_name, goes=some_name)
    def merged(self, stays: str, goes: str) -> None:
        one, other = self.who.get(stays), self.who.get(goes)
        self.at += timedelta(seconds=1)
        try:
            done = audience.merge(self.cleo, stays, goes, now=self.at)
        except Missing:
            assert one is None
            return
        except Conflict:
            assert other not in (None, one) and other.own != goes  # type: ignore[union-attr]
            return
        assert one is not None
        assert (done is not None) == (other not in (None, one))
        if other is None:
            self.who[goes] = one
        elif other is not one:
            one.attributes = other.attributes | one.attributes
            one.events += other.events
            one.listed |= other.listed
            for channel, state in other.consents.items():
                one.consents[channel] = min(state, one.consents.get(channel, state), key=STRICT.__getitem__)
            self.who = {name: one if who is other else who for name, who in self.who.items()}

    @rule(name=some_name)
    def forgotten(self, name: str) -> None:
        gone = self.who.get(name)
        try:
            audience.erase(self.cleo, name, now=self.at)
        except Missing:
            assert gone is None
            return
        self.who = {name: who for name, who in self.who.items() if who is not gone}

    @rule()
    def looked_after(self) -> None:
        audience.gather_stragglers(now=self.at)
        audience.forget_stragglers(now=self.at)

    @invariant()
    def every_id_leads_to_one_person_who_has_all_that_is_theirs(self) -> None:
        if not hasattr(self, "who"):
            return
        found = audience.ids_of(self.home, NAMES)
        assert set(found) == set(self.who)
        by_number: dict[int, Somebody] = {}
        for name, number in found.items():
            assert by_number.setdefault(number, self.who[name]) is self.who[name], "two people of the books are one"
        assert len(by_number) == len(set(map(id, self.who.values()))), "one person of the books is two"
        for person in audience.load(self.home, list(by_number)):
            who = by_number[person.id]
            assert (person.external_id, person.attributes) == (who.own, who.attributes)
            assert Counter(Event.objects.filter(profile_id=person.id).values_list("name", flat=True)) == who.events
            assert {each.channel: each.state for each in audience.consents(self.home, person.id)} == who.consents
            assert ListMember.objects.filter(profile_id=person.id).exists() == who.listed
        assert not Event.objects.exclude(profile_id__in=by_number).exists()
        assert not Subscription.objects.exclude(profile_id__in=by_number).exists()
        assert not ListMember.objects.exclude(profile_id__in=by_number).exists()
        crowd = Profile.objects.filter(gone_at=None, external_id__startswith="crowd-").count()
        assert audience.everyone(self.home) == len(by_number) + crowd


@pytest.mark.django_db
def test_every_id_leads_to_one_person_whatever_happens() -> None:
    run_state_machine_as_test(
        Merges,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)),
    )
