"""One meaning, whoever answers: plain Python, the database, the planner with Elasticsearch, and one person at a time."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from pyroaring import BitMap64

from audience import planner, sql
from audience.backends.database import Database
from audience.backends.elasticsearch import Cluster, Index, connected
from audience.backends.facts import facts_for
from audience.facts_keeper import keep_facts
from audience.id_lists import list_numbers
from audience.index_feed import rebuild
from audience.models import Event, ListMember, Profile, Record, Relation, Subscription
from audience.rules.binding import Scope, bind
from audience.rules.bound import Bound
from audience.rules.fields import FIELD_OPERATORS
from audience.rules.nodes import read_node
from audience.rules.operations import OPERATORS
from audience.rules.values import PropertyOperator
from audience.values import PlainType
from governance.door import default_workspace
from tests.audience import oracle
from tests.audience.world import CATALOGUE, NOW, RECORDS, STAY, make_catalogue, people
from tests.laws.rules_drawn import KINDS, attribute_rules, one_of_every_kind, rules
from tests.laws.rules_kept import KEPT

EXAMPLES = int(os.environ.get("OMNI_LAW_EXAMPLES", "200"))  # a night's worth: make agree
law = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
thorough = settings(law, max_examples=max(5, EXAMPLES // 40))  # each example is a rule of every kind
pytestmark = pytest.mark.django_db


def drawn_segments(one: dict[str, Any], two: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"one": one, "two": {"any": [{"segment": "one"}, two]}}


def bound(rule: dict[str, Any], segments: dict[str, dict[str, Any]]) -> Bound:
    lists = partial(list_numbers, default_workspace().pk)
    scope = Scope(CATALOGUE, lambda key: read_node(segments[key]) if key in segments else None, NOW, lists=lists, records=lambda: RECORDS)
    return bind(read_node(rule), scope)


@pytest.fixture
def crowd() -> list[Profile]:
    people(default_workspace().pk, seed=7, size=150)
    # Else PostgreSQL plans for what another test left in these tables, and a drawn rule may take minutes.
    sql.count_tables(*(model._meta.db_table for model in (Profile, Event, Subscription, ListMember, Record, Relation)))
    return list(Profile.objects.prefetch_related("events", "subscriptions", "relations__record"))


@pytest.fixture
def index(crowd: list[Profile], elasticsearch_url: str) -> Iterator[Index]:
    """The crowd in a real Elasticsearch, under a name of this test's own."""
    workspace = crowd[0].workspace_id
    make_catalogue()
    cluster: Cluster = connected(elasticsearch_url, f"law{uuid.uuid4().hex[:8]}")
    built = rebuild(cluster, workspace, now=NOW)
    yield cluster.fresh(workspace, as_of=NOW, max_lag=0)
    cluster.client.indices.delete(index=built.index)
    cluster.client.indices.delete_index_template(name=f"{cluster.prefix}-audience")


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


def test_every_operator_of_every_type_is_drawn() -> None:
    kinds = [f"{name} {op}" for name, type_ in CATALOGUE.items() for op in OPERATORS[type_]]
    kinds += [f"{name} {op}" for name, operators in FIELD_OPERATORS.items() for op in operators]
    kinds += [f"a record’s {name} {op}" for name, type_ in STAY.items() for op in OPERATORS[type_]]  # type: ignore[index]
    assert set(STAY.values()) == set(get_args(PlainType))
    assert set(CATALOGUE.values()) == set(OPERATORS) - {"any"} and set(kinds) <= set(KINDS)
    assert {op for op in get_args(PropertyOperator) if not any(kind.endswith(f" property {op}") for kind in KINDS)} == set()


def test_every_kind_of_condition_means_to_the_database_what_it_says(crowd: list[Profile]) -> None:
    workspace = crowd[0].workspace_id

    @thorough
    @given(one_of_every_kind, attribute_rules, attribute_rules)
    def holds(conditions: dict[str, dict[str, Any]], one: dict[str, Any], two: dict[str, Any]) -> None:
        segments = drawn_segments(one, two)
        for kind, condition in conditions.items():
            expected = {person.pk for person in crowd if oracle.matches(condition, person, NOW, segments)}
            assert set(Database().ids(workspace, bound(condition, segments))) == expected, kind

    holds()


@pytest.mark.postgres
def test_columns_of_their_own_say_what_the_rule_means(crowd: list[Profile]) -> None:
    workspace = crowd[0].workspace_id
    make_catalogue()
    assert keep_facts(workspace) == len([person for person in crowd if person.gone_at is None])
    sql.count_tables("audience_facts")
    by_columns = []

    @law
    @given(attribute_rules, rules, attribute_rules)
    def holds(rule: dict[str, Any], other: dict[str, Any], one: dict[str, Any]) -> None:
        for drawn in (rule, other):
            segments = drawn_segments(one, rule)
            node = bound(drawn, segments)
            by_columns.append(facts_for(workspace, node) is not None)
            expected = {person.pk for person in crowd if oracle.matches(drawn, person, NOW, segments)}
            assert set(Database().ids(workspace, node)) == expected
            assert Database().count(workspace, node) == len(expected)

    holds()
    assert sum(by_columns) > len(by_columns) / 10


@pytest.mark.elasticsearch
def test_rules_that_once_divided_the_engines(crowd: list[Profile], index: Index) -> None:
    workspace = crowd[0].workspace_id
    for why, rule in KEPT.items():
        expected = {person.pk for person in crowd if oracle.matches(rule, person, NOW, {})}
        node = bound(rule, {})
        assert set(Database().ids(workspace, node)) == expected, why
        assert set(planner.ids(planner.plan(node, [index, Database()]), workspace)) == expected, why


@pytest.mark.elasticsearch
def test_every_kind_of_condition_is_answered_alike_with_elasticsearch(crowd: list[Profile], index: Index) -> None:
    workspace = crowd[0].workspace_id
    by_the_index = set()

    @thorough
    @given(one_of_every_kind, attribute_rules, attribute_rules)
    def holds(conditions: dict[str, dict[str, Any]], one: dict[str, Any], two: dict[str, Any]) -> None:
        segments = drawn_segments(one, two)
        for kind, condition in conditions.items():
            node = bound(condition, segments)
            plan = planner.plan(node, [index, Database()])
            if any(ask.engine is index for ask in planner.asked(plan)):
                by_the_index.add(kind)
                assert planner.ids(plan, workspace) == Database().ids(workspace, node), kind

    holds()
    assert {
        "tier is",
        "spent between",
        "born in_next",
        "seen before",
        "tags not_in",
        "email starts_with",
        "created_at after",
        "in the own zone before",
        "a fresh score gt",
        "address.city is",
    } <= by_the_index


@pytest.mark.elasticsearch
def test_the_planner_with_elasticsearch_answers_as_the_database_does(crowd: list[Profile], index: Index) -> None:
    workspace = crowd[0].workspace_id
    engines_asked = set()

    @law
    @given(rules, attribute_rules, attribute_rules)
    def holds(rule: dict[str, Any], one: dict[str, Any], two: dict[str, Any]) -> None:
        node = bound(rule, drawn_segments(one, two))
        plan = planner.plan(node, [index, Database()])
        engines_asked.update(ask.engine.name for ask in planner.asked(plan))
        assert set(planner.ids(plan, workspace)) == set(Database().ids(workspace, node))

    holds()
    assert engines_asked == {"elasticsearch", "database"}


@pytest.mark.elasticsearch
def test_elasticsearch_alone_answers_and_counts_attributes_as_the_database_does(crowd: list[Profile], index: Index) -> None:
    workspace = crowd[0].workspace_id

    @law
    @given(attribute_rules)
    def holds(rule: dict[str, Any]) -> None:
        node = bound(rule, {})
        plan = planner.plan(node, [index, Database()])
        if isinstance(plan, planner.Ask) and plan.engine is index:
            expected = Database().ids(workspace, node)
            assert set(index.ids(workspace, node)) == set(expected)
            assert index.count(workspace, node) == len(expected)

    holds()


class Narrow(Database):
    """The database, allowed so little at once that the planner has to cut every rule to pieces."""

    max_conditions = 2
    max_depth = 1


def test_however_a_rule_is_cut_the_answer_is_the_same(crowd: list[Profile]) -> None:
    workspace = crowd[0].workspace_id
    some = BitMap64([person.pk for person in crowd[::3]])

    @law
    @given(rules, attribute_rules, attribute_rules)
    def holds(rule: dict[str, Any], one: dict[str, Any], two: dict[str, Any]) -> None:
        node = bound(rule, drawn_segments(one, two))
        expected = Database().ids(workspace, node)
        cut = planner.plan(node, [Narrow()])
        assert planner.ids(cut, workspace) == expected
        assert planner.ids(cut, workspace, within=some) == expected & some

    holds()
