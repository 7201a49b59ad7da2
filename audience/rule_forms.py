"""The rule builder's form: a rule as groups and conditions with one field each, and back.

A group is `{"word": "all", "of": [...]}`; a condition is `{"subject": "attribute:country", "op": "is", …}` with a field for each way
a value can be written. The two translations lose nothing: names and operators that nobody knows stay, and a condition that the fields
would say otherwise is carried as it is (`raw`) and edited as YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audience.rule_shown import group, shown_property, whole_property
from audience.rule_written import node, property_test
from governance.door import Body

STARTER: Body = {"title": "", "rule": {"all": [{"profile": "country", "op": "is", "value": ""}]}}


def to_form(body: Body, types: Mapping[str, str]) -> Body:
    """The body with its rule as the builder's fields. types: as for to_body."""
    return {**body, "rule": group(body.get("rule"), types)}


def to_body(form: Body, types: Mapping[str, str]) -> Body:
    """The document that the builder's fields describe. types: the type of each attribute and of each
    record's field (rule_words.field_of), which decides how a value is read."""
    rule = node(form.get("rule"), types)
    return {**{name: value for name, value in form.items() if name != "rule"}, "rule": rule}


def make(path: str, what: str, form: Body) -> Any:
    """A new item: a condition, a group with one condition, a condition on an event's property or on a record's
    field, or a step of a sequence."""
    if what == "group":
        return {"word": "any", "of": [_fresh()]}
    if what == "property":
        return fresh_property()
    if what == "field":
        return {"field": "", "op": ""}
    return {"event": ""} if what == "step" else _fresh()


def _fresh() -> Body:
    return {"subject": "profile:country", "op": "is", "value": ""}


def trigger_form(rule: Any) -> list[Body] | None:
    """A rule that asks the triggering event only, as its properties' fields, all of which must hold; None for any other rule."""
    nodes = rule["all"] if isinstance(rule, Mapping) and list(rule) == ["all"] and isinstance(rule["all"], list) else [rule]
    asked = [node["trigger"] for node in nodes if isinstance(node, Mapping) and list(node) == ["trigger"]]
    if not nodes or len(asked) < len(nodes) or not all(isinstance(each, Mapping) for each in asked):
        return None
    return [shown_property(each) for each in asked] if all(map(whole_property, asked)) else None


def trigger_rule(shown: Any) -> Body | None:
    """The rule that the properties' fields describe; None without any."""
    fields = [each for each in shown if isinstance(each, Mapping)] if isinstance(shown, list) else []
    nodes: list[Body] = [{"trigger": {"property": str(each.get("property", "")).strip(), **property_test(each)}} for each in fields]
    return {"all": nodes} if len(nodes) > 1 else nodes[0] if nodes else None


def fresh_property() -> Body:
    """A condition on an event's property, to be filled in."""
    return {"property": "", "op": "is", "value": ""}
