"""The explorer: pick a segment, and see what sort of people it has, where they live, and how it grows."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from audience.breakdown import breakdown
from audience.catalogue import AttributeBody, attribute_of, catalogue, hidden_from, shown_to, titles_of, types_of
from audience.documents import SEGMENT
from audience.masking import shown
from audience.names import named_in, names_of
from audience.profiles import everyone
from audience.resolve import resolve
from audience.rule_words import FIELD_WORDS
from audience.sets import some_of
from audience.snapshots import between, days_kept, growth, snapshot_of
from audience.views.segments import spoken
from governance.door import (
    ConsoleRequest,
    DocumentView,
    Finding,
    Invalid,
    Missing,
    Refused,
    console_page,
    document,
    documents,
)

COUNTRY = "profile:country"
FIRST = "profile:locale"  # what people are broken down by until somebody chooses
NATIONS, SAMPLED = 300, 5
LONGEST = 60  # characters of a value
SPANS = (30, 90, 365)  # days


@console_page()
def explore(request: ConsoleRequest, key: str) -> HttpResponse:
    """The page, which asks for its numbers by itself, and of which its growth is drawn anew; the numbers as a part of it; or, without
    scripts, both at once."""
    workspace_id = request.actor.workspace_id
    wanted = request.GET.get("segment", key)
    if wanted != key and any(view.key == wanted for view in documents(workspace_id, SEGMENT)):
        return redirect(f"{reverse('audience:segment-explore', args=[wanted])}?{urlencode({'by': request.GET.get('by', FIRST)})}")
    view, known = document(workspace_id, SEGMENT, key), catalogue(workspace_id)
    by = _subject(request, known)
    context: dict[str, Any] = {"document": view, "by": by, "query": request.GET.urlencode()}
    if request.headers.get("HX-Request") == "true" and request.headers.get("HX-Target") != "growth":
        return render(request, "audience/_explored.html", context | _numbers(request, view, by))
    context |= {
        "title": f"Explore {view.title or view.key}",
        "trail": [
            {"title": "Segments", "href": reverse("audience:segments")},
            {"title": view.title or view.key, "href": reverse("audience:segment-preview", args=[key])},
        ],
        "segments": [(each.key, each.title or each.key) for each in documents(workspace_id, SEGMENT)],
        "choices": _choices(request, known),
        **_grown(request, view),
    }
    if request.GET.get("whole") and "HX-Target" not in request.headers:
        context |= {"whole": True, **_numbers(request, view, by)}
    return render(request, "audience/explore.html", context)


def _subject(request: ConsoleRequest, known: dict[str, AttributeBody]) -> str:
    """What to break down by. Raises Missing for what there isn't, and Refused for what this role may not see."""
    by = request.GET.get("by", FIRST)[:200]
    sort, _, name = by.partition(":")
    if sort == "profile" and name in FIELD_WORDS:
        return by
    if sort == "attribute" and name in types_of(known):
        if _hidden(request, known, name):
            raise Refused(f"{titles_of(known)[name]}: what people have there is shown to {shown_to(attribute_of(known, name))} only")
        return by
    raise Missing("nothing that people could be broken down by is called so")


def _hidden(request: ConsoleRequest, known: dict[str, AttributeBody], name: str) -> bool:
    """Whether the attribute that the name belongs to, or is a part of, is not for this role."""
    return hidden_from(request.actor.role, attribute_of(known, name))


def _choices(request: ConsoleRequest, known: dict[str, AttributeBody]) -> list[dict[str, Any]]:
    """What the select offers; a sensitive attribute is named to everybody, and open to admins."""
    fields = [{"value": f"profile:{name}", "title": title} for name, title in FIELD_WORDS.items()]
    attributes = [
        {
            "value": f"attribute:{name}",
            "title": title or name,
            "closed": shown_to(attribute_of(known, name)) if _hidden(request, known, name) else "",
        }
        for name, title in sorted(titles_of(known).items(), key=lambda each: (each[1] or each[0]).casefold())
    ]
    return [{"title": "Profile", "of": fields}, {"title": "Attributes", "of": attributes}]


def _numbers(request: ConsoleRequest, view: DocumentView, by: str) -> dict[str, Any]:
    """Who the segment has, broken down; by the revision in force, or as last saved where none is."""
    workspace_id, now = view.workspace_id, timezone.now()
    try:
        chosen = view.released or view.latest
        model = chosen.model
        found = resolve(workspace_id, model, as_of=now, drafts=view.released is None)
    except (Invalid, Missing) as error:
        return {"unfinished": getattr(error, "findings", ()), "reason": error.reason}
    where = breakdown(workspace_id, found.ids, COUNTRY, most=NATIONS)
    broken = where if by == COUNTRY else breakdown(workspace_id, found.ids, by)
    return {
        "found": found,
        "chosen": chosen,
        "total": everyone(workspace_id),
        "sentence": spoken(workspace_id, model),
        "named": named_in(model.rule, names_of(workspace_id)),
        "broken": broken,
        "bars": [(bar.value if by == COUNTRY else bar.label[:LONGEST], bar.people) for bar in broken.bars],
        "where": where,
        "countries": [(bar.value, bar.people) for bar in where.bars] + ([("", where.missing)] if where.missing else []),
    }


def _grown(request: ConsoleRequest, view: DocumentView) -> dict[str, Any]:
    """How many were in the segment each day, and who came and went between two of them."""
    workspace_id, key = view.workspace_id, view.key
    days = next((span for span in SPANS if request.GET.get("days") == str(span)), SPANS[0])
    told, kept = growth(workspace_id, key, days=days), days_kept(workspace_id, key)
    context = {
        "days": days,
        "spans": SPANS,
        "growth": told,
        "columns": [(f"{day.day} {day:%b}" if days < 365 else f"{day.day} {day:%b %Y}", many) for day, many in told.days],
        "kept": kept,
    }
    if len(kept) > 1:
        since, until = _day(request, "since", kept[1]), _day(request, "until", kept[0])
        context |= {"since": since, "until": until}
        try:
            moved = between(snapshot_of(workspace_id, key, since), snapshot_of(workspace_id, key, until))
            context |= {"moved": moved}
            for name, ids in (("entered", moved.entered), ("left", moved.left)):
                context[name] = shown(request.actor, some_of(workspace_id, ids, SAMPLED))
        except Missing as error:
            context |= {"not_kept": error.reason}
    return context


def _day(request: ConsoleRequest, name: str, otherwise: date) -> date:
    """A day that the address names. Raises Invalid for what is no day."""
    given = request.GET.get(name, "")
    try:
        return date.fromisoformat(given) if given else otherwise
    except ValueError:
        raise Invalid([Finding("error", f"/{name}", given[:40], "a day such as 2026-01-31")]) from None
