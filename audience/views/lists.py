"""Uploaded lists of people: which there are, how many are on each, and who asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from audience.documents import SEGMENT
from audience.id_lists import (
    By,
    ListOutcome,
    Mode,
    change_list,
    drop_list,
    id_lists,
    lines_of,
    list_of,
    on_list,
    place_on_list,
    put_on,
    take_off,
)
from audience.masking import sees_addresses, shown
from audience.profiles import load
from audience.rules.nodes import OnList, walk
from governance.door import ConsoleRequest, Finding, Invalid, Missing, Role, console_page, documents, whole_number

EACH = 50  # people at once
LARGEST = 50 * 1024 * 1024  # bytes of an uploaded file: some two million ids
BY_WORDS = (("external_id", "External ids"), ("email", "E-mail addresses"), ("phone", "Phone numbers with +"))
_FIELDS = {"values": "pasted"}  # what a finding calls it, and its field
MODE_WORDS = (("add", "Add these"), ("remove", "Take these off"), ("replace", "These are all: whoever is on it and not named goes"))


@console_page()
def lists(request: ConsoleRequest) -> HttpResponse:
    """All lists, and the form that makes or changes one."""
    return _draw(request, {})


def _draw(request: ConsoleRequest, more: dict[str, Any], status: int = 200) -> HttpResponse:
    workspace_id = request.actor.workspace_id
    users = _users(workspace_id)
    context = {
        "title": "Lists",
        "trail": [{"title": "Segments", "href": reverse("audience:segments")}],
        "lists": [{"row": row, "users": users.get(row.key, [])} for row in id_lists(workspace_id)],
        "bys": BY_WORDS,
        "modes": MODE_WORDS,
        "is_author": request.actor.role.covers(Role.AUTHOR),
        "given": {"by": "external_id", "mode": "add"},
        "faults": {},
        **more,
    }
    return render(request, "audience/lists.html", context, status=status)


@console_page()
def members(request: ConsoleRequest, key: str) -> HttpResponse:
    """Who is on a list, found by external id or address. `?off=`: who were just taken off, so that it can be undone."""
    row, text = list_of(request.actor.workspace_id, key), request.GET.get("q", "").strip()[:320]
    after, off = whole_number(request.GET.get("cursor", "")) or 0, _numbers(request.GET.get("off", "").split("-"))
    found = on_list(request.actor, row, text, limit=EACH + 1, after=after)
    before = 0 if text else place_on_list(row, after)
    context = {
        "title": row.title,
        "trail": [{"title": "Segments", "href": reverse("audience:segments")}, {"title": "Lists", "href": reverse("audience:lists")}],
        "row": row,
        "people": found[:EACH],
        "page": {"items": found[:EACH], "next": str(found[EACH - 1].id) if len(found) > EACH else None},
        "q": text,
        "users": _users(request.actor.workspace_id).get(key, []),
        "gone": shown(request.actor, load(request.actor.workspace_id, off)) if off else [],
        "first": before + 1,
        "last": before + len(found[:EACH]),
        "cursor": after or "",
        "sees_addresses": sees_addresses(request.actor),
        "is_author": request.actor.role.covers(Role.AUTHOR),
    }
    return render(request, "audience/list.html", context)


@require_POST
@console_page(Role.AUTHOR)
def move(request: ConsoleRequest, key: str, profile_id: int) -> HttpResponse:
    """Take one person off a list, or put them back."""
    if profile_id >= 2**63:
        raise Missing("no such profile: it may have been erased")
    return _move(request, key, [profile_id])


@require_POST
@console_page(Role.AUTHOR)
def move_some(request: ConsoleRequest, key: str) -> HttpResponse:
    """Take those who were chosen on the page off a list, or put them back."""
    return _move(request, key, _numbers(request.POST.getlist("person")))


def _numbers(said: list[str]) -> list[int]:
    """People's numbers; what is none is left out, and so is whoever no page can have offered."""
    return [number for each in said[:EACH] if (number := whole_number(each)) and number < 2**63]


def _move(request: ConsoleRequest, key: str, ids: list[int]) -> HttpResponse:
    """The page that comes after one offers the other."""
    query = {name: text for name in ("q", "cursor") if (text := request.POST.get(name, "").strip()[:320])}
    if request.POST.get("do") == "put-back":
        back = put_on(request.actor, key, ids, now=timezone.now())
        messages.success(request, f"{len(back):,} people are on the list again." if len(ids) > 1 else "They are on the list again.")
    elif gone := take_off(request.actor, key, ids, now=timezone.now()):
        query["off"] = "-".join(map(str, gone))
    elif not ids:
        messages.warning(request, "Nobody was chosen.")
    address = reverse("audience:list", args=[key])
    return redirect(f"{address}?{urlencode(query)}" if query else address)


@require_POST
@console_page(Role.AUTHOR)
def change(request: ConsoleRequest) -> HttpResponse:
    """Make a list or change who is on it: from a file, or from lines that were pasted."""
    given = {name: request.POST.get(name, "").strip() for name in ("key", "title", "by", "mode", "pasted")}
    try:
        values = _lines(request.FILES.get("file"), given["pasted"])
        # The words are checked behind the door, which names what is wrong.
        outcome = change_list(
            request.actor,
            given["key"],
            values,
            by=cast(By, given["by"]),
            mode=cast(Mode, given["mode"]),
            title=given["title"],
            now=timezone.now(),
        )
    except Invalid as invalid:
        faults = {_FIELDS.get(name, name): finding for finding in invalid.findings for name in [finding.path.strip("/")]}
        return _draw(request, {"given": given, "faults": faults}, status=422)
    if outcome.unknown or outcome.faulty:
        return _draw(request, {"outcome": outcome, "changed": given["key"]})
    messages.success(request, _told(given["key"], outcome))
    return redirect("audience:lists")


@require_POST
@console_page(Role.AUTHOR)
def drop(request: ConsoleRequest, key: str) -> HttpResponse:
    """Throw a list away that no segment asks for."""
    users = _users(request.actor.workspace_id)
    try:
        drop_list(request.actor, key, used_by=lambda name: users.get(name, []), now=timezone.now())
    except Invalid as invalid:
        messages.error(request, f"Not dropped: {invalid.reason}.")
    else:
        messages.success(request, f"The list {key} is gone.")
    return redirect("audience:lists")


def _told(key: str, outcome: ListOutcome) -> str:
    return f"{key}: {outcome.people:,} people. {outcome.added:,} came, {outcome.removed:,} went."


def _lines(file: UploadedFile[bytes] | None, pasted: str) -> Iterable[str]:
    """The lines of the file, or those pasted. Raises Invalid for what is no text in UTF-8, and for both."""
    if file is None:
        return pasted.splitlines()
    if pasted:
        raise Invalid([Finding("error", "/values", "a file and pasted lines", "one of the two")])
    if (file.size or 0) > LARGEST:
        raise Invalid([Finding("error", "/file", f"{(file.size or 0) / 2**20:,.0f} MiB", f"at most {LARGEST // 2**20} MiB")])
    return lines_of(bytes(file.read()))


def _users(workspace_id: int) -> dict[str, list[str]]:
    """The segments that ask for each list, as last saved or as released."""
    found: dict[str, dict[str, None]] = {}
    for view in documents(workspace_id, SEGMENT):
        for revision in (view.latest, view.released):
            for node in _rule(revision):
                if isinstance(node, OnList):
                    found.setdefault(node.list, {})[view.title or view.key] = None
    return {key: list(titles) for key, titles in found.items()}


def _rule(revision: Any) -> Iterable[object]:
    try:
        return [node for _, node in walk(revision.model.rule)] if revision is not None else []
    except Invalid:  # it no longer fits what rules may say
        return []
