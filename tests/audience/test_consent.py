"""Who agreed to hear about what: the state as it is now, and every statement that led to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from audience import door as audience
from audience.models import Subscription, SubscriptionEntry
from governance import door as governance
from governance.door import Actor, Invalid

PEOPLE = ["ann", "ben", "cid", "dan"]


@pytest.fixture
def ids(workspace_id: int, now: datetime) -> dict[str, int]:
    audience.upsert(workspace_id, [audience.ProfileRow(name) for name in PEOPLE], source="test", now=now)
    return audience.ids_of(workspace_id, PEOPLE)


def say(workspace_id: int, who: list[int], state: str, now: datetime, **said: Any) -> int:
    given = {"channel": "email", "topic": "offers", "source": "form", **said}
    return audience.set_consent(workspace_id, who, state=state, now=now, **given)  # type: ignore[arg-type]


def test_a_promotional_message_needs_a_yes_and_no_refusal_of_the_channel(workspace_id: int, ids: dict[str, int], now: datetime) -> None:
    say(workspace_id, [ids["ann"], ids["ben"]], "subscribed", now)
    say(workspace_id, [ids["ben"]], "unsubscribed", now, topic="*")
    say(workspace_id, [ids["cid"]], "unsubscribed", now)

    def may(message_class: str, topic: str = "offers") -> set[str]:
        allowed = audience.consenting(workspace_id, list(ids.values()), channel="email", topic=topic, message_class=message_class)
        return {name for name, number in ids.items() if number in allowed}

    assert may("promotional") == {"ann"}
    assert may("service") == {"ann", "dan"}
    assert may("transactional") == set(PEOPLE)
    assert may("promotional", "news") == set()
    assert may("service", "news") == {"ann", "cid", "dan"}


def test_a_refused_channel_stays_refused_until_it_is_lifted_itself(workspace_id: int, ids: dict[str, int], now: datetime) -> None:
    ann = [ids["ann"]]
    say(workspace_id, ann, "unsubscribed", now, topic="*")
    say(workspace_id, ann, "subscribed", now)
    assert audience.consenting(workspace_id, ann, channel="email", topic="offers", message_class="promotional") == set()
    say(workspace_id, ann, "subscribed", now, topic="*")
    assert audience.consenting(workspace_id, ann, channel="email", topic="offers", message_class="promotional") == set(ann)


def test_channels_are_apart(workspace_id: int, ids: dict[str, int], now: datetime) -> None:
    say(workspace_id, [ids["ann"]], "unsubscribed", now, channel="sms", topic="*")
    say(workspace_id, [ids["ann"]], "subscribed", now)
    assert audience.consenting(workspace_id, [ids["ann"]], channel="email", topic="offers", message_class="promotional") == {ids["ann"]}


def test_every_statement_is_kept_and_a_repeat_is_none(workspace_id: int, ids: dict[str, int], now: datetime) -> None:
    ann = ids["ann"]
    later = now + timedelta(days=1)
    assert say(workspace_id, [ann], "subscribed", now, wording="Yes, send me offers.") == 1
    assert say(workspace_id, [ann], "subscribed", later, wording="Yes, send me offers.") == 0
    assert say(workspace_id, [ann], "unsubscribed", later, source="link") == 1
    said = audience.proof(workspace_id, ann)
    assert [(one.state, one.source, one.wording, one.at) for one in said] == [
        ("unsubscribed", "link", "", later),
        ("subscribed", "form", "Yes, send me offers.", now),
    ]
    assert [one.state for one in audience.consents(workspace_id, ann)] == ["unsubscribed"]


def test_people_of_other_workspaces_and_the_forgotten_are_not_touched(ada: Actor, ids: dict[str, int], now: datetime) -> None:
    other = governance.create_workspace("other", "Other").pk
    audience.erase(ada, "ann", now=now)
    assert say(other, list(ids.values()), "subscribed", now) == 0
    assert say(ada.workspace_id, [ids["ann"], 2**40], "subscribed", now) == 0
    assert not Subscription.objects.exists() and not SubscriptionEntry.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"channel": "E-Mail"}, "/channel"),
        ({"topic": "Offers!"}, "/topic"),
        ({"source": ""}, "/source"),
        ({"wording": "x" * 201}, "/wording"),
    ],
)
def test_a_statement_that_could_not_be_proven_later_is_refused(
    workspace_id: int, ids: dict[str, int], now: datetime, wrong: dict[str, str], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        say(workspace_id, list(ids.values()), "subscribed", now, **wrong)
    assert [finding.path for finding in refused.value.findings] == [path]
    assert not Subscription.objects.exists()


def test_thousands_are_set_and_asked_in_few_statements(workspace_id: int, now: datetime, django_assert_max_num_queries: Any) -> None:
    audience.upsert(workspace_id, [audience.ProfileRow(f"u{n}") for n in range(6_000)], source="test", now=now)
    people = [person.id for person in audience.search(workspace_id, "u", limit=6_000)]
    with django_assert_max_num_queries(8):
        assert say(workspace_id, people, "subscribed", now) == 6_000
    with django_assert_max_num_queries(1):
        assert len(audience.consenting(workspace_id, people, channel="email", topic="offers", message_class="promotional")) == 6_000
    assert SubscriptionEntry.objects.count() == 6_000
