"""Whatever people say in whatever order, and whoever says it for them: what counts is what stands, and every word of it is kept.

`OMNI_LAW_EXAMPLES=500 OMNI_LAW_STEPS=50` draws more and longer stories.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pyroaring import BitMap64

from audience import door as audience
from governance import door as governance
from tests import factories

EXAMPLES, STEPS = int(os.environ.get("OMNI_LAW_EXAMPLES", "6")), int(os.environ.get("OMNI_LAW_STEPS", "12"))
NAMES, CHANNELS, TOPICS = ["ann", "ben", "cid"], ["email", "sms"], ["offers", "news"]
SOURCES, WORDINGS = ["form", "link", "file"], ["", "Yes, send me offers."]
State = Literal["subscribed", "unsubscribed"]
Said = tuple[str, str, str, str, str, datetime]  # channel, topic, state, source, wording, at
Key = tuple[str, str, str]  # name, channel, topic
TO_CONFIRM, LINK = ("email", "news"), timedelta(days=30)
PLEASE = {"subject": "Please", "blocks": [{"type": "text", "id": "ask", "text": "[Yes]({{ confirm_url }})"}]}
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
        self.still_refused: set[Key] = set()  # pending, of those whose refusal stands until they confirm
        template = factories.template(message_class="transactional", topic=None, variables={}, locales={"en": PLEASE})
        factories.put("template", "please", template, now=self.at)
        declared = {"title": "News", "channel": TO_CONFIRM[0], "topics": [TO_CONFIRM[1]], "confirm_with": "please"}
        factories.in_force("opt_in", "news", declared, now=self.at)

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
        confirmed=st.booleans(),
    )
    def say(self, who: list[str], channel: str, topic: str, state: State, source: str, wording: str, keep: bool, confirmed: bool) -> None:
        self.heard(who, channel, topic, state, source, wording, keep, confirmed)

    @rule(who=some_people, source=st.sampled_from(SOURCES), keep=st.booleans())
    def sign_up(self, who: list[str], source: str, keep: bool) -> None:
        self.heard(who, *TO_CONFIRM, "subscribed", source, "", keep, False)

    @rule(who=some_people, topic=st.sampled_from([TO_CONFIRM[1], "*"]))
    def leave(self, who: list[str], topic: str) -> None:
        self.heard(who, TO_CONFIRM[0], topic, "unsubscribed", "link", "", False, False)

    def heard(self, who: list[str], channel: str, topic: str, state: State, source: str, wording: str, keep: bool, confirmed: bool) -> None:
        self.at += timedelta(seconds=1)
        pending = (channel, topic) == TO_CONFIRM and state == "subscribed" and not confirmed
        news = 0
        for name in sorted(set(who) - self.forgotten, key=NAMES.index):
            key = (name, channel, topic)
            if self.is_news(key, "pending" if pending else state, source, wording, keep):
                news += 1
                refused = self.word(*key) == "unsubscribed"
                self.stand(key, "pending" if pending else state, source, wording)
                self.still_refused |= {key} if pending and refused else set()
            if state == "unsubscribed" and topic == "*":
                for other in [other for other, said in self.stands.items() if other[:2] == (name, channel) and said[2] == "pending"]:
                    self.stand(other, "unsubscribed", source, "")
        given = {"channel": channel, "topic": topic, "source": source, "wording": wording, "keep_refusals": keep, "confirmed": confirmed}
        people = [self.ids[name] for name in who]
        assert audience.set_consent(self.home, people, state=state, now=self.at, **given) == news  # type: ignore[arg-type]

    def is_news(self, key: Key, state: str, source: str, wording: str, keep: bool) -> bool:
        held = self.stands.get(key)
        if held is None:
            return True
        if keep and self.word(*key) == "unsubscribed" and state != "unsubscribed" and held[3] != source:
            return False  # a refusal that another source recorded
        other_words = held[3:5] != (source, wording)
        if state == "pending" and held[2] == "pending":
            return other_words or (not keep and held[5] <= self.at - timedelta(minutes=10))
        if state == "pending":
            return held[2] == "unsubscribed"
        return held[2] != state or other_words

    def stand(self, key: Key, state: str, source: str, wording: str) -> None:
        self.stands[key] = (key[1], key[2], state, source, wording, self.at)
        self.said[key[0]].append(self.stands[key])
        if state != "pending":
            self.still_refused.discard(key)

    @rule(span=st.sampled_from([timedelta(minutes=1), timedelta(minutes=10), timedelta(days=12)]))
    def time_passes(self, span: timedelta) -> None:
        self.at += span

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 5))
    def follow_a_link(self, name: str, which: int) -> None:
        """The person presses the button behind one of the links that they ever got."""
        asked = [
            (one.number, place) for place, one in enumerate(reversed(audience.proof(self.home, self.ids[name]))) if one.state == "pending"
        ]
        if not asked:
            return
        self.at += timedelta(seconds=1)
        number, place = asked[which % len(asked)]
        entry, key = self.said[name][place], (name, *TO_CONFIRM)
        later = [said for said in self.said[name][place + 1 :] if said[:2] == TO_CONFIRM and said[2] != "pending"]
        good = not later and self.at < entry[5] + LINK
        if good:
            whole = (name, TO_CONFIRM[0], "*")
            if whole in self.stands and self.stands[whole][2] == "unsubscribed":
                for other in sorted(other for other in self.stands if other[:2] == key[:2] and other not in (key, whole)):
                    if self.stands[other][2] == "subscribed":
                        self.stand(other, "unsubscribed", "double opt-in", "")
                self.stand(whole, "subscribed", "double opt-in", entry[4])
            self.stand(key, "subscribed", "double opt-in", entry[4])
        assert audience.confirm(number, now=self.at) == good
        assert not audience.confirm(number, now=self.at), "the same answer once more"

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
            self.still_refused = {key for key in self.still_refused if key[0] != name}

    def word(self, name: str, channel: str, topic: str) -> str:
        """What counts: of what is to be confirmed, what had been said before."""
        said = self.stands.get((name, channel, topic))
        if said is None or said[2] == "pending":
            return "unsubscribed" if (name, channel, topic) in self.still_refused else ""
        return said[2]

    @invariant()
    def only_who_may_be_written_to_is_written_to(self) -> None:
        for channel in CHANNELS:
            for topic in TOPICS:
                words = {name: (self.word(name, channel, topic), self.word(name, channel, "*")) for name in NAMES}
                willing = {name for name, (about, whole) in words.items() if about == "subscribed" and whole != "unsubscribed"}
                unrefused = {name for name, said in words.items() if "unsubscribed" not in said}
                assert self.may(channel, topic, "promotional") == willing
                assert self.may(channel, topic, "service") == unrefused
                everybody = BitMap64(self.ids.values())
                for message_class, may in (("promotional", willing), ("service", unrefused)):
                    about = {"channel": channel, "topic": topic, "message_class": message_class}
                    unwilling = audience.unwilling(self.home, everybody, **about, now=self.at)
                    assert {name for name, number in self.ids.items() if number not in unwilling} == may
                assert self.matching(channel, topic) == willing
        waiting = {
            key[0] for key, said in self.stands.items() if key[1:] == TO_CONFIRM and said[2] == "pending" and self.at < said[5] + LINK
        }
        assert self.matching(*TO_CONFIRM, state="pending") == waiting
        assert self.may("email", "offers", "transactional") == set(NAMES)

    def matching(self, channel: str, topic: str, **state: str) -> set[str]:
        """Whom a rule finds."""
        rule = audience.SegmentBody.model_validate(
            {"title": "Asked", "rule": {"consent": {"channel": channel, "topic": topic, **state}}}
        ).rule
        found = audience.matching(self.home, rule, list(self.ids.values()), as_of=self.at)
        return {name for name, number in self.ids.items() if number in found}

    def may(self, channel: str, topic: str, message_class: str) -> set[str]:
        allowed = audience.consenting(
            self.home, list(self.ids.values()), channel=channel, topic=topic, message_class=message_class, now=self.at
        )
        return {name for name, number in self.ids.items() if number in allowed}

    @invariant()
    def every_word_is_kept_in_order(self) -> None:
        for name, number in self.ids.items():
            kept = [(one.channel, one.topic, one.state, one.source, one.wording, one.at) for one in audience.proof(self.home, number)]
            assert kept == self.said[name][::-1]
            for one, before in zip(audience.proof(self.home, number), self.said[name][::-1], strict=True):
                [stood] = audience.stood(self.home, number, channel=one.channel, topic=one.topic, at=before[5])
                assert stood.topic is not None and stood.topic.at == before[5], "what stood then is what was said then"
            now = {(one.channel, one.topic): one.state for one in audience.consents(self.home, number)}
            assert now == {key[1:]: said[2] for key, said in self.stands.items() if key[0] == name}


@pytest.mark.django_db
def test_what_stands_is_what_was_said_last_and_every_word_is_kept() -> None:
    limits = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Consents, settings=limits)
