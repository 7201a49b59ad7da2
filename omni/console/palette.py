"""The command palette: everything that has a name, and everything that can be begun, by a few letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import ConsoleRequest, Role, console_page
from omni.console.shell import PLACES

EACH = 6  # hits of one sort
LONGEST = 120  # characters of a query


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing to go to."""

    title: str
    note: str
    icon: str
    href: str


@console_page()
def search(request: ConsoleRequest) -> HttpResponse:
    """Hits for `?q=`, in groups: the palette asks for the part, a browser without scripts for the page."""
    text = " ".join(request.GET.get("q", "").split())[:LONGEST]
    found = {name: hits for name, hits in _groups(request, text) if hits}
    context = {"title": "Search", "q": text, "groups": found}
    partial = request.headers.get("X-Palette") == "1"
    return render(request, "console/_search_results.html" if partial else "console/search.html", context)


def _groups(request: ConsoleRequest, text: str) -> Iterator[tuple[str, list[Hit]]]:
    yield "Documents", list(_documents(request, text)) if text else []
    yield "People", list(_people(request, text)) if len(text) >= 2 else []
    yield "Messages", list(_messages(text)) if text else []
    yield "Go to", [hit for hit in _places() if _fits(text, hit.title)][: EACH + 4]
    yield "Do", [hit for hit in _actions(request) if _fits(text, hit.title)][:EACH]


def _fits(text: str, title: str) -> bool:
    words = title.lower()
    return all(part in words for part in text.lower().split())


def _documents(request: ConsoleRequest, text: str) -> Iterator[Hit]:
    for found in governance.find_documents(request.actor.workspace_id, text, limit=EACH):
        yield Hit(found.title, found.kind_title, found.icon, found.href)


def _people(request: ConsoleRequest, text: str) -> Iterator[Hit]:
    for person in audience.search_as(request.actor, text, limit=EACH):
        name = " ".join(str(person.attributes.get(part) or "") for part in ("first_name", "last_name")).strip()
        note = person.external_id if name else ""
        yield Hit(
            name or person.email or person.phone or person.external_id, note, "profile", reverse("audience:profile", args=[person.id])
        )


def _messages(text: str) -> Iterator[Hit]:
    if delivery.read_message_id(text) is not None:
        yield Hit("Message " + text, "by its id", "message", reverse("delivery:message", args=[text]))
    elif "@" in text or text.startswith("+"):
        yield Hit(f"Messages to {text}", "by address", "message", reverse("delivery:messages") + "?" + urlencode({"q": text}))


def _places() -> Iterator[Hit]:
    root = reverse("console:home")
    for title, icon, path, _, key, _ in PLACES:
        yield Hit(title, f"g {key}", icon, root + path)
    for title, icon, name in (
        ("Runs", "run", "workflow:runs"),
        ("Outbox", "outbox", "delivery:outbox"),
        ("People", "people", "governance:people"),
        ("API keys", "key", "governance:keys"),
        ("Audit", "audit", "governance:audit"),
        ("Components", "template", "console:components"),
    ):
        yield Hit(title, "", icon, reverse(name))


def _actions(request: ConsoleRequest) -> Iterator[Hit]:
    if not request.actor.role.covers(Role.AUTHOR):
        return
    for sort in governance.kinds():
        if request.actor.role.covers(sort.save_role):
            yield Hit(f"New {sort.title.lower()}", "", "plus", reverse("governance:new", args=[sort.plural]))
