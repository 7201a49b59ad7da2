"""The rule builder's form: a rule as groups and conditions with one field each, and back.

A group is `{"word": "all", "of": [...]}`; a condition is `{"subject": "attribute:country", "op": "is", …}` with a field for each way
a value can be written. The two translations lose nothing that the builder can show; what it can't is edited as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from audience.catalogue import AttributeBody
from audience.rules.operations import OPERATORS
from governance.door import Body, Finding, Invalid

GROUPS = ("all", "any", "none")
GROUP_WORDS = (("all", "all of these hold"), ("any", "at least one of these holds"), ("none", "none of these holds"))
FIELD_TYPES = {"country": "text", "locale": "text", "zone": "text", "created_at": "datetime", "email": "text", "phone": "text"}
FIELD_WORDS = {
    "country": "Country",
    "locale": "Language",
    "zone": "Time zone",
    "created_at": "Known since",
    "email": "E-mail address",
    "phone": "Phone number",
}
OP_WORDS = {
    "is": "is",
    "is_not": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "has_all": "has all of",
    "contains": "contains",
    "starts_with": "starts with",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "between": "is between",
    "exists": "is known",
    "missing": "is not known",
    "before": "is before",
    "after": "is after",
    "in_last": "was in the last",
    "in_next": "is in the next",
    "more_than_ago": "is longer ago than",
    "anniversary": "has its day of the year within the next",
}
COUNT_WORDS = (("at_least", "at least"), ("at_most", "at most"), ("exactly", "exactly"), ("never", "never"))
HOW_WORDS = (
    ("sum", "the total of"),
    ("average", "the average of"),
    ("smallest", "the smallest"),
    ("largest", "the largest"),
    ("first", "the first time of"),
    ("last", "the last time of"),
)
MEASURE_OPS: Mapping[str, tuple[str, ...]] = {
    "number": ("gte", "gt", "lte", "lt", "between"),
    "datetime": ("in_last", "more_than_ago", "before", "after", "between"),
}
"""How what events come to is compared, by whether it is a number or a moment."""
UNITS = ("minutes", "hours", "days", "weeks", "months", "years")
PROPERTY_OPS = ("is", "is_not", "in", "not_in", "contains", "starts_with", "gt", "gte", "lt", "lte", "between", "exists", "missing")
LISTS, SPANS, BARE = {"in", "not_in", "has_all"}, {"in_last", "in_next", "more_than_ago", "anniversary"}, {"exists", "missing"}
PROPERTY_PICKERS: Mapping[str, Any] = {
    "property_ops": [(op, OP_WORDS[op]) for op in PROPERTY_OPS],
    "property_lists": LISTS,
    "property_bare": BARE,
}
"""What the fields of an event's property offer, for their template."""
STARTER: Body = {"title": "", "rule": {"all": [{"profile": "country", "op": "is", "value": ""}]}}


def to_form(body: Body) -> Body:
    """The body with its rule as the builder's fields."""
    return {**body, "rule": _group(body.get("rule"))}


def to_body(form: Body, types: Mapping[str, str]) -> Body:
    """The document that the builder's fields describe. types: the type of each attribute, which decides how a value is read."""
    rule = _node(form.get("rule"), types)
    return {**{name: value for name, value in form.items() if name != "rule"}, "rule": rule}


def make(path: str, what: str, form: Body) -> Any:
    """A new item: a condition, a group with one condition, or a condition on an event's property."""
    if what == "group":
        return {"word": "any", "of": [_fresh()]}
    if what == "property":
        return fresh_property()
    return _fresh()


def _fresh() -> Body:
    return {"subject": "profile:country", "op": "is", "value": ""}


def nest(step: str, form: Body) -> Body | None:
    """The steps that change the tree: `wrap:/path` gives a condition a group of its own, `unwrap:/path` lets a group's conditions out."""
    verb, _, path = step.partition(":")
    if verb not in {"wrap", "unwrap"}:
        return None
    return {**form, "rule": _nested(form.get("rule"), [int(part) for part in re.findall(r"/of/(\d+)", path)], verb)}


def _nested(node: Any, way: Sequence[int], verb: str) -> Any:
    if not isinstance(node, Mapping) or not way:
        return {"word": "all", "of": [node]} if verb == "wrap" else node
    children = list(node.get("of", ()))
    at = way[0]
    if at >= len(children):
        raise Invalid([Finding("error", "/rule", f"place {at}", "a condition of this rule")])
    if len(way) > 1:
        children[at] = _nested(children[at], way[1:], verb)
    elif verb == "wrap":
        children[at] = {"word": "any", "of": [children[at]]}
    elif isinstance(children[at], Mapping) and "of" in children[at]:
        children[at : at + 1] = list(children[at]["of"])
    return {**node, "of": children}


def _group(node: Any) -> Body:
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
        return {"subject": f"attribute:{node['attribute']}", **_shown_test(node)}
    if "profile" in node:
        return {"subject": f"profile:{node['profile']}", **_shown_test(node)}
    if "event" in node:
        return _shown_event(node)
    if "measure" in node:
        return _shown_measure(node)
    if isinstance(node.get("share"), Mapping):
        return {"subject": "share", "percent": _text(node["share"].get("percent")), "salt": str(node["share"].get("salt", ""))}
    if "segment" in node:
        return {"subject": "segment", "segment": str(node["segment"])}
    if isinstance(node.get("consent"), Mapping):
        said = node["consent"]
        return {"subject": "consent", "channel": str(said.get("channel", "email")), "topic": str(said.get("topic", ""))}
    if "reachable" in node:
        return {"subject": "reachable", "channel": str(node["reachable"])}
    if "everyone" in node:
        return {"subject": "everyone"}
    return {"subject": "", "raw": dict(node)}


def _shown_test(node: Mapping[str, Any]) -> Body:
    op, value = str(node.get("op", "is")), node.get("value")
    if op in LISTS and isinstance(value, list):
        return {"op": op, "values": "\n".join(_text(item) for item in value)}
    if op == "between" and isinstance(value, list):
        low, high = (list(value) + ["", ""])[:2]
        return {"op": op, "low": _text(low), "high": _text(high)}
    if op == "anniversary" and value is None:
        return {"op": op, "amount": "", "unit": "days"}
    if op in SPANS and isinstance(value, Mapping):
        return {"op": op, "amount": _text(value.get("amount")), "unit": str(value.get("unit", "days"))}
    return {"op": op, "value": _text(value)}


def _shown_event(node: Mapping[str, Any]) -> Body:
    within = node.get("within") if isinstance(node.get("within"), Mapping) else {}
    where = node.get("where") if isinstance(node.get("where"), list) else []
    return {
        "subject": "event",
        "event": str(node.get("event", "")),
        "op": str(node.get("op", "")),
        "count": _text(node.get("count")),
        "last": _text((within or {}).get("last")),
        "unit": str((within or {}).get("unit", "days")),
        "where": [_shown_property(each) for each in where or () if isinstance(each, Mapping)],
    }


def _shown_measure(node: Mapping[str, Any]) -> Body:
    """Like an event's fields; its window's unit has another name, because its value may have one, too. ("of" marks a group.)"""
    shown = _shown_event({**node, "event": node["measure"]})
    how, unit = str(node.get("how", "sum")), shown.pop("unit")
    fields = {"subject": "measure", "how": how, "property": _text(node.get("of")), "last_unit": unit}
    return {**shown, **_shown_test(node), **fields}


def measure_type(how: object) -> str:
    """Whether what events come to is a number or a moment."""
    return "datetime" if how in ("first", "last") else "number"


def _shown_property(node: Mapping[str, Any]) -> Body:
    """A property's condition; a text that would be read as a number or a yes is shown in quotes."""
    value = node.get("value")
    quoted = f'"{value}"' if isinstance(value, str) and not isinstance(_plain(value, "any"), str) else value
    return {"property": str(node.get("property", "")), **_shown_test({**node, "value": quoted} if "value" in node else node)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _node(shown: Any, types: Mapping[str, str]) -> Any:
    if not isinstance(shown, Mapping):
        return shown
    if "of" in shown or "word" in shown:
        word = str(shown.get("word", "all"))
        children = shown.get("of", [])
        if word == "" and isinstance(children, list) and len(children) == 1:
            return _node(children[0], types)  # a rule of one condition, written without a group
        return {word if word in GROUPS else "all": [_node(child, types) for child in children] if isinstance(children, list) else []}
    subject, _, name = str(shown.get("subject", "")).partition(":")
    if subject == "attribute":
        return {"attribute": name, **_test(shown, types.get(name, "text"))}
    if subject == "profile":
        return {"profile": name, **_test(shown, FIELD_TYPES.get(name, "text"))}
    if subject == "event":
        return _event(shown)
    if subject == "measure":
        return _measure(shown)
    if subject == "share":
        return {"share": {"percent": _plain(str(shown.get("percent", "")), "number"), "salt": str(shown.get("salt", "")).strip()}}
    if subject == "segment":
        return {"segment": str(shown.get("segment", ""))}
    if subject == "consent":
        return {"consent": {"channel": str(shown.get("channel") or "email"), "topic": str(shown.get("topic", "")).strip()}}
    if subject == "reachable":
        return {"reachable": str(shown.get("channel") or "email")}
    if subject == "everyone":
        return {"everyone": True}
    return shown.get("raw", {})


def _test(shown: Mapping[str, Any], type_: str) -> Body:
    """The operator and its value; an operator that the type doesn't have becomes its first one."""
    allowed = OPERATORS.get(type_, PROPERTY_OPS)  # type: ignore[call-overload]
    op = str(shown.get("op", ""))
    op = op if op in allowed else allowed[0]
    return {"op": op, **_operand(op, shown, type_)}


def _operand(op: str, shown: Mapping[str, Any], type_: str) -> Body:
    if op in BARE:
        return {}
    if op in LISTS:
        lines = str(shown.get("values") or shown.get("value") or "")
        items = [item.strip() for item in re.split(r"[\n,;]", lines) if item.strip()]
        return {"value": [_plain(item, type_) for item in items]}
    if op == "between":
        return {"value": [_plain(str(shown.get("low", "")), type_), _plain(str(shown.get("high", "")), type_)]}
    if op == "anniversary" and not str(shown.get("amount") or "").strip():
        return {}  # today
    if op in SPANS:
        return {"value": {"amount": _plain(str(shown.get("amount") or ""), "number"), "unit": str(shown.get("unit") or "days")}}
    return {"value": _plain(str(shown.get("value", "")), type_)}


def _plain(text: str, type_: str) -> Any:
    """The value as its type; what doesn't fit stays text, so that the check names it."""
    text = text.strip()
    if type_ == "any" and len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if type_ == "boolean":
        return {"true": True, "false": False, "yes": True, "no": False}.get(text.casefold(), text)
    if type_ == "number" or type_ == "any":
        tight = re.sub(r"(?<=\d)[\s,_](?=\d{3}\b)", "", text)
        if re.fullmatch(r"[-+]?\d{1,15}", tight):
            return int(tight)
        if re.fullmatch(r"[-+]?\d{0,15}\.\d{1,15}", tight):
            return float(tight)
    if type_ == "any" and text in {"true", "false"}:
        return text == "true"
    return text


def _event(shown: Mapping[str, Any]) -> Body:
    op, count = str(shown.get("op") or ""), str(shown.get("count") or "").strip()
    node: Body = {"event": str(shown.get("event", "")).strip()}
    if op in {"at_least", "at_most", "exactly", "never"}:
        node["op"] = op
    if op != "never" and count:
        node["count"] = _plain(count, "number")
    return {**node, **_which(shown, "unit")}


def _measure(shown: Mapping[str, Any]) -> Body:
    how, type_ = str(shown.get("how") or "sum"), measure_type(shown.get("how"))
    op = str(shown.get("op", ""))
    op = op if op in MEASURE_OPS[type_] else MEASURE_OPS[type_][0]
    of = {"of": str(shown.get("property", "")).strip()} if type_ == "number" else {}
    compared = {"op": op, **_operand(op, shown, type_)}
    return {"measure": str(shown.get("event", "")).strip(), "how": how, **of, **compared, **_which(shown, "last_unit")}


def _which(shown: Mapping[str, Any], unit: str) -> Body:
    """Which events are meant: their window, and what is in them. unit: the name of the window's field for it."""
    node: Body = {}
    if str(shown.get("last") or "").strip():
        node["within"] = {"last": _plain(str(shown["last"]), "number"), "unit": str(shown.get(unit) or "days")}
    where = [
        {"property": str(each.get("property", "")).strip(), **_property(each)}
        for each in shown.get("where") or ()
        if isinstance(each, Mapping)
    ]
    return {**node, "where": where} if where else node


def _property(shown: Mapping[str, Any]) -> Body:
    op = str(shown.get("op", "is"))
    op = op if op in PROPERTY_OPS else "is"
    return {"op": op, **_operand(op, shown, "any")}


def trigger_form(rule: Any) -> list[Body] | None:
    """A rule that asks the triggering event only, as its properties' fields, all of which must hold; None for any other rule."""
    nodes = rule["all"] if isinstance(rule, Mapping) and list(rule) == ["all"] and isinstance(rule["all"], list) else [rule]
    asked = [node["trigger"] for node in nodes if isinstance(node, Mapping) and list(node) == ["trigger"]]
    if not nodes or len(asked) < len(nodes) or not all(isinstance(each, Mapping) for each in asked):
        return None
    return [_shown_property(each) for each in asked]


def trigger_rule(shown: Any) -> Body | None:
    """The rule that the properties' fields describe; None without any."""
    fields = [each for each in shown if isinstance(each, Mapping)] if isinstance(shown, list) else []
    nodes: list[Body] = [{"trigger": {"property": str(each.get("property", "")).strip(), **_property(each)}} for each in fields]
    return {"all": nodes} if len(nodes) > 1 else nodes[0] if nodes else None


def fresh_property() -> Body:
    """A condition on an event's property, to be filled in."""
    return {"property": "", "op": "is", "value": ""}


def types_of(known: Mapping[str, AttributeBody]) -> dict[str, str]:
    """The type of each attribute."""
    return {name: body.type for name, body in known.items()}
