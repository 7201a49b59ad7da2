"""Segments: who is this, how many?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from audience import rule_forms, rule_places, rule_steps, rule_words
from audience.catalogue import AttributeBody, attribute_of, catalogue, hidden_from, titles_of, types_of
from audience.documents import SEGMENT, SegmentBody
from audience.events import event_names
from audience.explain import sample
from audience.id_lists import id_lists, list_of
from audience.models import Snapshot, Subscription
from audience.names import Names, named_in, names_of
from audience.profiles import everyone
from audience.record_types import record_types
from audience.resolve import count, resolve
from audience.rules.bound import Type
from audience.sentences import outline, sentence
from audience.views.rule_tree import Offer, rule_tree
from audience.views.unfinished import Unfinished, unfinished
from governance.door import (
    ConsoleRequest,
    Editor,
    Invalid,
    Missing,
    Role,
    console_page,
    document,
    documents,
    draw,
    edit,
    escape_part,
    list_context,
    parse,
    posted_body,
    released,
    whole_number,
)

SAMPLED = 6
NAMES = 300  # event names and topics offered


@console_page()
def segments(request: ConsoleRequest) -> HttpResponse:
    """Every segment with its rule in words and its last count."""
    context = list_context(request, SEGMENT)
    names = names_of(request.actor.workspace_id)
    keys = [view.key for view in context["documents"]]
    counted: dict[str, Snapshot] = {}
    for row in Snapshot.objects.filter(workspace_id=request.actor.workspace_id, segment_key__in=keys).defer("bitmap").order_by("as_of"):
        counted[row.segment_key] = row
    context["rows"] = [
        {"document": view, "sentence": _words(view.latest, names), "snapshot": counted.get(view.key)} for view in context["documents"]
    ]
    return render(request, "audience/segment_list.html", context)


def _words(revision: Any, names: Names) -> str:
    try:
        return sentence(revision.model.rule, names)
    except Invalid:
        return "This rule no longer fits what rules may say."


def spoken(workspace_id: int, body: SegmentBody) -> str:
    """The rule as the person reads it who must vouch for it."""
    return sentence(body.rule, names_of(workspace_id))


def outlined(workspace_id: int, body: SegmentBody) -> str:
    """A segment's rule with a line for each condition."""
    return outline(body.rule, names_of(workspace_id))


def _editor(request: ConsoleRequest) -> Editor:
    known = catalogue(request.actor.workspace_id)
    types, names = types_of(known) | _field_types(request.actor.workspace_id), names_of(request.actor.workspace_id, known)
    return Editor(
        SEGMENT,
        to_form=lambda body: rule_forms.to_form(body, types),
        to_body=lambda form: rule_forms.to_body(form, types),
        make=rule_forms.make,
        steps=rule_steps.steps,
        focus=rule_steps.focus,
        place=rule_places.place,
        label=lambda path, form: rule_places.label(path, form, names),
        begin=_of_list(request),
    )


def _of_list(request: ConsoleRequest) -> dict[str, Any] | None:
    """What a segment begins with that is made of a list (`?list=`): the people on it. Raises Missing."""
    key = request.GET.get("list", "")[:80]
    return {"title": list_of(request.actor.workspace_id, key).title, "rule": {"list": key}} if key else None


def _field_types(workspace_id: int) -> dict[str, Type]:
    """The types of records' fields, by the names that the builder's form reads them by."""
    return {rule_words.field_of(key, name): type_ for key, body in record_types(workspace_id).items() for name, type_ in body.types.items()}


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
    offer = _offer(request, known)
    extra = {
        "tree": rule_tree(current.form.get("rule", {}), "/rule", offer, current.fault_at),
        "pickers": _pickers(request, known, key) | {"records": [(name, body.title) for name, body in offer.records.items()]},
    }
    return draw(request, current, "audience/segment.html", "audience/_segment_form.html", extra)


def _offer(request: ConsoleRequest, known: Mapping[str, AttributeBody]) -> Offer:
    types = types_of(known)
    bodies = {name: attribute_of(known, name) for name in types}
    closed = {name for name, body in bodies.items() if hidden_from(request.actor.role, body)}
    units = {name: body.unit for name, body in bodies.items() if body and body.unit}
    workspace_id = request.actor.workspace_id
    return Offer(types, units, closed, names_of(workspace_id, known), record_types(workspace_id))


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


def asked_segment(request: ConsoleRequest) -> SegmentBody:
    """The segment that the form on the page describes, which needs no title yet. Raises Invalid and Missing.

    Where the reader may not edit, a browser sends none of the form's fields: then it is the one of `?key=`, as last saved.
    """
    key = request.GET.get("key", "")[:80]
    if key and not any(name == "source" or name.startswith("/rule") for name in request.POST):
        saved: SegmentBody = document(request.actor.workspace_id, SEGMENT, key).latest.model
        return saved
    body = posted_body(request, _editor(request))
    return parse(SegmentBody, {**body, "title": str(body.get("title") or "") or "Untitled"})


def what_to_finish(request: ConsoleRequest, error: Invalid | Missing) -> Unfinished:
    """What the builder's rule lacks that can't be counted for this reason."""
    return unfinished(request, _editor(request), error)


def _counted_before(request: ConsoleRequest) -> int | None:
    """How many people the rule found when it was last complete, as the page remembers."""
    counted = request.POST.get("look_before", "")
    return whole_number(counted, 11)


def _counted_in_force(request: ConsoleRequest, asked: SegmentBody | None, now: datetime) -> int | None:
    """How many people the released rule finds, where another one is asked for: counted once, then as the page remembers."""
    remembered = whole_number(request.POST.get("look_in_force", ""), 11)
    if remembered is not None or asked is None:
        return remembered
    try:
        live = released(request.actor.workspace_id, SEGMENT, request.GET.get("key", "")[:80]).model
        return None if live.rule == asked.rule else count(request.actor.workspace_id, live, as_of=now)
    except (Invalid, Missing):
        return None


@console_page()
def look(request: ConsoleRequest) -> HttpResponse:
    """How many people the rule in the form finds, and some of them: asked again as it is edited."""
    now = timezone.now()
    try:
        model = asked_segment(request)
        found = resolve(request.actor.workspace_id, model, as_of=now, drafts=True)
    except (Invalid, Missing) as error:
        remembered = {"before": _counted_before(request), "in_force": _counted_in_force(request, None, now)}
        return render(request, "audience/_look.html", {"unfinished": what_to_finish(request, error), **remembered})
    names = names_of(request.actor.workspace_id)
    context = {
        "found": found,
        "in_force": _counted_in_force(request, model, now),
        "sentence": sentence(model.rule, names),
        "named": named_in(model.rule, names),
        "sample": sample(request.actor.workspace_id, model, SAMPLED, as_of=now, drafts=True, actor=request.actor) if found.count else [],
        "total": everyone(request.actor.workspace_id),
    }
    return render(request, "audience/_look.html", context)


__all__ = ["escape_part", "look", "new_segment", "segment", "segments"]
