"""The rule as the builder's template draws it: a tree of groups and conditions, each with its choices and its fault."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from audience import rule_words
from audience.names import Names
from audience.record_types import RecordTypeBody
from audience.rule_shown import words_of
from audience.rule_written import operators_of, reading
from audience.suggestions import SUGGESTED_FIELDS
from governance.door import Finding

WHOLE = {"is", "is_not", "in", "not_in", "has_all", "starts_with"}  # operators whose value is one that somebody may have


@dataclass(frozen=True, slots=True)
class Offer:
    """What the catalogue has for conditions on attributes. types and units: by the names that rules use; closed: those names whose
    values aren't for whoever looks; names: what things are called; records: the types of records that rules may ask."""

    types: Mapping[str, str]
    units: Mapping[str, str]
    closed: Set[str]
    names: Names = field(default_factory=Names)
    records: Mapping[str, RecordTypeBody] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldTest:
    """A condition on one of a record's fields, as the template draws it."""

    shown: Mapping[str, Any]
    ops: tuple[tuple[str, str], ...]
    op: str
    value_look: str
    zoned: bool
    unit: str


@dataclass(frozen=True, slots=True)
class RuleNode:
    """One group or condition as the template draws it. values: whose values its field suggests, as the page of suggestions calls it;
    words: what a condition asks that the builder has no fields for; tests, fields, roles: of a condition on records, what holds of
    each, and what there is to choose from; noun, counted: what one of them is called, and as many as are asked for; odd: hidden fields,
    by which operators that don't fit are told from left-over ones."""

    path: str
    shown: Mapping[str, Any]
    group: bool
    depth: int
    first: bool
    last: bool
    only: bool
    below_a_group: bool = False
    sort: str = ""
    name: str = ""
    type: str = ""
    ops: tuple[tuple[str, str], ...] = ()
    op: str = ""
    value_look: str = ""
    zoned: bool = False
    scored: bool = False
    fault: Finding | None = None
    values: str = ""
    unit: str = ""
    closed: bool = False
    children: list[RuleNode] = field(default_factory=list)
    number: str = ""
    words: str = ""
    noun: str = ""
    counted: str = ""
    tests: tuple[FieldTest, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    roles: tuple[str, ...] = ()
    odd: tuple[tuple[str, str], ...] = ()

    @property
    def is_day(self) -> bool:
        """Whether a field for days can hold what the condition compares with."""
        said = (str(self.shown.get(part) or "") for part in ("value", "low", "high"))
        return all(not day or re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) for day in said)

    @property
    def raw(self) -> str:
        """A condition that the builder can't show, as JSON."""
        return json.dumps(self.shown.get("raw"), ensure_ascii=False)

    @property
    def wrong(self) -> str:
        """Which of a condition's fields is at fault: value, op, count, last, or subject."""
        return (self.fault.path[len(self.path) + 1 :] or "subject") if self.fault else ""


def rule_tree(
    shown: Any,
    path: str,
    offer: Offer,
    faults: Mapping[str, Finding],
    depth: int = 0,
    at: tuple[int, int] = (0, 1),
    number: str = "",
    below_a_group: bool = False,
) -> RuleNode:
    """The tree below a group or condition. at: its place among how many; number: "2.1" as a reader counts; below_a_group: whether one of
    those before it in its group is a group, into which it could go."""
    place, many = at
    shown = shown if isinstance(shown, Mapping) else {"subject": "", "raw": shown}
    common: dict[str, Any] = {
        "path": path,
        "shown": shown,
        "depth": depth,
        "first": place == 0,
        "last": place == many - 1,
        "only": many == 1,
        "number": number,
        "below_a_group": below_a_group,
    }
    fault = faults.get(path) or next(
        (each for where, each in faults.items() if where.startswith(f"{path}/") and "/of/" not in where[len(path) :]), None
    )
    if shown.get("subject") == "sequence" and not shown.get("steps"):
        common["shown"] = {**shown, "steps": [{"event": ""}, {"event": ""}]}
    if "of" in shown or "word" in shown:
        of = shown.get("of") if isinstance(shown.get("of"), list) else []
        below: list[RuleNode] = []
        for step, child in enumerate(of or ()):
            place_and_many, named = (step, len(of or ())), f"{number}.{step + 1}".strip(".")
            after_a_group = any(each.group for each in below)
            below.append(rule_tree(child, f"{path}/of/{step}", offer, faults, depth + 1, place_and_many, named, after_a_group))
        return RuleNode(group=True, children=below, fault=fault if fault and fault.path in {path, f"{path}/of"} else None, **common)
    return RuleNode(group=False, fault=fault, **common, **_condition(shown, offer), odd=_odd(shown, path))


def _condition(shown: Mapping[str, Any], offer: Offer) -> dict[str, Any]:
    sort, _, name = str(shown.get("subject", "")).partition(":")
    often = rule_words.operator(shown, rule_words.SEQUENCE_OPS if sort == "sequence" else rule_words.COUNT_OPS, "")
    if sort == "record":
        return {"sort": sort, "name": name, "op": often, **_of_records(name, shown, offer.records.get(name))}
    if sort not in {"attribute", "profile", "measure"}:
        words = words_of(shown.get("raw"), offer.names) if not sort else ""
        return {"sort": sort, "name": name, "op": often, "words": words}  # the rest is in its fields
    if sort == "measure":
        type_ = rule_words.measure_type(shown.get("how"))
        allowed = rule_words.MEASURE_OPS[type_]
    else:
        known = offer.types if sort == "attribute" else rule_words.FIELD_TYPES
        type_ = known.get(name, rule_words.UNKNOWN)
        allowed = operators_of(type_)
    op = rule_words.operator(shown, allowed, allowed[0])
    type_ = type_ if sort == "measure" else reading(op, type_)
    return {
        "sort": sort,
        "name": name,
        "type": type_,
        "ops": _ops(allowed, op, several=type_ == "list", past=sort == "measure"),
        "op": op,
        "value_look": value_look(op, type_),
        "values": _suggested(sort, name, op, type_, offer),
        "unit": offer.units.get(name, "") if sort == "attribute" and type_ == "number" else "",
        "closed": sort == "attribute" and name in offer.closed,
        "scored": sort == "attribute" and (f"{name}.at" in offer.types or bool(shown.get("fresh"))),
        "zoned": sort != "measure" and rule_words.hangs_on_the_zone(op, type_),
    }


def _of_records(name: str, shown: Mapping[str, Any], type_: RecordTypeBody | None) -> dict[str, Any]:
    """What stands below a condition on records. A field or role that the type doesn't have any more stays to be seen."""
    where = [each for each in shown.get("where") or () if isinstance(each, Mapping)]
    known = {each.name: each for each in type_.fields} if type_ else {}
    tests = []
    for each in where:
        body = known.get(str(each.get("field", "")))
        kind: str = body.type if body else rule_words.UNKNOWN
        allowed = operators_of(kind)
        op = rule_words.operator(each, allowed, allowed[0])
        ops, kind = _ops(allowed, op, several=kind == "list", past=False), reading(op, kind)
        unit = body.unit if body and kind == "number" else ""
        tests.append(FieldTest(each, ops, op, value_look(op, kind), rule_words.hangs_on_the_zone(op, kind), unit))
    named = {each.name: each.title or rule_words.field_words(each.name) for each in known.values()}
    lost = {field: field for each in where if (field := str(each.get("field", ""))) and field not in named}
    roles = tuple(dict.fromkeys((*(type_.roles if type_ else ()), *filter(None, [str(shown.get("role") or "")]))))
    title, many = type_.title if type_ else name, str(shown.get("count") or "1") != "1"
    nouns = {"noun": rule_words.record_noun(title, many=False), "counted": rule_words.record_noun(title, many=many)}
    return {"tests": tuple(tests), "fields": tuple((named | lost).items()), "roles": roles, **nouns}


def _ops(allowed: Sequence[str], op: str, *, several: bool, past: bool) -> tuple[tuple[str, str], ...]:
    """The operators to choose from, and the one that was chosen all the same."""
    offered = tuple((each, rule_words.op_words(each, several=several, past=past)) for each in allowed)
    return offered if op in allowed else (*offered, (op, f"{rule_words.OP_WORDS.get(op, op)} (doesn’t fit here)"))


def _odd(shown: Mapping[str, Any], path: str) -> tuple[tuple[str, str], ...]:
    """What the operators that don't fit were written for, as hidden fields: of the condition, and of what holds of each record."""
    where = shown.get("where") if isinstance(shown.get("where"), list) else []
    parts = [(path, shown), *((f"{path}/where/{at}", each) for at, each in enumerate(where or ()) if isinstance(each, Mapping))]
    return tuple((f"{at}/about", rule_words.about(each)) for at, each in parts if each.get("about") == rule_words.about(each))


def _suggested(sort: str, name: str, op: str, type_: str, offer: Offer) -> str:
    if sort == "profile":
        return f"profile:{name}" if name in SUGGESTED_FIELDS and op in WHOLE else ""
    if sort != "attribute" or name not in offer.types or name in offer.closed:
        return ""
    whole = op in WHOLE or (type_ == "list" and op == "contains")
    return f"attribute:{name}" if type_ == "number" or (type_ in ("text", "list") and whole) else ""


def value_look(op: str, type_: str) -> str:
    """How a value is asked for: nothing, lines, between, near, span, boolean, date, datetime, number or text."""
    if op in rule_words.BARE:
        return "nothing"
    if op in rule_words.LISTS:
        return "lines"
    if op in {"between", "near"}:
        return op
    if op in rule_words.SPANS:
        return "span"
    return type_ if type_ in {"boolean", "date", "number"} else "date" if type_ == "datetime" else "text"
