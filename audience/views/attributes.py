"""The attribute catalogue: what may be known of people, from where, who asks for it; and what came in without being in it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audience.backends.database import Database
from audience.breakdown import breakdown
from audience.catalogue import ATTRIBUTE, PRIVACY_WORDS, TYPE_WORDS, catalogue, hidden_from, shown_to, titles_of
from audience.compound import parts
from audience.computed import recounts_waiting
from audience.proposals import dismiss, proposals
from audience.rules.bound import Constant
from governance.door import Body, ConsoleRequest, Missing, Refused, Role, console_page, list_context, save, used_by

LONGEST = 60  # characters of a value


@console_page()
def attributes(request: ConsoleRequest) -> HttpResponse:
    """Every attribute with what it holds and who asks for it, and the proposals above."""
    workspace_id = request.actor.workspace_id
    context, users = list_context(request, ATTRIBUTE.name), used_by(workspace_id, ATTRIBUTE.name)
    known = catalogue(workspace_id)
    waiting, seconds = recounts_waiting(workspace_id, now=timezone.now())
    context |= {
        "rows": [
            {
                "document": view,
                "body": view.latest.model,
                "holds": TYPE_WORDS[view.latest.model.type],
                "privacy": PRIVACY_WORDS[view.latest.model.sensitivity],
                "users": users.get(view.key, []),
            }
            for view in context["documents"]
        ],
        "proposals": [{"row": row, "looks": str(TYPE_WORDS[row.type]).lower()} for row in proposals(workspace_id, known)],
        "waiting": waiting,
        "seconds": seconds,
    }
    return render(request, "audience/attributes.html", context)


@console_page()
def values(request: ConsoleRequest, key: str) -> HttpResponse:
    """What is known of everybody under one attribute: how many have which value, and of whom it isn't known."""
    workspace_id, known = request.actor.workspace_id, catalogue(request.actor.workspace_id)
    body = known.get(key)
    if body is None:
        raise Missing("an attribute of this name")
    if hidden_from(request.actor.role, body):
        raise Refused(f"{body.title}: what people have there is shown to {shown_to(body)} only")
    offered = parts(key, body)
    part = request.GET.get("part", "")
    part = part if part in offered else next(iter(offered))
    broken = breakdown(workspace_id, Database().ids(workspace_id, Constant(True)), f"attribute:{part}")
    context = {
        "title": body.title,
        "trail": [{"title": "Attributes", "href": reverse("audience:attributes")}],
        "body": body,
        "key": key,
        "part": part,
        "parts": [(name, titles_of(known)[name]) for name in offered],
        "broken": broken,
        "bars": [(bar.label[:LONGEST], bar.people) for bar in broken.bars],
        "users": used_by(workspace_id, ATTRIBUTE.name).get(key, []),
    }
    return render(request, "audience/attribute_values.html", context)


@require_POST
@console_page(Role.AUTHOR)
def decide_proposal(request: ConsoleRequest, key: str) -> HttpResponse:
    """Draft the attribute, to be looked at and released; or propose it no more, until it comes again."""
    workspace_id = request.actor.workspace_id
    if request.POST.get("do") != "add":
        dismiss(workspace_id, key)
        return redirect("audience:attributes")
    found = next((row for row in proposals(workspace_id, catalogue(workspace_id)) if row.name == key), None)
    if found is None:
        raise Missing("a proposed attribute of this name: it may be in the catalogue by now")
    title = key.replace("_", " ").replace("-", " ").capitalize()
    body: Body = {"title": title, "type": found.type, "source": found.source}
    save(request.actor, ATTRIBUTE.name, key, body, base=None, note="It came in with people.", now=timezone.now())
    messages.success(request, f"{title} is drafted. Look at what it holds and how private it is, and have it released.")
    return redirect("governance:edit", ATTRIBUTE.plural, key)


__all__ = ["attributes", "decide_proposal", "values"]
