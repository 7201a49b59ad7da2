"""Why somebody is in a segment is told alike, and is true, whichever engine says who is in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings

from audience import door as audience
from audience.backends.elasticsearch import Cluster, connected
from audience.door import SegmentBody
from audience.index_feed import rebuild
from governance.door import parse
from tests import factories
from tests.audience.world import NOW, make_catalogue, people
from tests.laws.rules_drawn import rules
from tests.laws.test_backends_agree import EXAMPLES, law

pytestmark = [pytest.mark.django_db, pytest.mark.elasticsearch]
ASKED_ABOUT = 6
GERMANS = {"profile": "country", "op": "is", "value": "DE"}
GOLD = {"attribute": "tier", "op": "is", "value": "gold"}
VIP = {"attribute": "vip", "op": "is", "value": True}
VISITED = {"event": "visit", "count": 1}


def home() -> int:
    return factories.workspace().pk


def body(rule: Any) -> SegmentBody:
    return parse(SegmentBody, factories.segment(rule=rule))


@pytest.fixture
def crowd() -> list[int]:
    """Awkward people, and two segments for rules to name."""
    make_catalogue()
    for key, rule in {"one": GERMANS, "two": {"any": [{"segment": "one"}, VIP]}}.items():
        factories.in_force("segment", key, factories.segment(rule=rule), now=NOW)
    return [person.pk for person in people(home(), seed=11, size=120) if person.gone_at is None]


@pytest.fixture
def cluster(crowd: list[int], elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The crowd in a real Elasticsearch, which OMNI is told to ask."""
    prefix = f"why{uuid.uuid4().hex[:8]}"
    found = connected(elasticsearch_url, prefix)
    built = rebuild(found, home(), now=NOW)
    changed = django_settings.OMNI.model_copy(update={"elasticsearch_url": elasticsearch_url, "elasticsearch_prefix": prefix})
    monkeypatch.setattr(django_settings, "OMNI", changed)
    yield found
    found.client.indices.delete(index=built.index)
    found.client.indices.delete_index_template(name=f"{prefix}-audience")


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """OMNI without Elasticsearch."""
    monkeypatch.setattr(django_settings, "OMNI", django_settings.OMNI.model_copy(update={"elasticsearch_url": ""}))


@pytest.mark.parametrize(
    ("rule", "engine"),
    [
        ({"all": [GERMANS, VIP]}, "elasticsearch"),
        ({"any": [GOLD, {"none": [GERMANS]}]}, "elasticsearch"),
        ({"all": [GERMANS, VISITED]}, "elasticsearch + database"),
        ({"any": [{"segment": "two"}, VISITED]}, "elasticsearch + database"),
        (VISITED, "database"),
    ],
)
def test_the_same_conditions_decide_whoever_answers(
    cluster: Cluster, crowd: list[int], rule: dict[str, Any], engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = audience.resolve(home(), body(rule), as_of=NOW)
    assert found.engine == engine
    with_both = {one: audience.explain(home(), body(rule), one, as_of=NOW) for one in crowd}
    alone(monkeypatch)
    by_the_database = audience.resolve(home(), body(rule), as_of=NOW)
    assert by_the_database.engine == "database" and by_the_database.ids == found.ids
    for one in crowd:
        told = audience.explain(home(), body(rule), one, as_of=NOW)
        assert told == with_both[one] and told.deciding(), "every node, its answer, what decided and what is known"
        assert told.matched == (one in found.ids)
    assert {told.matched for told in with_both.values()} == {True, False}


def test_whatever_the_rule_what_decides_is_true_of_who_is_in_it(cluster: Cluster, crowd: list[int]) -> None:
    answered = set()

    @settings(law, max_examples=max(5, EXAMPLES // 2))  # each asks for several people, twice
    @given(rules)
    def holds(rule: dict[str, Any]) -> None:
        found = audience.resolve(home(), body(rule), as_of=NOW)
        answered.add(found.engine)
        for one in crowd[:ASKED_ABOUT]:
            told = audience.explain(home(), body(rule), one, as_of=NOW)
            assert told.matched == (one in found.ids) and told.deciding()

    holds()
    assert any("elasticsearch" in engine for engine in answered)


def test_a_sample_by_both_engines_is_the_database_s_own(cluster: Cluster, crowd: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    rule = body({"any": [GERMANS, {"all": [GOLD, VISITED]}]})
    with_both = audience.sample(home(), rule, 8, as_of=NOW)
    alone(monkeypatch)
    assert len(with_both) == 8 and with_both == audience.sample(home(), rule, 8, as_of=NOW)
