"""The attribute catalogue: what may be known of people, from where, who asks for it; and what came in without being in it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from audience.catalogue import ATTRIBUTE, PRIVACY_WORDS, TYPE_WORDS, catalogue
from audience.computed import recounts_waiting
from audience.proposals import dismiss, proposals
from governance.door import Body, ConsoleRequest, Missing, Role, console_page, list_context, save, used_by


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


@require_POST
@console_page(Role.AUTHOR)
def decide_proposal(request: ConsoleRequest, name: str) -> HttpResponse:
    """Draft the attribute, to be looked at and released; or propose it no more, until it comes again."""
    workspace_id = request.actor.workspace_id
    if request.POST.get("do") != "add":
        dismiss(workspace_id, name)
        return redirect("audience:attributes")
    found = next((row for row in proposals(workspace_id, catalogue(workspace_id)) if row.name == name), None)
    if found is None:
        raise Missing("a proposed attribute of this name: it may be in the catalogue by now")
    title = name.replace("_", " ").replace("-", " ").capitalize()
    body: Body = {"title": title, "type": found.type, "source": found.source}
    save(request.actor, ATTRIBUTE.name, name, body, base=None, note="It came in with people.", now=timezone.now())
    messages.success(request, f"{title} is drafted. Look at what it holds and how private it is, and have it released.")
    return redirect("governance:edit", ATTRIBUTE.plural, name)


__all__ = ["attributes", "decide_proposal"]
