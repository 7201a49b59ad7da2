"""What every page shows around its own content: navigation with counts, the global strip, the theme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from governance import door as governance

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


PLACES = (
    ("Home", "home", "", (), "h", True),
    ("Campaigns", "campaign", "campaigns/", ("campaigns/", "new/campaigns/", "runs/"), "c", True),
    ("Templates", "template", "templates/", ("templates/", "new/templates/"), "t", False),
    ("Segments", "segment", "segments/", ("segments/", "new/segments/"), "s", False),
    ("Approvals", "approval", "approvals/", ("approvals/",), "a", True),
    ("Messages", "message", "messages/", ("messages/",), "m", True),
    ("Profiles", "profile", "profiles/", ("profiles/",), "p", False),
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
        "strip": _once(lambda: _strip(request)),
    }


def _once(make: Callable[[], T]) -> Callable[[], T]:
    return cache(make)


def _places(request: HttpRequest) -> list[Place]:
    actor, root = getattr(request, "actor", None), reverse("console:home")
    here = request.path.removeprefix(root)
    waiting = governance.waiting_for(actor.workspace_id, actor.user_id) if actor and actor.role.covers(governance.Role.APPROVER) else 0
    known = any(here.startswith(prefixes) for _, _, _, prefixes, _, _ in PLACES if prefixes)
    return [
        Place(
            title=title,
            icon=icon,
            href=root + path,
            prefixes=prefixes,
            key=key,
            short=short,
            count=waiting if title == "Approvals" else 0,
            current=here.startswith(prefixes)
            if prefixes and known
            else (here == "" if not prefixes else title == "Settings" and bool(here) and not known),
        )
        for title, icon, path, prefixes, key, short in PLACES
    ]


def _strip(request: HttpRequest) -> list[Notice]:
    """What is out of the ordinary; nothing on an ordinary day in production."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return []
    notices = []
    if settings.OMNI.env != "production":
        allowed = "only allow-listed recipients are reached" if settings.OMNI.allowed_recipients else "mail goes to the outbox page"
        if settings.OMNI.vendor == "outbox":
            notices.append(
                Notice(
                    "note",
                    f"This is a {settings.OMNI.env} instance: messages stay in the outbox.",
                    reverse("delivery:outbox"),
                    "Open the outbox",
                )
            )
        else:
            notices.append(Notice("note", f"This is a {settings.OMNI.env} instance: {allowed}."))
    return notices
