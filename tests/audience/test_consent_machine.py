"""Whatever people say in whatever order, and whoever says it for them: what counts is what stands, and every word of it is kept.

`OMNI_LAW_EXAMPLES=500 OMNI_LAW_STEPS=50` draws more and longer stories.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audience import door as audience
from governance import door as governance
from tests import factories

EXAMPLES, STEPS = int(os.environ.get("OMNI_LAW_EXAMPLES", "6")), int(os.environ.get("OMNI_LAW_STEPS", "12"))
NAMES, CHANNELS, TOPICS = ["ann", "ben", "cid"], ["email", "sms"], ["offers", "news"]
SOURCES, WORDINGS = ["form", "link", "file"], ["", "Yes, send me offers."]
State = Literal["subscribed", "unsubscribed"]
Said = tuple[str, str, str, str, str, datetime]  # channel, topic, state, source, wording, at
some_people = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)


class Consents(RuleBasedStateMachine):
    """Drives the door and keeps its own simple books: for each person what they said, in order, and what stands."""

    @initialize()
    def begin(self) -> None:
        self.scope = transaction.atomic()
        self.scope.__enter__()
        self.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.cleo = factories.person("cleo", now=self.at)
        self.home = self.cleo.workspace_id
        self.elsewhere = governance.create_workspace("elsewhere", "Elsewhere").pk
        audience.upsert(self.home, [audience.ProfileRow(name) for name in NAMES], source="law", now=self.at)
        self.ids = audience.ids_of(self.home, NAMES)
        self.said: dict[str, list[Said]] = {name: [] for name in NAMES}
        self.stands: dict[tuple[str, str, str], Said] = {}
        self.forgotten: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            transaction.set_rollback(True)
            self.scope.__exit__(None, None, None)

    @rule(
        who=some_people,
        channel=st.sampled_from(CHANNELS),
        topic=st.sampled_from([*TOPICS, "*"]),
        state=st.sampled_from(["subscribed", "unsubscribed"]),
        source=st.sampled_from(SOURCES),
        wording=st.sampled_from(WORDINGS),
        keep=st.booleans(),
    )
    def say(self, who: list[str], channel: str, topic: str, state: State, source: str, wording: str, keep: bool) -> None:
        self.at += timedelta(seconds=1)
        news = 0
        for name in set(who) - self.forgotten:
            held = self.stands.get((name, channel, topic))
            again = held is not None and held[2:5] == (state, source, wording)
            refused = keep and held is not None and held[2] == "unsubscribed" and state == "subscribed" and held[3] != source
            if not again and not refused:
                news += 1
                self.stands[name, channel, topic] = (channel, topic, state, source, wording, self.at)
                self.said[name].append(self.stands[name, channel, topic])
        given = {"channel": channel, "topic": topic, "source": source, "wording": wording, "keep_refusals": keep}
        people = [self.ids[name] for name in who]
        assert audience.set_consent(self.home, people, state=state, now=self.at, **given) == news  # type: ignore[arg-type]

    @rule(who=some_people, state=st.sampled_from(["subscribed", "unsubscribed"]))
    def somebody_of_another_workspace_says(self, who: list[str], state: State) -> None:
        people = [self.ids[name] for name in who]
        assert audience.set_consent(self.elsewhere, people, channel="email", topic="*", state=state, source="form", now=self.at) == 0

    @rule(name=st.sampled_from(NAMES))
    def forget(self, name: str) -> None:
        if name not in self.forgotten and len(self.forgotten) < 2:
            audience.erase(self.cleo, name, now=self.at)
            self.forgotten.add(name)
            self.said[name] = []
            self.stands = {key: said for key, said in self.stands.items() if key[0] != name}

    def word(self, name: str, channel: str, topic: str) -> str:
        said = self.stands.get((name, channel, topic))
        return said[2] if said else ""

    @invariant()
    def only_who_may_be_written_to_is_written_to(self) -> None:
        for channel in CHANNELS:
            for topic in TOPICS:
                words = {name: (self.word(name, channel, topic), self.word(name, channel, "*")) for name in NAMES}
                willing = {name for name, (about, whole) in words.items() if about == "subscribed" and whole != "unsubscribed"}
                unrefused = {name for name, said in words.items() if "unsubscribed" not in said}
                assert self.may(channel, topic, "promotional") == willing
                assert self.may(channel, topic, "service") == unrefused
        assert self.may("email", "offers", "transactional") == set(NAMES)

    def may(self, channel: str, topic: str, message_class: str) -> set[str]:
        allowed = audience.consenting(
            self.home, list(self.ids.values()), channel=channel, topic=topic, message_class=message_class, now=timezone.now()
        )
        return {name for name, number in self.ids.items() if number in allowed}

    @invariant()
    def every_word_is_kept_in_order(self) -> None:
        for name, number in self.ids.items():
            kept = [(one.channel, one.topic, one.state, one.source, one.wording, one.at) for one in audience.proof(self.home, number)]
            assert kept == self.said[name][::-1]
            now = {(one.channel, one.topic): one.state for one in audience.consents(self.home, number)}
            assert now == {key[1:]: said[2] for key, said in self.stands.items() if key[0] == name}


@pytest.mark.django_db
def test_what_stands_is_what_was_said_last_and_every_word_is_kept() -> None:
    limits = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Consents, settings=limits)
