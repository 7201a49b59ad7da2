"""Segments: who is this, how many?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from audience import rule_forms, rule_places, rule_words
from audience.catalogue import AttributeBody, catalogue, titles_of, types_of
from audience.documents import SEGMENT, SegmentBody
from audience.events import event_names
from audience.explain import sample
from audience.id_lists import id_lists
from audience.models import Snapshot, Subscription
from audience.profiles import everyone
from audience.resolve import resolve
from audience.rules.operations import OPERATORS
from audience.sentences import sentence
from governance.door import (
    ConsoleRequest,
    Editor,
    Finding,
    Invalid,
    Missing,
    Role,
    console_page,
    documents,
    draw,
    edit,
    escape_part,
    in_words,
    list_context,
    parse,
    posted_body,
    still_empty,
)

SAMPLED = 6
NAMES = 300  # event names and topics offered


@console_page()
def segments(request: ConsoleRequest) -> HttpResponse:
    """Every segment with its rule in words and its last count."""
    context = list_context(request, SEGMENT)
    known = catalogue(request.actor.workspace_id)
    titles = titles_of(known)
    keys = [view.key for view in context["documents"]]
    counted: dict[str, Snapshot] = {}
    for row in Snapshot.objects.filter(workspace_id=request.actor.workspace_id, segment_key__in=keys).defer("bitmap").order_by("as_of"):
        counted[row.segment_key] = row
    context["rows"] = [
        {"document": view, "sentence": _words(view.latest, titles), "snapshot": counted.get(view.key)} for view in context["documents"]
    ]
    return render(request, "audience/segment_list.html", context)


def _words(revision: Any, titles: Mapping[str, str]) -> str:
    try:
        return sentence(revision.model.rule, titles)
    except Invalid:
        return "This rule no longer fits what rules may say."


def spoken(workspace_id: int, body: SegmentBody) -> str:
    """The rule as the person reads it who must vouch for it."""
    return sentence(body.rule, titles_of(catalogue(workspace_id)))


def _editor(request: ConsoleRequest) -> Editor:
    known = catalogue(request.actor.workspace_id)
    types, titles = types_of(known), titles_of(known)
    return Editor(
        SEGMENT,
        to_form=rule_forms.to_form,
        to_body=lambda form: rule_forms.to_body(form, types),
        make=rule_forms.make,
        steps=rule_forms.nest,
        place=rule_places.place,
        label=lambda path, form: rule_places.label(path, form, titles),
    )


@console_page(Role.AUTHOR)
def new_segment(request: ConsoleRequest) -> HttpResponse:
    """The rule builder, with one condition to start from."""
    return _draw(request, None)


@console_page()
def segment(request: ConsoleRequest, key: str) -> HttpResponse:
    """The rule builder, with how many people it finds."""
    return _draw(request, key)


def _draw(request: ConsoleRequest, key: str | None) -> HttpResponse:
    current = edit(request, _editor(request), key)
    if current.response is not None:
        return current.response
    known = catalogue(request.actor.workspace_id)
    extra = {
        "tree": _tree(current.form.get("rule", {}), "/rule", types_of(known), current.fault_at),
        "pickers": _pickers(request, known, key),
    }
    return draw(request, current, "audience/segment.html", "audience/_segment_form.html", extra)


@dataclass(frozen=True, slots=True)
class RuleNode:
    """One group or condition as the template draws it."""

    path: str
    shown: Mapping[str, Any]
    group: bool
    depth: int
    first: bool
    last: bool
    only: bool
    sort: str = ""
    name: str = ""
    type: str = ""
    ops: tuple[tuple[str, str], ...] = ()
    op: str = ""
    value_look: str = ""
    zoned: bool = False
    scored: bool = False
    fault: Finding | None = None
    children: list[RuleNode] = field(default_factory=list)
    number: str = ""

    @property
    def raw(self) -> str:
        """A condition that the builder can't show, as JSON."""
        return json.dumps(self.shown.get("raw"), ensure_ascii=False)

    @property
    def wrong(self) -> str:
        """Which of a condition's fields is at fault: value, op, count, last, or subject."""
        return (self.fault.path[len(self.path) + 1 :] or "subject") if self.fault else ""

    @property
    def holder(self) -> str:
        """The pointer of the group that it stands in."""
        return self.path.rpartition("/")[0]


def _tree(
    shown: Any,
    path: str,
    types: Mapping[str, str],
    faults: Mapping[str, Finding],
    depth: int = 0,
    at: tuple[int, int] = (0, 1),
    number: str = "",
) -> RuleNode:
    """The tree below a group or condition. at: its place among how many; number: "2.1" as a reader counts."""
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
    }
    fault = faults.get(path) or next(
        (each for where, each in faults.items() if where.startswith(f"{path}/") and "/of/" not in where[len(path) :]), None
    )
    if shown.get("subject") == "sequence" and not shown.get("steps"):
        common["shown"] = {**shown, "steps": [{"event": ""}, {"event": ""}]}
    if "of" in shown or "word" in shown:
        of = shown.get("of") if isinstance(shown.get("of"), list) else []
        below = [
            _tree(child, f"{path}/of/{step}", types, faults, depth + 1, (step, len(of or ())), f"{number}.{step + 1}".strip("."))
            for step, child in enumerate(of or ())
        ]
        return RuleNode(group=True, children=below, fault=fault if fault and fault.path in {path, f"{path}/of"} else None, **common)
    return RuleNode(group=False, fault=fault, **common, **_condition(shown, types))


def _condition(shown: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    sort, _, name = str(shown.get("subject", "")).partition(":")
    if sort not in {"attribute", "profile", "measure"}:
        return {"sort": sort, "name": name, "op": str(shown.get("op", ""))}  # the rest is in its fields
    if sort == "measure":
        type_ = rule_words.measure_type(shown.get("how"))
        allowed = rule_words.MEASURE_OPS[type_]
    else:
        type_ = types.get(name, "text") if sort == "attribute" else rule_words.FIELD_TYPES.get(name, "text")
        allowed = OPERATORS[type_]  # type: ignore[index]
    op = str(shown.get("op", ""))
    op = op if op in allowed else allowed[0]
    return {
        "sort": sort,
        "name": name,
        "type": type_,
        "ops": tuple((each, _op_words(each, type_)) for each in allowed),
        "op": op,
        "value_look": value_look(op, type_),
        "scored": sort == "attribute" and f"{name}.at" in types,
        "zoned": sort != "measure" and rule_words.hangs_on_the_zone(op, type_),
    }


def _op_words(op: str, type_: str) -> str:
    if type_ == "list" and op == "in":
        return "contains one of"
    if type_ == "list" and op == "not_in":
        return "contains none of"
    return rule_words.OP_WORDS[op]


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


def _pickers(request: ConsoleRequest, known: Mapping[str, AttributeBody], key: str | None) -> dict[str, Any]:
    """What the selects of the builder offer."""
    workspace_id = request.actor.workspace_id
    return {
        "attributes": sorted(((name, title or name) for name, title in titles_of(known).items()), key=lambda pair: pair[1].casefold()),
        "fields": list(rule_words.FIELD_WORDS.items()),
        "segments": [(view.key, view.title or view.key) for view in documents(workspace_id, SEGMENT) if view.key != key],
        "lists": [(each.key, each.title) for each in id_lists(workspace_id)],
        "events": event_names(workspace_id),
        "topics": list(
            Subscription.objects.filter(workspace_id=workspace_id)
            .exclude(topic="*")
            .order_by("topic")
            .values_list("topic", flat=True)
            .distinct()[:NAMES]
        ),
        "units": rule_words.UNITS,
        "groups": rule_words.GROUP_WORDS,
        "counts": rule_words.COUNT_WORDS,
        "hows": rule_words.HOW_WORDS,
        "messages": rule_words.MESSAGE_WORDS,
        "channels": rule_words.CHANNEL_WORDS,
        "apart_units": rule_words.APART_UNITS,
        "campaigns": [(view.key, view.title or view.key) for view in documents(workspace_id, "campaign")],
        **rule_words.PROPERTY_PICKERS,
    }


@console_page()
def look(request: ConsoleRequest) -> HttpResponse:
    """How many people the rule in the form finds, and some of them: asked again as it is edited."""
    now = timezone.now()
    try:
        body = posted_body(request, _editor(request))
        model = parse(SegmentBody, {**body, "title": str(body.get("title") or "") or "Untitled"})
        found = resolve(request.actor.workspace_id, model, as_of=now, drafts=True)
    except (Invalid, Missing) as error:
        findings = in_words(request, _editor(request), getattr(error, "findings", ()))
        return render(request, "audience/_look.html", {"unfinished": findings, "only_empty": still_empty(findings), "reason": error.reason})
    titles = titles_of(catalogue(request.actor.workspace_id))
    context = {
        "found": found,
        "sentence": sentence(model.rule, titles),
        "sample": sample(request.actor.workspace_id, model, SAMPLED, as_of=now, drafts=True, actor=request.actor) if found.count else [],
        "total": everyone(request.actor.workspace_id),
    }
    return render(request, "audience/_look.html", context)


__all__ = ["escape_part", "look", "new_segment", "segment", "segments"]
