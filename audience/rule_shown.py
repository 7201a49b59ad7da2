"""A rule as the builder's fields. A condition that they would say otherwise than it is written is kept as it is, and edited as YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from audience.names import Names
from audience.rule_words import (
    COUNT_OPS,
    FIELD_TYPES,
    GROUPS,
    LISTS,
    MEASURE_OPS,
    SEQUENCE_OPS,
    SPANS,
    UNITS,
    UNKNOWN,
    about,
    field_of,
    measure_type,
)
from audience.rule_written import node as written
from audience.rule_written import operators_of, plain, property_test, reading
from audience.rules.nodes import read_node
from audience.sentences import clause
from governance.door import Body, canonical

Types = Mapping[str, str]


def group(node: Any, types: Types) -> Body:
    """The whole rule as a group, so that there is always one to add to. types: as for rule_forms.to_body."""
    shown = _shown(node, types)
    return shown if "of" in shown else {"word": "", "of": [shown]}


def _shown(node: Any, types: Types) -> Body:
    for word in GROUPS:
        if isinstance(node, Mapping) and list(node) == [word] and isinstance(node[word], list):
            return {"word": word, "of": [_shown(child, types) for child in node[word]]}
    fields = _fields(node, types) if isinstance(node, Mapping) else {}
    return fields if fields and _sayable(fields) and canonical(written(fields, types)) == canonical(node) else {"subject": "", "raw": node}


def _sayable(fields: Body) -> bool:
    """Whether a browser sends these fields as they are: one line has no line breaks, a unit and a yes or no are chosen."""
    parts = [fields, *fields.get("where", ()), *(part for step in fields.get("steps", ()) for part in (step, *step.get("where", ())))]
    if any(isinstance(said, str) and ("\n" in said or "\r" in said) for part in parts for name, said in part.items() if name != "values"):
        return False
    parts = parts[1:]
    asked = all(part.get("op") not in SPANS | {"near"} for part in parts if "property" in part)
    return asked and all(part.get("unit", "days") in UNITS for part in parts if "field" in part)


def _fields(node: Mapping[str, Any], types: Types) -> Body:
    if "attribute" in node:
        subject = {"subject": f"attribute:{node['attribute']}"}
        return {**_shown_test(node, types.get(str(node["attribute"]), UNKNOWN), subject), **_shown_zone(node), **_shown_fresh(node)}
    if "profile" in node:
        subject = {"subject": f"profile:{node['profile']}"}
        return {**_shown_test(node, FIELD_TYPES.get(str(node["profile"]), UNKNOWN), subject), **_shown_zone(node)}
    if "event" in node:
        return _shown_event(node)
    if "message" in node:
        named = {"campaign": _text(node.get("campaign")), "of_channel": _text(node.get("channel"))}
        return _with_about({**_shown_often(node), "subject": f"message:{node['message']}", **named}, COUNT_OPS)
    if isinstance(node.get("sequence"), list):
        return _shown_sequence(node)
    if "measure" in node:
        return _shown_measure(node)
    if isinstance(node.get("share"), Mapping):
        return {"subject": "share", "percent": _text(node["share"].get("percent")), "salt": str(node["share"].get("salt", ""))}
    if "record" in node:
        return _shown_record(node, types)
    if "segment" in node:
        return {"subject": "segment", "segment": str(node["segment"])}
    if "list" in node:
        return {"subject": "list", "list": str(node["list"])}
    if isinstance(node.get("consent"), Mapping):
        said = node["consent"]
        state = {"said": _text(said["state"])} if "state" in said else {}
        return {"subject": "consent", "channel": str(said.get("channel", "email")), "topic": str(said.get("topic", "")), **state}
    if "reachable" in node:
        return {"subject": "reachable", "channel": str(node["reachable"])}
    return {"subject": "everyone"} if "everyone" in node else {}


def _with_about(fields: Body, allowed: Sequence[str]) -> Body:
    """The fields, which say what an operator is about that isn't among those allowed, so that it stays."""
    op = fields.get("op")
    return {**fields, "about": about(fields)} if op and op not in allowed else fields


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


def _shown_test(node: Mapping[str, Any], type_: str, of: Body) -> Body:
    """The operator and its value, beside what they are asked of."""
    op = str(node.get("op", "is"))
    return _with_about({**of, "op": op, **_shown_operand(op, node.get("value"), reading(op, type_))}, operators_of(type_))


def _shown_operand(op: str, value: Any, reads: str) -> Body:
    if op in LISTS and isinstance(value, list):
        return {"values": "\n".join(_quoted(item, reads) for item in value)}
    if op == "between" and isinstance(value, list):
        low, high = (list(value) + ["", ""])[:2]
        return {"low": _quoted(low, reads), "high": _quoted(high, reads)}
    if op == "near" and isinstance(value, Mapping):
        return {part: _text(value.get(part)) for part in ("lat", "lon", "km")}
    if op == "anniversary" and value is None:
        return {"amount": "", "unit": "days"}
    if op in SPANS and isinstance(value, Mapping):
        return {"amount": _text(value.get("amount")), "unit": str(value.get("unit", "days"))}
    return {"value": _quoted(value, reads)}


def _quoted(value: Any, reads: str) -> str:
    """A value as it is typed; where any type is read, a text that would be read as something else is in quotes."""
    odd = reads == "any" and isinstance(value, str) and plain(value, "any") != value
    return f'"{value}"' if odd else _text(value)


def _shown_event(node: Mapping[str, Any]) -> Body:
    shown = {"subject": "event", "event": str(node.get("event", "")), **_shown_often(node), "where": _shown_where(node)}
    return _with_about(shown, COUNT_OPS)


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


def _shown_record(node: Mapping[str, Any], types: Types) -> Body:
    """How many of them, as what, and what holds of each."""
    where = node.get("where") if isinstance(node.get("where"), list) else []
    fields = [_shown_field(each, str(node["record"]), types) for each in where or () if isinstance(each, Mapping)]
    shown = {"subject": f"record:{node['record']}", "role": _text(node.get("role")), "where": fields}
    return _with_about({**shown, "op": str(node.get("op", "")), "count": _text(node.get("count"))}, COUNT_OPS)


def _shown_field(node: Mapping[str, Any], record: str, types: Types) -> Body:
    field = _text(node.get("field"))
    return {**_shown_test(node, types.get(field_of(record, field), UNKNOWN), {"field": field}), **_shown_zone(node)}


def _shown_sequence(node: Mapping[str, Any]) -> Body:
    """Its steps, and the two lengths of time. ("amount" and "apart_unit": how far apart; "last" and "unit": how long ago.)"""
    apart = node["apart"] if isinstance(node.get("apart"), Mapping) else {}
    steps = [each for each in node["sequence"] if isinstance(each, Mapping)]
    shown = {
        **_shown_often(node),
        "subject": "sequence",
        "steps": [{"event": str(step.get("event", "")), "where": _shown_where(step)} for step in steps],
        "amount": _text(apart.get("amount")),
        "apart_unit": str(apart.get("unit", "days")),
    }
    return _with_about(shown, SEQUENCE_OPS)


def _shown_measure(node: Mapping[str, Any]) -> Body:
    """Like an event's fields; its window's unit has another name, because its value may have one, too. ("of" marks a group.)"""
    shown = _shown_event({**node, "event": node["measure"]})
    how, unit = str(node.get("how", "sum")), shown.pop("unit")
    allowed, op = MEASURE_OPS[measure_type(how)], str(node.get("op", ""))
    compared = {"op": op, **_shown_operand(op, node.get("value"), measure_type(how) if op in allowed else "any")}
    fields = {"subject": "measure", "how": how, "property": _text(node.get("of")), "last_unit": unit}
    return _with_about({**{name: said for name, said in shown.items() if name != "about"}, **compared, **fields}, allowed)


def shown_property(node: Mapping[str, Any]) -> Body:
    """A property's condition; a text that would be read as a number or a yes is shown in quotes."""
    op = str(node.get("op", "is"))
    return {"property": str(node.get("property", "")), "op": op, **_shown_operand(op, node.get("value"), "any")}


def whole_property(node: Mapping[str, Any]) -> bool:
    """Whether a property's fields say all of this condition and nothing else."""
    shown = shown_property(node)
    said = {"property": shown["property"], **property_test(shown)}
    return _sayable({"where": [shown]}) and canonical(said) == canonical(node)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
