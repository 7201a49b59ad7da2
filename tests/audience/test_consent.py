"""Who agreed to hear about what: the state as it is now, and every statement that led to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pyroaring import BitMap64

from audience import door as audience
from audience.models import Subscription, SubscriptionEntry
from governance import door as governance
from governance.door import Actor, Invalid

PEOPLE = ["ann", "ben", "cid", "dan"]
INSTANT = timedelta(microseconds=1)
ABOUT = {"channel": "email", "topic": "offers"}
OFFERS = {"channel": "email", "topic": "offers", "message_class": "promotional"}


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
        asked = {"channel": "email", "topic": topic, "message_class": message_class}
        allowed = audience.consenting(workspace_id, list(ids.values()), **asked, now=now)
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
    assert audience.consenting(workspace_id, ann, **OFFERS, now=now) == set()
    say(workspace_id, ann, "subscribed", now, topic="*")
    assert audience.consenting(workspace_id, ann, **OFFERS, now=now) == set(ann)


def test_channels_are_apart(workspace_id: int, ids: dict[str, int], now: datetime) -> None:
    say(workspace_id, [ids["ann"]], "unsubscribed", now, channel="sms", topic="*")
    say(workspace_id, [ids["ann"]], "subscribed", now)
    assert audience.consenting(workspace_id, [ids["ann"]], **OFFERS, now=now) == {ids["ann"]}


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
    with django_assert_max_num_queries(10):
        assert say(workspace_id, people, "subscribed", now) == 6_000
    with django_assert_max_num_queries(1):
        assert len(audience.consenting(workspace_id, people, **OFFERS, now=now)) == 6_000
    assert SubscriptionEntry.objects.count() == 6_000


def test_an_agreement_ends_at_its_moment_unless_it_is_renewed(workspace_id: int, ids: dict[str, int], now: datetime) -> None:
    ann, year = [ids["ann"]], timedelta(days=365)
    terms: dict[str, Any] = {"basis": "consent", "expires_at": now + year, "wording": "offers, version 3"}
    assert audience.set_consent(workspace_id, ann, **ABOUT, state="subscribed", source="form", **terms, now=now) == 1
    assert audience.set_consent(workspace_id, ann, **ABOUT, state="subscribed", source="form", **terms, now=now) == 0, "the same again"
    told = {when: audience.consenting(workspace_id, ann, **OFFERS, now=now + when) for when in (timedelta(), year - INSTANT, year)}
    assert list(told.values()) == [set(ann), set(ann), set()]
    assert set(audience.unwilling(workspace_id, BitMap64(ann), **OFFERS, now=now + year)) == set(ann)
    service = OFFERS | {"message_class": "service"}
    assert audience.consenting(workspace_id, ann, **service, now=now + year) == set(ann), "nobody refused"
    assert audience.set_consent(
        workspace_id, ann, **ABOUT, state="subscribed", source="form", **terms | {"expires_at": now + 2 * year}, now=now + year
    )
    assert audience.consenting(workspace_id, ann, **OFFERS, now=now + year) == set(ann)
    assert [(each.basis, each.expires_at) for each in audience.proof(workspace_id, ids["ann"])][:2] == [
        ("consent", now + 2 * year),
        ("consent", now + year),
    ]


def test_a_rule_asks_whether_it_still_holds(workspace_id: int, ids: dict[str, int], now: datetime) -> None:
    week = timedelta(days=7)
    audience.set_consent(workspace_id, [ids["ann"]], **ABOUT, state="subscribed", source="form", expires_at=now + week, now=now)
    rule = {"consent": ABOUT}
    assert ids["ann"] in audience.matching(workspace_id, rule, [ids["ann"]], as_of=now)
    assert ids["ann"] not in audience.matching(workspace_id, rule, [ids["ann"]], as_of=now + week)


def test_a_refusal_has_neither_a_basis_nor_an_end(workspace_id: int, ids: dict[str, int], now: datetime) -> None:
    said = {"basis": "existing_customer", "expires_at": now + timedelta(days=1)}
    audience.set_consent(workspace_id, [ids["ann"]], **ABOUT, state="unsubscribed", source="form", **said, now=now)
    (last, *_) = audience.proof(workspace_id, ids["ann"])
    assert (last.basis, last.expires_at) == ("", None)


@pytest.mark.parametrize(("terms", "path"), [({"basis": "because"}, "/basis"), ({"expires_at": datetime(2027, 1, 1)}, "/expires_at")])
def test_terms_that_mean_nothing_are_refused(
    workspace_id: int, ids: dict[str, int], now: datetime, terms: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        audience.set_consent(workspace_id, [ids["ann"]], **ABOUT, state="subscribed", source="form", **terms, now=now)
    assert [finding.path for finding in refused.value.findings] == [path]
