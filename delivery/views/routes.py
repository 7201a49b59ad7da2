"""Routes and prices: which vendor account carries what, how much of its limits is used, and what it costs."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from delivery import route_board, vendor_prices
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
        "months": vendor_prices.months(workspace_id, since=month),
        "currencies": {line.key: line.prices.currency for channel in channels for line in channel.routes},
        "titles": {line.key: line.title for channel in channels for line in channel.routes},
    }
    return render(request, "delivery/console/routes.html", context)
