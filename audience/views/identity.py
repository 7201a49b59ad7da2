"""Who is who: people who share an address, and making two of them one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audience.catalogue import catalogue, hidden_from
from audience.duplicates import SHARED, Shared, duplicates
from audience.masking import shown
from audience.merging import Merging, merge, would_merge
from audience.profiles import Person, find, load
from audience.views.profiles import name_of
from governance.door import ConsoleRequest, DoorError, Missing, Role, console_page, whole_number

EACH = 25
IDENTIFYING = ("first_name", "last_name", "birthday", "birth_date", "email", "phone")  # where they differ, perhaps two people do
WORDS = {"email": "E-mail", "phone": "Phone", "locale": "Language", "country": "Country", "zone": "Time zone"}


@console_page()
def shared(request: ConsoleRequest) -> HttpResponse:
    """People who have an address in common."""
    by: Shared = "phone" if request.GET.get("by") == "phone" else "email"
    cursor = request.GET.get("cursor", "")
    after = whole_number(cursor)
    found = duplicates(request.actor.workspace_id, by=by, after=after, limit=EACH + 1)
    found = [replace(each, people=tuple(shown(request.actor, each.people))) for each in found]
    groups = [
        {
            "shared": each.people[0].email if by == "email" else each.people[0].phone,
            "people": [{"person": person, "name": name_of(person)} for person in each.people],
            "first": each.people[0].id,
            "more": each.count - len(each.people),
        }
        for each in found[:EACH]
        if each.people
    ]
    context = {
        "title": "Duplicates",
        "trail": [{"title": "Profiles", "href": reverse("audience:profiles")}],
        "by": by,
        "bys": [(each, WORDS[each]) for each in SHARED],
        "groups": groups,
        "page": {"items": groups, "next": str(found[EACH - 1].mark) if len(found) > EACH else None},
        "may_merge": request.actor.role.covers(Role.ADMIN),
    }
    return render(request, "audience/duplicates.html", context)


@require_POST
@console_page(Role.ADMIN)
def look_for_other(request: ConsoleRequest, profile_id: int) -> HttpResponse:
    """From an external id or an address that was typed to the page that shows what merging would do."""
    stays, typed = _person(request, profile_id), request.POST.get("other", "").strip()[:320]
    other = find(request.actor.workspace_id, external_id=typed) or find(request.actor.workspace_id, address=typed) if typed else None
    if other is None or other.id == stays.id:
        what = "That is this person." if other else "Nobody has this external id or address."
        messages.error(request, what)
        return redirect("audience:profile", profile_id)
    return redirect("audience:merge", stays.id, other.id)


@console_page(Role.ADMIN)
def merge_two(request: ConsoleRequest, profile_id: int, other_id: int) -> HttpResponse:
    """What would become of two people who are made one; and, once it is confirmed, that."""
    stays, goes = _person(request, profile_id), _person(request, other_id)
    try:
        ahead = would_merge(request.actor.workspace_id, stays.external_id, goes.external_id)
        if request.method == "POST" and request.POST.get("goes") == goes.external_id:
            merge(request.actor, stays.external_id, goes.external_id, now=timezone.now())
            messages.success(request, f"{goes.external_id} and {stays.external_id} are one person now.")
            return redirect("audience:profile", stays.id)
    except DoorError as error:
        messages.error(request, f"Not merged: {error}.")
        return redirect("audience:profile", stays.id)
    context = {
        "title": f"Merge {name_of(goes)} into {name_of(stays)}",
        "trail": [
            {"title": "Profiles", "href": reverse("audience:profiles")},
            {"title": name_of(stays), "href": reverse("audience:profile", args=[stays.id])},
        ],
        "stays": stays,
        "goes": goes,
        "names": {"stays": name_of(stays), "goes": name_of(goes)},
        "ahead": ahead,
        "rows": (rows := _rows(request, ahead, stays, goes)),
        "given_up": sum(row["given_up"] for row in rows),
        "perhaps_two": [row["words"] for row in rows if row["given_up"] and row["name"] in IDENTIFYING],
    }
    return render(request, "audience/merge.html", context)


def _person(request: ConsoleRequest, number: int) -> Person:
    people = load(request.actor.workspace_id, [number]) if number < 2**63 else []
    if not people:
        raise Missing("no such profile: it may have been erased or merged")
    return people[0]


def _rows(request: ConsoleRequest, ahead: Merging, stays: Person, goes: Person) -> list[dict[str, Any]]:
    """Each thing that is known of either, and which of the two stays: kept, taken (from the other), given up (the other's)."""
    known, rows = catalogue(request.actor.workspace_id), []
    for name, words in WORDS.items():
        rows.append(_row(name, words, getattr(stays, name), getattr(goes, name), name in ahead.left))
    for name in sorted({*stays.attributes, *goes.attributes}):
        body = known.get(name)
        if body is not None and body.computed is not None:
            continue
        one, other = stays.attributes.get(name), goes.attributes.get(name)
        if body is not None and hidden_from(request.actor.role, body):
            one, other = ("known" if value is not None else None for value in (one, other))
        rows.append(_row(name, body.title if body else name, one, other, name in ahead.left))
    known_rows = [row for row in rows if row["stays"] is not None or row["goes"] is not None]
    return sorted(known_rows, key=lambda row: not row["given_up"])  # what differs is what to look at


def _row(name: str, words: str, stays: Any, goes: Any, given_up: bool) -> dict[str, Any]:
    return {"name": name, "words": words, "stays": stays, "goes": goes, "given_up": given_up, "taken": stays is None and goes is not None}
