"""What vendors' webhooks brought lately, and what was turned away."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from delivery import inbox, webhook_log
from delivery.adapters.registry import ADAPTERS
from governance.door import ConsoleRequest, console_page, page

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
        "failing": webhook_log.failing(workspace_id, now=now),
        "waiting": inbox.events_waiting(workspace_id),
    }
    return render(request, "delivery/console/webhooks.html", context)
