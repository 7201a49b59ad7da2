"""The outbox: the local mailbox where messages stay when no vendor is meant to get them."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from audience.door import CHANNELS
from delivery.models import OutboxMail
from delivery.views.frames import framed
from governance.door import ConsoleRequest, Missing, Role, console_page, page


@console_page(Role.AUTHOR)
def outbox(request: ConsoleRequest) -> HttpResponse:
    """Everything that was "sent", newest first."""
    text, channel = request.GET.get("q", "").strip()[:320], request.GET.get("channel", "")
    rows = OutboxMail.objects.filter(workspace_id=request.actor.workspace_id).defer("html", "headers")
    if text:
        rows = rows.filter(Q(recipient__istartswith=text) | Q(subject__icontains=text) | Q(message_id=text))
    if channel in CHANNELS:
        rows = rows.filter(channel=channel)
    listed = page(rows, request, lambda mail: mail, ("-id",))
    context = {
        "title": "Outbox",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}],
        "page": listed,
        "mails": listed["items"],
        "q": text,
        "channel": channel,
        "in_use": settings.OMNI.vendor == "outbox",
    }
    return render(request, "delivery/console/outbox.html", context)


@console_page(Role.AUTHOR)
def mail(request: ConsoleRequest, mail_id: int) -> HttpResponse:
    """One message as it left."""
    found = _mail(request, mail_id)
    rows = OutboxMail.objects.filter(workspace_id=request.actor.workspace_id)
    context = {
        "title": found.subject or "Text message",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}, {"title": "Outbox", "href": reverse("delivery:outbox")}],
        "mail": found,
        "newer": rows.filter(pk__gt=found.pk).order_by("pk").values_list("pk", flat=True).first(),
        "older": rows.filter(pk__lt=found.pk).order_by("-pk").values_list("pk", flat=True).first(),
        "images": request.GET.get("images") == "1",
    }
    return render(request, "delivery/console/mail.html", context)


@console_page(Role.AUTHOR)
def mail_frame(request: ConsoleRequest, mail_id: int) -> HttpResponse:
    """Its HTML, for a sandboxed frame whose links work: an unsubscribe link is tried out here."""
    found = _mail(request, mail_id)
    return framed(request, found.html or "", found.text, links=True)


def _mail(request: ConsoleRequest, mail_id: int) -> OutboxMail:
    found = OutboxMail.objects.filter(workspace_id=request.actor.workspace_id, pk=mail_id).first() if mail_id < 2**63 else None
    if found is None:
        raise Missing("no such mail in the outbox")
    return found
