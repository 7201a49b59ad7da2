"""Events that another room keeps are counted like any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from audience import door as audience
from audience import sources
from audience.door import EventSource, Having, SegmentBody
from audience.models import SubscriptionEntry
from governance.door import Invalid, parse
from tests import factories

pytestmark = pytest.mark.django_db


def ids(rule: dict[str, Any], now: datetime) -> set[int]:
    return set(audience.resolve(factories.workspace().pk, parse(SegmentBody, factories.segment(rule=rule)), as_of=now).ids)


@pytest.fixture(autouse=True)
def _consents_as_events() -> Iterator[None]:
    """The ledger of consents stands in for a room's own table: each entry an event "consent.given"."""

    def rows(workspace_id: int, name: str, since: datetime | None, until: datetime, having: Having) -> Any:
        found = SubscriptionEntry.objects.filter(workspace_id=workspace_id, state="subscribed", at__lte=until)
        found = found.filter(**{f"{of}__in": values for of, values in having.items()})
        return found.filter(at__gte=since) if since else found

    audience.register_event_source(EventSource(frozenset({"consent.given"}), rows, "profile_id", frozenset({"topic"})))
    yield
    del sources._SOURCES["consent.given"]


def test_they_are_counted_in_their_window(now: datetime) -> None:
    old, new = factories.profile(now=now - timedelta(days=40)), factories.profile(now=now)
    home = factories.workspace().pk
    audience.set_consent(home, [new], channel="email", topic="news", state="subscribed", source="tests", now=now)
    assert ids({"event": "consent.given"}, now) == {old, new}
    assert ids({"event": "consent.given", "within": {"last": 30, "unit": "days"}}, now) == {new}
    assert ids({"event": "consent.given", "count": 2}, now) == {new}
    assert ids({"event": "consent.given", "op": "exactly", "count": 1}, now) == {old}
    assert ids({"event": "consent.given", "op": "never", "within": {"last": 30, "unit": "days"}}, now) == {old}


def test_only_what_their_room_can_tell_is_asked_of_them(now: datetime) -> None:
    ada, ben = factories.profile(now=now), factories.profile(now=now)
    for person, topic in ((ada, "alpha"), (ben, "beta")):
        audience.set_consent(factories.workspace().pk, [person], channel="sms", topic=topic, state="subscribed", source="tests", now=now)

    def of(*tests: dict[str, Any]) -> set[int]:
        return ids({"event": "consent.given", "where": list(tests)}, now)

    assert of({"property": "topic", "op": "is", "value": "Alpha"}) == {ada}
    assert {ada, ben} == of({"property": "topic", "op": "in", "value": ["alpha", "beta"]})
    both = of({"property": "topic", "op": "in", "value": ["alpha", "beta"]}, {"property": "topic", "op": "is", "value": "beta"})
    assert both == {ben}
    for test in ({"property": "topic", "op": "exists"}, {"property": "topic", "op": "is_not", "value": "alpha"}):
        with pytest.raises(Invalid, match="/rule/where/0"):
            of(test)
    with pytest.raises(Invalid, match="topic: all that rules may ask"):
        of({"property": "wording", "op": "is", "value": "x"})
    with pytest.raises(Invalid, match="/rule/of"):
        ids({"measure": "consent.given", "how": "sum", "of": "topic", "op": "gt", "value": 1}, now)


def test_when_they_first_and_last_happened_is_known(now: datetime) -> None:
    old, new = factories.profile(now=now - timedelta(days=40)), factories.profile(now=now)
    week = {"amount": 7, "unit": "days"}
    assert ids({"measure": "consent.given", "how": "first", "op": "in_last", "value": week}, now) == {new}
    audience.set_consent(factories.workspace().pk, [old], channel="email", topic="news", state="subscribed", source="tests", now=now)
    assert ids({"measure": "consent.given", "how": "last", "op": "in_last", "value": week}, now) == {old, new}
    assert ids({"measure": "consent.given", "how": "first", "op": "in_last", "value": week}, now) == {new}


def test_they_are_explained(now: datetime) -> None:
    ada = factories.profile(now=now)
    rule = parse(SegmentBody, factories.segment(rule={"event": "consent.given"}))
    assert audience.explain(factories.workspace().pk, rule, ada, as_of=now).facts == {"times": 1, "last": now}


def test_two_sources_of_one_event_are_refused() -> None:
    with pytest.raises(ValueError, match="consent.given"):
        audience.register_event_source(EventSource(frozenset({"consent.given"}), lambda *_: SubscriptionEntry.objects.none(), "id"))
