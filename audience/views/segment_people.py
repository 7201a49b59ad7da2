"""Who a segment finds: the count, where they live, some of them, one certain person, and what it shares with another segment."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from audience.documents import SEGMENT, SegmentBody
from audience.explain import explain, sample
from audience.masking import shown_one
from audience.names import named_in, names_of
from audience.profiles import countries, everyone, find
from audience.resolve import Resolution, count, resolve
from audience.snapshots import growth
from audience.views.segments import spoken
from governance.door import Actor, ConsoleRequest, Invalid, Missing, console_page, document, document_context, documents

SHOWN, NATIONS = 20, 8


@console_page()
def preview(request: ConsoleRequest, key: str) -> HttpResponse:
    """Who the draft finds."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    view = document(workspace_id, SEGMENT, key)
    context: dict[str, Any] = {
        **document_context(request, view, "preview"),
        "person_q": request.GET.get("person", "").strip()[:200],
        "other_key": request.GET.get("with", "").strip()[:80],
        "others": [(each.key, each.title or each.key) for each in documents(workspace_id, SEGMENT) if each.key != key],
    }
    try:
        model = view.latest.model
        found = resolve(workspace_id, model, as_of=now, drafts=True)
        where = sorted(countries(workspace_id, found.ids).items(), key=lambda pair: -pair[1])
        context |= {
            "found": found,
            "differs": view.released is not None and (view.state != "released" or context["below"]),
            "total": everyone(workspace_id),
            "sentence": spoken(workspace_id, model),
            "named": named_in(model.rule, names_of(workspace_id)),
            "countries": [(name, many) for name, many in where[:NATIONS]],
            "elsewhere": sum(many for _, many in where[NATIONS:]),
            "sample": sample(workspace_id, model, SHOWN, as_of=now, drafts=True, actor=request.actor),
            "growth": (grown := growth(workspace_id, key)),
            "columns": [(f"{day.day} {day:%b}", many) for day, many in grown.days],
        }
        if context["person_q"]:
            context |= _person_in(request.actor, model, context["person_q"])
        if context["other_key"]:
            context |= _shared(workspace_id, found, context["other_key"])
    except (Invalid, Missing) as error:
        context |= {"unfinished": getattr(error, "findings", ()), "reason": error.reason}
    return render(request, "audience/segment_preview.html", context)


@console_page()
def counted(request: ConsoleRequest, key: str) -> HttpResponse:
    """How many people the draft finds now: a cell of the list of segments, asked for when it comes into sight."""
    workspace_id = request.actor.workspace_id
    try:
        many: int | None = count(workspace_id, document(workspace_id, SEGMENT, key).latest.model, as_of=timezone.now(), drafts=True)
    except Invalid:
        many = None
    context = {"many": many, "total": everyone(workspace_id), "in_line": request.GET.get("as") == "people"}
    return render(request, "audience/_counted.html", context)


def _person_in(actor: Actor, model: SegmentBody, text: str) -> dict[str, Any]:
    workspace_id = actor.workspace_id
    person = find(workspace_id, external_id=text) or find(workspace_id, address=text)
    if person is None:
        return {"nobody": True}
    told = explain(workspace_id, model, person.id, as_of=timezone.now(), drafts=True, role=actor.role)
    return {"person": shown_one(actor, person), "told": told}


def _shared(workspace_id: int, found: Resolution, other_key: str) -> dict[str, Any]:
    """How far this segment and another one are the same people, both as last saved."""
    other = document(workspace_id, SEGMENT, other_key)
    theirs = resolve(workspace_id, other.latest.model, as_of=found.as_of, drafts=True)
    both = found.ids.intersection_cardinality(theirs.ids)
    return {"other": other, "both": both, "only_here": found.count - both, "only_there": theirs.count - both}
