"""A rule as the builder's fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from audience.names import Names
from audience.rule_words import GROUPS, LISTS, SPANS
from audience.rule_written import plain
from audience.rules.nodes import read_node
from audience.sentences import clause
from governance.door import Body


def group(node: Any) -> Body:
    """The whole rule as a group, so that there is always one to add to."""
    shown = _shown(node)
    return shown if "of" in shown else {"word": "", "of": [shown]}


def _shown(node: Any) -> Body:
    if not isinstance(node, Mapping):
        return {"subject": "", "raw": node}
    for word in GROUPS:
        if word in node and isinstance(node[word], list):
            return {"word": word, "of": [_shown(child) for child in node[word]]}
    if "attribute" in node:
        return {"subject": f"attribute:{node['attribute']}", **_shown_test(node), **_shown_zone(node), **_shown_fresh(node)}
    if "profile" in node:
        return {"subject": f"profile:{node['profile']}", **_shown_test(node), **_shown_zone(node)}
    if "event" in node:
        return _shown_event(node)
    if "message" in node:
        named = {"campaign": _text(node.get("campaign")), "of_channel": _text(node.get("channel"))}
        return {**_shown_often(node), "subject": f"message:{node['message']}", **named}
    if isinstance(node.get("sequence"), list):
        return _shown_sequence(node)
    if "measure" in node:
        return _shown_measure(node)
    if isinstance(node.get("share"), Mapping):
        return {"subject": "share", "percent": _text(node["share"].get("percent")), "salt": str(node["share"].get("salt", ""))}
    if "record" in node:
        return _shown_record(node)
    if "segment" in node:
        return {"subject": "segment", "segment": str(node["segment"])}
    if "list" in node:
        return {"subject": "list", "list": str(node["list"])}
    if isinstance(node.get("consent"), Mapping):
        said = node["consent"]
        pending = {"said": "pending"} if said.get("state") == "pending" else {}
        return {"subject": "consent", "channel": str(said.get("channel", "email")), "topic": str(said.get("topic", "")), **pending}
    if "reachable" in node:
        return {"subject": "reachable", "channel": str(node["reachable"])}
    if "everyone" in node:
        return {"subject": "everyone"}
    return {"subject": "", "raw": dict(node)}


def words_of(raw: Any, names: Names) -> str:
    """What a condition that the builder has no fields for asks, "" where it can't be read."""
    try:
        return clause(read_node(raw), names)
    except ValidationError:
        return ""


def _shown_zone(node: Mapping[str, Any]) -> Body:
    return {"zone": str(node["zone"])} if node.get("zone") else {}


def _shown_fresh(node: Mapping[str, Any]) -> Body:
    fresh = node.get("fresh")
    return {"fresh": _text(fresh.get("amount")), "fresh_unit": str(fresh.get("unit", "days"))} if isinstance(fresh, Mapping) else {}


def _shown_test(node: Mapping[str, Any]) -> Body:
    op, value = str(node.get("op", "is")), node.get("value")
    if op in LISTS and isinstance(value, list):
        return {"op": op, "values": "\n".join(_text(item) for item in value)}
    if op == "between" and isinstance(value, list):
        low, high = (list(value) + ["", ""])[:2]
        return {"op": op, "low": _text(low), "high": _text(high)}
    if op == "near" and isinstance(value, Mapping):
        return {"op": op, **{part: _text(value.get(part)) for part in ("lat", "lon", "km")}}
    if op == "anniversary" and value is None:
        return {"op": op, "amount": "", "unit": "days"}
    if op in SPANS and isinstance(value, Mapping):
        return {"op": op, "amount": _text(value.get("amount")), "unit": str(value.get("unit", "days"))}
    return {"op": op, "value": _text(value)}


def _shown_event(node: Mapping[str, Any]) -> Body:
    return {"subject": "event", "event": str(node.get("event", "")), **_shown_often(node), "where": _shown_where(node)}


def _shown_often(node: Mapping[str, Any]) -> Body:
    within = node.get("within") if isinstance(node.get("within"), Mapping) else {}
    return {
        "op": str(node.get("op", "")),
        "count": _text(node.get("count")),
        "last": _text((within or {}).get("last")),
        "unit": str((within or {}).get("unit", "days")),
    }


def _shown_where(node: Mapping[str, Any]) -> list[Body]:
    where = node.get("where") if isinstance(node.get("where"), list) else []
    return [shown_property(each) for each in where or () if isinstance(each, Mapping)]


def _shown_record(node: Mapping[str, Any]) -> Body:
    """How many of them, as what, and what holds of each."""
    where = node.get("where") if isinstance(node.get("where"), list) else []
    fields = [
        {"field": _text(each.get("field")), **_shown_test(each), **_shown_zone(each)} for each in where or () if isinstance(each, Mapping)
    ]
    shown = {"subject": f"record:{node['record']}", "role": _text(node.get("role")), "where": fields}
    return {**shown, "op": str(node.get("op", "")), "count": _text(node.get("count"))}


def _shown_sequence(node: Mapping[str, Any]) -> Body:
    """Its steps, and the two lengths of time. ("amount" and "apart_unit": how far apart; "last" and "unit": how long ago.)"""
    apart = node["apart"] if isinstance(node.get("apart"), Mapping) else {}
    steps = [each for each in node["sequence"] if isinstance(each, Mapping)]
    return {
        **_shown_often(node),
        "subject": "sequence",
        "steps": [{"event": str(step.get("event", "")), "where": _shown_where(step)} for step in steps],
        "amount": _text(apart.get("amount")),
        "apart_unit": str(apart.get("unit", "days")),
    }


def _shown_measure(node: Mapping[str, Any]) -> Body:
    """Like an event's fields; its window's unit has another name, because its value may have one, too. ("of" marks a group.)"""
    shown = _shown_event({**node, "event": node["measure"]})
    how, unit = str(node.get("how", "sum")), shown.pop("unit")
    fields = {"subject": "measure", "how": how, "property": _text(node.get("of")), "last_unit": unit}
    return {**shown, **_shown_test(node), **fields}


def shown_property(node: Mapping[str, Any]) -> Body:
    """A property's condition; a text that would be read as a number or a yes is shown in quotes."""
    value = node.get("value")
    quoted = f'"{value}"' if isinstance(value, str) and not isinstance(plain(value, "any"), str) else value
    return {"property": str(node.get("property", "")), **_shown_test({**node, "value": quoted} if "value" in node else node)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
