"""Where a rule is cut, and what each engine is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audience import planner
from audience.backends.capabilities import capability_table
from audience.backends.database import Database
from audience.backends.elasticsearch import Index, query
from audience.rules.binding import Scope, bind
from audience.rules.bound import Bound, Group
from audience.rules.nodes import read_node
from audience.rules.operations import OPERATORS

TYPES = {"tier": "text", "spent": "number"}
INDEX, DATABASE = Index(None, "people", TYPES), Database()
GOLD = {"attribute": "tier", "op": "is", "value": "gold"}
RICH = {"attribute": "spent", "op": "gt", "value": 100}
LIKE = {"attribute": "tier", "op": "contains", "value": "ol"}
DID = {"event": "visit"}


def bound(rule: dict[str, Any], segments: dict[str, Any] | None = None) -> Bound:
    known = segments or {}
    scope = Scope(TYPES, lambda key: read_node(known[key]) if key in known else None, datetime(2026, 3, 2, tzinfo=UTC))
    return bind(read_node(rule), scope)


def asked(rule: dict[str, Any], *, known: dict[str, str] | None = None, segments: dict[str, Any] | None = None) -> list[tuple[str, int]]:
    """Which engine is asked about how many conditions, in order."""
    index = INDEX if known is None else Index(None, "people", known)
    plan = planner.plan(bound(rule, segments), [index, DATABASE])
    return [(ask.engine.name, _leaves(ask.node)) for ask in planner.asked(plan)]


def _leaves(node: Bound) -> int:
    return sum(_leaves(child) for child in node.children) if isinstance(node, Group) else 1


def test_a_rule_about_attributes_is_one_question_to_the_index() -> None:
    assert asked({"all": [GOLD, {"none": [RICH, {"profile": "country", "op": "is", "value": "DE"}]}]}) == [("elasticsearch", 3)]


def test_a_rule_about_events_is_one_question_to_the_database() -> None:
    assert asked({"all": [DID, {"none": [{"reachable": "sms"}, {"consent": {"channel": "sms", "topic": "*"}}]}]}) == [("database", 3)]


def test_siblings_are_asked_together_and_the_index_first() -> None:
    assert asked({"all": [DID, GOLD, LIKE, RICH]}) == [("elasticsearch", 2), ("database", 2)]
    assert asked({"any": [DID, GOLD, LIKE, RICH]}) == [("elasticsearch", 2), ("database", 2)]


def test_a_mixed_group_inside_is_cut_by_itself() -> None:
    assert asked({"all": [GOLD, {"any": [RICH, DID]}]}) == [("elasticsearch", 1), ("elasticsearch", 1), ("database", 1)]


def test_none_inside_all_subtracts_and_needs_nobody_else() -> None:
    assert asked({"all": [GOLD, {"none": [DID, RICH]}]}) == [("elasticsearch", 1), ("elasticsearch", 1), ("database", 1)]


def test_a_mixed_none_alone_starts_from_everyone_in_the_database() -> None:
    assert asked({"none": [DID, RICH]}) == [("database", 1), ("elasticsearch", 1), ("database", 1)]


def test_an_attribute_that_the_index_does_not_know_goes_to_the_database() -> None:
    assert asked({"all": [GOLD, RICH]}, known={"spent": "number"}) == [("elasticsearch", 1), ("database", 1)]
    assert asked(GOLD, known={"tier": "list"}) == [("database", 1)]


def test_a_segment_that_is_used_twice_is_asked_once() -> None:
    mixed = {"any": [GOLD, DID]}
    rule = {"all": [{"segment": "s"}, {"none": [{"segment": "s"}, LIKE]}]}
    engines = [name for name, _ in asked(rule, segments={"s": mixed})]
    assert engines.count("elasticsearch") == 1


def test_a_rule_too_large_for_one_statement_is_cut_into_several() -> None:
    many = [{"attribute": "tier", "op": "contains", "value": str(number)} for number in range(400)]
    assert asked({"any": many}) == [("database", 150), ("database", 150), ("database", 100)]


def test_segments_of_segments_do_not_multiply_without_end() -> None:
    chain = {f"s{level}": {"any": [{"segment": f"s{level + 1}"}] * 3} for level in range(6)} | {"s6": {"any": [GOLD, DID]}}
    assert len(asked({"segment": "s0"}, segments=chain)) < 10


def test_a_filter_has_no_wildcards_and_no_scripts() -> None:
    rule = {"all": [{"attribute": "tier", "op": "starts_with", "value": "a*b?"}, {"attribute": "tier", "op": "is_not", "value": "*"}]}
    assert query(bound(rule)) == {
        "bool": {"filter": [{"prefix": {"text.tier": {"value": "a*b?"}}}, {"bool": {"must_not": [{"terms": {"text.tier": ["*"]}}]}}]}
    }


def test_the_reference_page_holds_the_tables_of_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/audience-rules.md").read_text()
    written = page.split("capability_table -->\n")[1].split("\n<!-- end")[0]
    assert written == capability_table()
    for type_, operators in OPERATORS.items():
        if type_ != "any":
            assert f"| {type_} | {' '.join(f'`{op}`' for op in operators)} |" in page


def test_alternatives_of_one_attribute_are_one_look_at_it() -> None:
    rule = {
        "any": [
            GOLD,
            RICH,
            {"attribute": "tier", "op": "in", "value": ["silver", "gold"]},
            {"attribute": "tier", "op": "is_not", "value": "x"},
        ]
    }
    (terms, *others) = query(bound(rule))["bool"]["should"]
    assert terms == {"terms": {"text.tier": ["gold", "silver"]}} and len(others) == 2
