"""Templates: what do we say?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, get_args

from django.http import HttpResponse
from django.shortcuts import render

from governance.door import (
    ConsoleRequest,
    Edit,
    Editor,
    Invalid,
    Role,
    console_page,
    documents,
    draw,
    edit,
    list_context,
    mapped,
    titles,
    used_by,
)
from presentation import template_places
from presentation.documents import MessageClass, TemplateBody, Tracking
from presentation.views.shown_blocks import blocks_context, blocks_editor
from presentation.views.shown_theme import theme_context

TEMPLATE = "template"
CLASS_WORDS = {
    "promotional": "Promotional: only to people who subscribed to the topic",
    "service": "Service: unless they unsubscribed",
    "transactional": "Transactional: because somebody did something",
}


def template_editor(shown: str = "") -> Editor:
    """How templates are edited. shown: the locale whose blocks are fields."""
    return blocks_editor(TEMPLATE, shown)


@console_page()
def templates(request: ConsoleRequest) -> HttpResponse:
    """The gallery: thumbnails, locales, who uses them."""
    context = list_context(request, TEMPLATE)
    users = used_by(request.actor.workspace_id, TEMPLATE)
    called = titles(request.actor.workspace_id, chain.from_iterable(users.values())) if users else {}
    context["cards"] = [_card(view, [called[user] for user in users.get(view.key, ())]) for view in context["documents"]]
    return render(request, "presentation/template_list.html", context)


def _card(view: Any, users: Sequence[str]) -> dict[str, Any]:
    try:
        body: TemplateBody | None = view.latest.model
    except Invalid:
        body = None
    words = body.locales.get(body.default_locale) if body else None
    return {
        "document": view,
        "body": body,
        "text": getattr(words, "text", None) or "",
        "locales": _completeness(body) if body else [],
        "users": users,
    }


def _completeness(body: TemplateBody) -> list[tuple[str, bool]]:
    """Each locale, and whether it has every block of the default one."""
    wanted = {block.id for block in body.locales[body.default_locale].blocks} if body.default_locale in body.locales else set()
    return [(tag, wanted <= {block.id for block in locale.blocks}) for tag, locale in sorted(body.locales.items())]


@console_page(Role.AUTHOR)
def new_template(request: ConsoleRequest) -> HttpResponse:
    """The editor with a small letter to start from."""
    return _draw(request, edit(request, template_editor(), None))


@console_page()
def template(request: ConsoleRequest, key: str) -> HttpResponse:
    """The editor on the left, the live preview on the right."""
    return _draw(request, edit(request, template_editor(request.GET.get("locale", "")), key))


def _draw(request: ConsoleRequest, current: Edit) -> HttpResponse:
    if current.response is not None:
        return current.response
    current.form = template_places.at_fault(current.form, current.faults)
    return draw(request, current, "presentation/template.html", "presentation/_template_form.html", _editor_context(request, current))


def _editor_context(request: ConsoleRequest, current: Edit) -> dict[str, Any]:
    form, faults = current.form, current.fault_at
    senders = _senders(request, str(form.get("channel", "")))
    return {
        **blocks_context(request, current),
        "sms": form.get("channel") == "sms",
        "push": form.get("channel") == "push",
        "senders": senders,
        "sender_offered": mapped(form.get("sender")).get("key") in dict(senders),
        "sender_at_fault": not template_places.SENDER.isdisjoint(faults),
        "classes": [(name, CLASS_WORDS[name]) for name in get_args(MessageClass)],
        "trackings": [(name, name.replace("_", " ").capitalize()) for name in get_args(Tracking)],
        **theme_context(request, mapped(form.get("theme")), faults),
    }


def _senders(request: ConsoleRequest, channel: str) -> list[tuple[str, str]]:
    """Key and title of the senders that a template of this channel may name."""
    views = documents(request.actor.workspace_id, "sender")
    return [(view.key, view.title) for view in views if view.latest.body.get("channel") == channel]
