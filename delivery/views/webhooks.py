"""What vendors' webhooks brought lately, and what was turned away."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from delivery import inbox, webhook_log
from delivery.adapters.registry import ADAPTERS
from governance.door import ConsoleRequest, console_page, documents, page

OUTCOMES = {"kept": "Kept", "refused": "Turned away", "unreadable": "Partly unreadable", "stuck": "Stuck"}


@console_page()
def webhooks(request: ConsoleRequest) -> HttpResponse:
    """The log of the last days, newest first; by vendor and by what became of a call."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    vendor, outcome = request.GET.get("vendor", ""), request.GET.get("outcome", "")
    vendor, outcome = vendor if vendor in ADAPTERS else "", outcome if outcome in OUTCOMES else ""
    listed = page(webhook_log.calls(workspace_id, vendor=vendor, outcome=outcome), request, lambda call: call, ("-id",))
    context = {
        "title": "Webhooks",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}],
        "page": listed,
        "calls": listed["items"],
        "vendors": [(key, adapter.title) for key, adapter in sorted(ADAPTERS.items()) if adapter.webhook_secret],
        "outcomes": OUTCOMES.items(),
        "vendor": vendor,
        "outcome": outcome,
        "filtered": bool(vendor or outcome),
        "hooks": _hooks(request),
        "failing": webhook_log.failing(workspace_id, now=now),
        "waiting": inbox.events_waiting(workspace_id),
    }
    return render(request, "delivery/console/webhooks.html", context)


def _hooks(request: ConsoleRequest) -> list[dict[str, str]]:
    """Where each vendor that a route names must call this instance, by what vendors are told of it."""
    named = {str(view.latest.body.get("vendor", "")) for view in documents(request.actor.workspace_id, "vendor_route")}
    key = request.workspace.key
    base = settings.OMNI.public_url.rstrip("/")
    return [
        {"vendor": vendor, "address": f"{base}/hooks/{vendor}" + ("" if key == "default" else f"/{key}")}
        for vendor in sorted(named)
        if vendor in ADAPTERS and ADAPTERS[vendor].webhook_secret
    ]
