"""Routes and prices: which vendor account carries what, how much of its limits is used, and what it costs."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from delivery import bills, route_board, vendor_prices
from delivery.views.titles import route_titles
from governance.door import ConsoleRequest, console_page


@console_page()
def routes(request: ConsoleRequest) -> HttpResponse:
    """Every released route by channel, the price book, and this month beside what the vendors reported."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    channels = route_board.board(workspace_id, now=now)
    context = {
        "title": "Routes and prices",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}],
        "channels": channels,
        "kept": settings.OMNI.vendor == "outbox",
        "months": vendor_prices.months(workspace_id, since=month),
        "currencies": {line.key: line.prices.currency for channel in channels for line in channel.routes},
        "titles": {line.key: line.title for channel in channels for line in channel.routes},
    }
    return render(request, "delivery/console/routes.html", context)


@console_page()
def bill_page(request: ConsoleRequest) -> HttpResponse:
    """One month by channel, account and country: what the price book said, and what the vendors charged. `as=csv`: as a file."""
    now = timezone.now()
    month = request.GET.get("month") or f"{now:%Y-%m}"
    since, until = bills.month_of(month)
    lines = bills.bill(request.actor.workspace_id, since=since, until=until)
    if request.GET.get("as") == "csv":
        name = f"attachment; filename=bill-{since:%Y-%m}.csv"
        return HttpResponse(bills.as_csv(lines), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})
    context = {
        "title": f"Bill of {since:%B %Y}",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}],
        "accounts": bills.by_account(lines),
        "free": list(bills.free(request.actor.workspace_id, since=since, until=until).items()) if lines else [],
        "totals": bills.by_currency(lines),
        "running": since <= now < until,
        "titles": route_titles(request.actor.workspace_id),
        "month": f"{since:%Y-%m}",
        "before": since - timedelta(days=1),
        "after": until if until <= now else None,
    }
    return render(request, "delivery/console/bill.html", context)
