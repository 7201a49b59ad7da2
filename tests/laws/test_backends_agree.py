"""One meaning, whoever answers: the database, the planner with Elasticsearch, one person at a time, and plain Python."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from audience import planner
from audience.backends.database import Database
from audience.models import Profile
from audience.rules.binding import Scope, bind
from audience.rules.bound import Bound
from audience.rules.nodes import read_node
from governance.door import default_workspace
from tests.audience import oracle
from tests.audience.world import CATALOGUE, NOW, people
from tests.laws.rules_drawn import attribute_rules, rules

EXAMPLES = int(os.environ.get("OMNI_LAW_EXAMPLES", "60"))
law = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.django_db


def drawn_segments(one: dict[str, Any], two: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"one": one, "two": {"any": [{"segment": "one"}, two]}}


def bound(rule: dict[str, Any], segments: dict[str, dict[str, Any]]) -> Bound:
    scope = Scope(CATALOGUE, lambda key: read_node(segments[key]) if key in segments else None, NOW)
    return bind(read_node(rule), scope)


@pytest.fixture
def crowd() -> list[Profile]:
    people(default_workspace().pk, seed=7, size=150)
    return list(Profile.objects.prefetch_related("events", "subscriptions"))


def test_the_database_says_what_the_rule_means(crowd: list[Profile]) -> None:
    workspace = crowd[0].workspace_id

    @law
    @given(rules, attribute_rules, attribute_rules)
    def holds(rule: dict[str, Any], one: dict[str, Any], two: dict[str, Any]) -> None:
        segments = drawn_segments(one, two)
        expected = {person.pk for person in crowd if oracle.matches(rule, person, NOW, segments)}
        node = bound(rule, segments)
        assert set(Database().ids(workspace, node)) == expected
        assert Database().count(workspace, node) == len(expected)

    holds()
