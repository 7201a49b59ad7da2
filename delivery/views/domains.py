"""Mail domains: will our mail be believed, what is missing, and who writes from there? And senders, as their readers see them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from delivery.document_words import CHANNEL_WORDS
from delivery.domains import kept
from delivery.domains.kept import DomainView, Judged
from delivery.domains.resolver import OFF
from governance.door import ConsoleRequest, Invalid, Refused, Role, console_page, document, document_address, document_context, revision
from presentation.door import SenderBody

AS_FINDING = {"good": "good", "caution": "warning", "bad": "error", "unknown": "note"}
ICONS = {"good": "circle-check", "caution": "warning", "bad": "error", "unknown": "help"}


@console_page()
def domains(request: ConsoleRequest) -> HttpResponse:
    """Every domain that mail is written from, the worst first."""
    found = sorted(kept.domains(request.actor.workspace_id, now=timezone.now()), key=lambda each: kept.WORST.index(each.level))
    context = {
        "title": "Mail domains",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}],
        "rows": [{"view": each, "lacking": _lacking(each), "by": _titles(each)} for each in found],
    }
    return render(request, "delivery/console/domains.html", context)


@console_page()
def domain(request: ConsoleRequest, name: str) -> HttpResponse:
    """One domain: each question with its answer, and the record that mends it."""
    view = kept.domain(request.actor.workspace_id, name, now=timezone.now())
    context: dict[str, Any] = {
        "title": view.domain,
        "trail": [
            {"title": "Delivery", "href": reverse("delivery:health")},
            {"title": "Mail domains", "href": reverse("delivery:domains")},
        ],
        "view": view,
        "required": [_shown(each) for each in view.required],
        "others": [_shown(each) for each in view.others],
        "uses": [{"use": use, "href": document_address(use.kind, use.key)} for use in view.uses],
        "accounts": [{"title": each.title, "href": document_address("vendor_route", each.key)} for each in view.accounts],
        "may_check": request.actor.role.covers(Role.AUTHOR),
        "production": settings.OMNI.env == "production",
        "off": settings.OMNI.dns == OFF,
        "outbox": settings.OMNI.vendor == "outbox",
    }
    return render(request, "delivery/console/domain.html", context)


@require_POST
@console_page(Role.AUTHOR)
def check_domain(request: ConsoleRequest, name: str) -> HttpResponse:
    """Ask the name servers now."""
    try:
        view = kept.check_again(request.actor, name, now=timezone.now())
    except Refused as refusal:
        messages.warning(request, refusal.reason[:1].upper() + refusal.reason[1:] + ".")
    else:
        if view.checked_at is None:
            messages.warning(request, "No name server answered. What is not known is not held against the domain.")
        else:
            messages.success(request, "DNS was asked.")
    return redirect("delivery:domain", name)


@console_page()
def sender(request: ConsoleRequest, key: str) -> HttpResponse:
    """A sender as readers see it, and whether its domain is in order."""
    workspace_id, number = request.actor.workspace_id, request.GET.get("revision", "")
    view = document(workspace_id, "sender", key)
    shown = revision(workspace_id, "sender", key, int(number)) if number.isascii() and number.isdigit() and len(number) < 9 else view.latest
    context: dict[str, Any] = {**document_context(request, view, "preview"), "revision": shown}
    try:
        body: SenderBody = shown.model
        context |= {"body": body, "channel": CHANNEL_WORDS[body.channel], "domain": body.domain if body.channel == "email" else ""}
    except Invalid as error:
        context["unfinished"] = error.findings
        body = None  # type: ignore[assignment]
    if body is not None and context["domain"]:
        mine = [each for each in kept.domains(workspace_id, now=timezone.now()) if each.domain == body.domain]
        context |= {"view": mine[0], "required": [_shown(each) for each in mine[0].required]} if mine else {}
    return render(request, "delivery/console/sender.html", context)


def _shown(each: Judged) -> dict[str, Any]:
    level = each.verdict.level
    return {"verdict": each.verdict, "about": each.about, "level": AS_FINDING[level], "icon": ICONS[level]}


def _lacking(view: DomainView) -> list[str]:
    return list(dict.fromkeys(each.verdict.title for each in view.required if each.verdict.level == "bad"))


def _titles(view: DomainView) -> list[str]:
    return list(dict.fromkeys(use.title for use in view.uses))
