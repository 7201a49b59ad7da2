"""The builder's fields as a rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audience.rule_words import (
    BARE,
    COUNT_OPS,
    FIELD_TYPES,
    GROUPS,
    LISTS,
    MEASURE_OPS,
    PROPERTY_OPS,
    SEQUENCE_OPS,
    SPANS,
    UNKNOWN,
    field_of,
    hangs_on_the_zone,
    measure_type,
    operator,
)
from audience.rules.operations import OPERATORS
from governance.door import Body


def node(shown: Any, types: Mapping[str, str]) -> Any:
    if not isinstance(shown, Mapping):
        return shown
    if "of" in shown or "word" in shown:
        word = str(shown.get("word", "all"))
        children = shown.get("of", [])
        if word == "" and isinstance(children, list) and len(children) == 1:
            return node(children[0], types)  # a rule of one condition, written without a group
        return {word if word in GROUPS else "all": [node(child, types) for child in children] if isinstance(children, list) else []}
    subject, _, name = str(shown.get("subject", "")).partition(":")
    if subject == "attribute":
        return {"attribute": name, **_test(shown, types.get(name, UNKNOWN)), **_fresh(shown)}
    if subject == "profile":
        return {"profile": name, **_test(shown, FIELD_TYPES.get(name, UNKNOWN))}
    if subject == "event":
        return _event(shown)
    if subject == "measure":
        return _measure(shown)
    if subject == "message":
        return _message(name, shown)
    if subject == "sequence":
        return _sequence(shown)
    if subject == "record":
        return _record(name, shown, types)
    if subject == "share":
        return {"share": {"percent": plain(str(shown.get("percent", "")), "number"), "salt": str(shown.get("salt", "")).strip()}}
    if subject == "segment":
        return {"segment": str(shown.get("segment", ""))}
    if subject == "list":
        return {"list": str(shown.get("list", ""))}
    if subject == "consent":
        state = {"state": str(shown["said"])} if shown.get("said") else {}
        return {"consent": {"channel": str(shown.get("channel") or "email"), "topic": str(shown.get("topic", "")).strip(), **state}}
    if subject == "reachable":
        return {"reachable": str(shown.get("channel") or "email")}
    if subject == "everyone":
        return {"everyone": True}
    return shown.get("raw", {})


def _test(shown: Mapping[str, Any], type_: str) -> Body:
    """The operator and its value; an operator of another type becomes the first one of this type."""
    allowed = operators_of(type_)
    op = operator(shown, allowed, allowed[0])
    zone = {"zone": "own"} if shown.get("zone") and hangs_on_the_zone(op, type_) else {}
    return {"op": op, **_operand(op, shown, reading(op, type_)), **zone}


def operators_of(type_: str) -> tuple[str, ...]:
    """What may be asked of something of this type."""
    return OPERATORS.get(type_, PROPERTY_OPS)  # type: ignore[call-overload,no-any-return]


def reading(op: str, type_: str) -> str:
    """As what a typed value is read: as "any" where nobody can say what the operator is meant to compare."""
    return "any" if type_ == UNKNOWN or op not in operators_of(type_) else type_


def _fresh(shown: Mapping[str, Any]) -> Body:
    amount = str(shown.get("fresh") or "").strip()
    return {"fresh": {"amount": plain(amount, "number"), "unit": str(shown.get("fresh_unit") or "days")}} if amount else {}


def _operand(op: str, shown: Mapping[str, Any], type_: str) -> Body:
    if op in BARE:
        return {}
    if op in LISTS:
        lines = str(shown.get("values") or shown.get("value") or "")
        items = [item.strip() for item in re.split(r"[\n,;]", lines) if item.strip()]
        return {"value": [plain(item, type_) for item in items]}
    if op == "between":
        return {"value": [plain(str(shown.get("low", "")), type_), plain(str(shown.get("high", "")), type_)]}
    if op == "near":
        return {"value": {part: plain(str(shown.get(part) or ""), "number") for part in ("lat", "lon", "km")}}
    if op == "anniversary" and not str(shown.get("amount") or "").strip():
        return {}  # today
    if op in SPANS:
        return {"value": {"amount": plain(str(shown.get("amount") or ""), "number"), "unit": str(shown.get("unit") or "days")}}
    return {"value": plain(str(shown.get("value", "")), type_)}


def plain(text: str, type_: str) -> Any:
    """The value as its type; what doesn't fit stays text, so that the check names it."""
    text = text.strip()
    if type_ == "any" and len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if type_ == "boolean":
        return {"true": True, "false": False, "yes": True, "no": False}.get(text.casefold(), text)
    if type_ == "number" or type_ == "any":
        tight = re.sub(r"(?<=\d)[\s,_](?=\d{3}\b)", "", text)
        if re.fullmatch(r"[-+]?\d{1,15}", tight) or (type_ == "number" and re.fullmatch(r"[-+]?\d{16}", tight)):
            return int(tight)
        if re.fullmatch(r"[-+]?\d{0,16}\.\d{1,25}", tight):
            return float(tight)
    if type_ == "any" and text in {"true", "false"}:
        return text == "true"
    return text


def _event(shown: Mapping[str, Any]) -> Body:
    return {"event": str(shown.get("event", "")).strip(), **_often(shown), **_which(shown, "unit")}


def _message(name: str, shown: Mapping[str, Any]) -> Body:
    named = {"campaign": shown.get("campaign"), "channel": shown.get("of_channel")}
    given = {of: text for of, value in named.items() if (text := str(value or "").strip())}
    return {"message": name, **given, **_often(shown), **_which({**shown, "where": ()}, "unit")}


def _often(shown: Mapping[str, Any]) -> Body:
    op, count = operator(shown, COUNT_OPS, ""), str(shown.get("count") or "").strip()
    often: Body = {"op": op} if op else {}
    return {**often, "count": plain(count, "number")} if op != "never" and count else often


def _record(name: str, shown: Mapping[str, Any], types: Mapping[str, str]) -> Body:
    role = str(shown.get("role") or "").strip()
    where = [
        {"field": field, **_test(each, types.get(field_of(name, field), UNKNOWN))}
        for each in shown.get("where") or ()
        if isinstance(each, Mapping)
        for field in [str(each.get("field", ""))]
    ]
    return {"record": name, **({"role": role} if role else {}), **_often(shown), **({"where": where} if where else {})}


def _sequence(shown: Mapping[str, Any]) -> Body:
    steps = [each for each in shown.get("steps") or () if isinstance(each, Mapping)]
    written = [{"event": str(step.get("event", "")).strip(), **_which({"where": step.get("where")}, "unit")} for step in steps]
    op = {"op": said} if (said := operator(shown, SEQUENCE_OPS, "")) else {}
    apart = {"amount": plain(str(shown.get("amount") or ""), "number"), "unit": str(shown.get("apart_unit") or "days")}
    return {"sequence": written, **op, "apart": apart, **_which({**shown, "where": ()}, "unit")}


def _measure(shown: Mapping[str, Any]) -> Body:
    how, type_ = str(shown.get("how") or "sum"), measure_type(shown.get("how"))
    op = operator(shown, MEASURE_OPS[type_], MEASURE_OPS[type_][0])
    of = {"of": str(shown.get("property", "")).strip()} if type_ == "number" else {}
    compared = {"op": op, **_operand(op, shown, type_ if op in MEASURE_OPS[type_] else "any")}
    return {"measure": str(shown.get("event", "")).strip(), "how": how, **of, **compared, **_which(shown, "last_unit")}


def _which(shown: Mapping[str, Any], unit: str) -> Body:
    """Which events are meant: their window, and what is in them. unit: the name of the window's field for it."""
    node: Body = {}
    if str(shown.get("last") or "").strip():
        node["within"] = {"last": plain(str(shown["last"]), "number"), "unit": str(shown.get(unit) or "days")}
    where = [
        {"property": str(each.get("property", "")).strip(), **property_test(each)}
        for each in shown.get("where") or ()
        if isinstance(each, Mapping)
    ]
    return {**node, "where": where} if where else node


def property_test(shown: Mapping[str, Any]) -> Body:
    op = str(shown.get("op") or "is")
    return {"op": op, **_operand(op, shown, "any")}
