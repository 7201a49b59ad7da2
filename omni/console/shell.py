"""What every page shows around its own content: navigation with counts, the global strip, the theme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from delivery import door as delivery
from governance import door as governance
from omni.console.naming import stopped, titled

THEMES = ("auto", "light", "dark")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation. prefix: addresses that belong to it; key: the letter after `g`; short: also in a phone's bar."""

    title: str
    icon: str
    href: str
    prefixes: tuple[str, ...]
    key: str
    short: bool = False
    count: int = 0
    current: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the global strip: what is out of the ordinary and what to do."""

    level: Literal["error", "warning", "note"]
    words: str
    href: str = ""
    action: str = ""


_TEMPLATES = ("templates/", "new/templates/", "fragments/", "new/fragments/", "themes/", "new/themes/")
PLACES = (
    ("Home", "home", "", (), "h", True),
    ("Campaigns", "campaign", "campaigns/", ("campaigns/", "new/campaigns/", "runs/"), "c", True),
    ("Templates", "template", "templates/", _TEMPLATES, "t", False),
    ("Segments", "segment", "segments/", ("segments/", "new/segments/", "lists/", "compare/segments/"), "s", False),
    ("Approvals", "approval", "approvals/", ("approvals/",), "a", True),
    ("Messages", "message", "messages/", ("messages/",), "m", True),
    ("Profiles", "profile", "profiles/", ("profiles/", "dead-letters/"), "p", False),
    ("Delivery", "delivery", "delivery/", ("delivery/", "outbox/"), "d", False),
    ("Settings", "settings", "settings/", ("settings/", "people/", "api-keys/", "audit/", "components/"), ",", False),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Template context of the shell. Everything that costs a query is a function, asked only by pages that draw the frame."""
    theme = request.COOKIES.get("theme", "auto")

    @cache
    def places() -> list[Place]:
        return _places(request)

    return {
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "theme": theme if theme in THEMES else "auto",
        "navigation": places,
        "navigation_short": lambda: [place for place in places() if place.short],
        "navigation_elsewhere": lambda: any(place.current and not place.short for place in places()),
        "workspaces": _once(lambda: _workspaces(request)),
        "strip": _once(lambda: _strip(request)),
    }


def _once(make: Callable[[], T]) -> Callable[[], T]:
    return cache(make)


def _workspaces(request: HttpRequest) -> list[governance.Membership]:
    """The person's workspaces, where there is a choice."""
    mine = governance.memberships_of(request.user.pk) if getattr(request, "actor", None) and request.user.pk else []
    return mine if len(mine) > 1 else []


def _places(request: HttpRequest) -> list[Place]:
    actor, root = getattr(request, "actor", None), reverse("console:home")
    here = request.path.removeprefix(root)
    waiting = governance.waiting_for(actor.workspace_id, actor.user_id) if actor and actor.role.covers(governance.Role.APPROVER) else 0
    now = _current(here)
    return [
        Place(title, icon, root + path, prefixes, key, short, waiting if title == "Approvals" else 0, title == now)
        for title, icon, path, prefixes, key, short in PLACES
    ]


def _current(here: str) -> str:
    """The place that an address belongs to. What belongs to none is one of the documents that Settings lists."""
    if not here:
        return "Home"
    if here.startswith("search/"):
        return ""
    return next((title for title, _, _, prefixes, _, _ in PLACES if prefixes and here.startswith(prefixes)), "Settings")


def _strip(request: HttpRequest) -> list[Notice]:
    """What is out of the ordinary; nothing on an ordinary day in production."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return []
    health = reverse("delivery:health")
    notices = _thrown(actor.workspace_id)
    notices += [Notice("error", f"This installation is held: {reason}", health, "Open delivery") for _, reason in delivery.held_instances()]
    held = delivery.paused(actor.workspace_id)
    if halted := _titles(actor.workspace_id, held, "halted"):
        notices.append(Notice("error", f"Halted: {halted}.", reverse("workflow:runs"), "See the runs"))
    if paused := _titles(actor.workspace_id, held, "paused"):
        notices.append(Notice("warning", f"Paused: {paused}.", reverse("workflow:runs"), "See the runs"))
    if doubtful := delivery.doubtful(actor.workspace_id):
        words = f"{doubtful:,} message{'' if doubtful == 1 else 's'} in doubt: the vendor never answered."
        notices.append(Notice("warning", words, reverse("delivery:in-doubt"), "See them"))
    return notices + _outside_production()


def _thrown(workspace_id: int) -> list[Notice]:
    """One line for the kill switches that are on: the reason of a single one, the names of several."""
    named = [(stopped(workspace_id, each.scope, each.key), each.reason.rstrip(".")) for each in delivery.switches(workspace_id)]
    if not named:
        return []
    words = ", ".join(name for name, _ in named)
    words = f"{len(named)} kill switches are on: {words}." if named[1:] else f"The kill switch for {words} is on: {named[0][1]}."
    return [Notice("error", words, reverse("delivery:health"), "Open delivery")]


def _titles(workspace_id: int, held: dict[str, str], state: str) -> str:
    return ", ".join(titled(workspace_id, "campaign", key) for key, shown in held.items() if shown == state)


def _outside_production() -> list[Notice]:
    env = settings.OMNI.env
    if env == "production":
        return []
    if settings.OMNI.vendor == "outbox":
        return [Notice("note", f"This is a {env} instance: messages stay in the outbox.", reverse("delivery:outbox"), "Open the outbox")]
    return [Notice("note", f"This is a {env} instance: only allow-listed recipients are reached.")]
