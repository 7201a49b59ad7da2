"""Profiles: who is she to us?"""

from __future__ import annotations

from typing import Any

import orjson
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audience.catalogue import catalogue, hidden_from
from audience.consent import consents, proof
from audience.dead_letters import waiting_letters
from audience.devices import devices_of
from audience.erasure import erase
from audience.masking import search_as, sees_addresses, shown
from audience.models import Event, Profile
from audience.other_ids import other_ids
from audience.profiles import Person, everyone, load
from audience.telling import everything_of
from audience.views.profile_records import shown_records
from governance.door import ConsoleRequest, Missing, Role, console_page, page, whole_number

EACH = 50


@console_page()
def profiles(request: ConsoleRequest) -> HttpResponse:
    """Everybody we know, found by external id or address."""
    text = request.GET.get("q", "").strip()[:320]
    after = request.GET.get("cursor", "")
    start = whole_number(after) or 0
    found = search_as(request.actor, text, limit=EACH + 1, after=start)
    waiting, _ = waiting_letters(request.actor.workspace_id)
    context = {
        "title": "Profiles",
        "people": found[:EACH],
        "page": {"items": found[:EACH], "next": str(found[EACH - 1].id) if len(found) > EACH else None},
        "q": text,
        "sees_addresses": sees_addresses(request.actor),
        "total": everyone(request.actor.workspace_id),
        "dead_letters": bool(settings.OMNI.stream_url or waiting),
        "letters_waiting": waiting,
    }
    return render(request, "audience/profile_list.html", context)


@console_page()
def profile(request: ConsoleRequest, profile_id: int) -> HttpResponse:
    """One person: what we know, what they agreed to, what they did, what they got."""
    workspace_id = request.actor.workspace_id
    row = Profile.objects.filter(workspace_id=workspace_id, pk=profile_id).first() if profile_id < 2**63 else None
    people = load(workspace_id, [profile_id]) if row else []
    if row is not None and row.merged_into is not None:
        return redirect("audience:profile", row.merged_into)
    if row is None or not people:
        raise Missing("no such profile: it may have been erased")
    person = shown(request.actor, people)[0]
    events = page(Event.objects.filter(workspace_id=workspace_id, profile_id=profile_id), request, lambda event: event, ("-at", "-id"))
    context = {
        "title": name_of(person),
        "trail": [{"title": "Profiles", "href": reverse("audience:profiles")}],
        "person": person,
        "row": row,
        "attributes": _attributes(request, people[0]),
        "sees_addresses": sees_addresses(request.actor),
        "consents": consents(workspace_id, profile_id),
        "proof": proof(workspace_id, profile_id)[:50],
        "devices": devices_of(workspace_id, profile_id),
        "records": shown_records(workspace_id, profile_id, request.actor.role),
        "events": [_event(event, hidden=not sees_addresses(request.actor)) for event in events["items"]],
        "page": events,
        "other_ids": other_ids(workspace_id, profile_id),
        "may_erase": request.actor.role.covers(Role.ADMIN),
    }
    return render(request, "audience/profile.html", context)


@require_POST
@console_page(Role.ADMIN)
def forget(request: ConsoleRequest, profile_id: int) -> HttpResponse:
    """Erase a person, once their external id was typed."""
    people = load(request.actor.workspace_id, [profile_id]) if profile_id < 2**63 else []
    if not people:
        raise Missing("no such profile: it may have been erased")
    external_id = people[0].external_id
    if request.POST.get("typed", "").strip() != external_id:
        messages.error(request, "Not erased: what was typed is not the external id of this person.")
        return redirect("audience:profile", profile_id)
    erase(request.actor, external_id, now=timezone.now())
    messages.success(request, f"{external_id} is erased.")
    return redirect("audience:profiles")


@require_POST
@console_page(Role.ADMIN)
def everything(request: ConsoleRequest, profile_id: int) -> HttpResponse:
    """All that is kept of a person, as a file for them."""
    people = load(request.actor.workspace_id, [profile_id]) if profile_id < 2**63 else []
    if not people:
        raise Missing("no such profile: it may have been erased")
    told = everything_of(request.actor, people[0].external_id, now=timezone.now())
    headers = {"Content-Disposition": f"attachment; filename=person-{profile_id}.json"}
    return HttpResponse(orjson.dumps(told, option=orjson.OPT_INDENT_2), content_type="application/json", headers=headers)


def _event(event: Event, *, hidden: bool) -> dict[str, Any]:
    ours = event.name.startswith("message.")
    return {
        "event": event,
        "properties": {} if hidden else event.properties,
        "ours": ours,
        "icon": "message" if ours else "event",
        "words": event.name.replace("message.", "").replace("_", " ").replace(".", " "),
    }


def _attributes(request: ConsoleRequest, person: Person) -> list[dict[str, Any]]:
    """What is known, by the catalogue's titles; sensitive values only for admins."""
    known = catalogue(request.actor.workspace_id)
    rows = []
    for name in sorted({*known, *person.attributes}, key=lambda each: known[each].title.casefold() if each in known else each):
        body, value = known.get(name), person.attributes.get(name)
        hidden = body is not None and hidden_from(request.actor.role, body)
        if body is None and value is None:
            continue
        rows.append(
            {
                "name": name,
                "title": body.title if body else name,
                "unit": body.unit if body else "",
                "sensitivity": body.sensitivity if body else "",
                "value": None if hidden else value,
                "hidden": hidden and value is not None,
                "outside": body is None,
            }
        )
    return sorted(rows, key=lambda row: row["value"] is None and not row["hidden"])


def name_of(person: Person) -> str:
    """What a person is called on our pages."""
    name = " ".join(str(person.attributes.get(part) or "") for part in ("first_name", "last_name")).strip()
    return name or person.email or person.phone or person.external_id
