"""Delivery: are the vendors well, and what must not be written to?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from delivery import vendor_health, webhook_log
from delivery.control import kill, switches
from delivery.facts import in_doubt
from delivery.instance import held
from delivery.models import Attempt, Dispatch, OutboxMail, Suppression
from delivery.views.titles import titles_of
from governance.door import ConsoleRequest, Role, console_page

FEW = 10  # requests in doubt that are shown here; the desk has all of them


@console_page()
def health(request: ConsoleRequest) -> HttpResponse:
    """Vendor accounts with their last 24 hours, kill switches, suppression, requests in doubt."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    doubtful = in_doubt(workspace_id, limit=FEW)
    context: dict[str, Any] = {
        "title": "Delivery",
        "accounts": vendor_health.accounts(workspace_id, kept=settings.OMNI.vendor == "outbox", now=now),
        "switches": _named(workspace_id),
        "doubts": [{"attempt": attempt, "campaign": title} for attempt, title in zip(doubtful, _titles(doubtful), strict=True)],
        "suppressed": list(
            Suppression.objects.filter(workspace_id=workspace_id)
            .values("channel", "reason")
            .annotate(n=Count("id"))
            .order_by("channel", "-n")
        ),
        "outbox": OutboxMail.objects.filter(workspace_id=workspace_id).order_by("-pk").values_list("pk", flat=True).first() is not None,
        "vendor": settings.OMNI.vendor,
        "held": [reason for _, reason in held()],
        "troubles": vendor_health.troubles(workspace_id, now=now),
        "bounces": vendor_health.bounces_by_domain(workspace_id, now=now),
        "spent": vendor_health.spent(workspace_id, now=now),
        "budgets": _titled(workspace_id, vendor_health.budgets(workspace_id, now=now)),
        "is_author": request.actor.role.covers(Role.AUTHOR),
        "is_approver": request.actor.role.covers(Role.APPROVER),
        "failing": webhook_log.failing(workspace_id, now=now),
        "campaigns": _campaigns(workspace_id),
    }
    return render(request, "delivery/console/health.html", context)


def _named(workspace_id: int) -> list[dict[str, Any]]:
    """The kill switches that are on; a campaign goes by its title."""
    rows = switches(workspace_id)
    titled = titles_of(workspace_id, {("campaign", row.key) for row in rows if row.scope == "campaign"})
    return [{"row": row, "title": titled.get(("campaign", row.key), row.key)} for row in rows]


def _titles(attempts: list[Attempt]) -> list[str]:
    """What each request's dispatch was made from."""
    if not attempts:
        return []
    rows = Dispatch.objects.filter(pk__in={attempt.dispatch_id for attempt in attempts}).values_list("pk", "kind", "key")
    known = {pk: (kind, key) for pk, kind, key in rows}
    titled = titles_of(attempts[0].workspace_id, set(known.values()))
    return [titled[known[attempt.dispatch_id]] if attempt.dispatch_id in known else "" for attempt in attempts]


def _titled(workspace_id: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    titled = titles_of(workspace_id, {(row["kind"], row["key"]) for row in rows})
    return [{**row, "title": titled[row["kind"], row["key"]]} for row in rows]


def _campaigns(workspace_id: int) -> list[tuple[str, str]]:
    """Key and title of what sends or is paused."""
    rows = Dispatch.objects.filter(workspace_id=workspace_id, state__in=["running", "paused"]).values_list("kind", "key").distinct()
    titled = titles_of(workspace_id, set(rows))
    return sorted({key: title for (_, key), title in titled.items()}.items(), key=lambda pair: pair[1].casefold())


@require_POST
@console_page(Role.AUTHOR)
def throw_switch(request: ConsoleRequest) -> HttpResponse:
    """Throw or release a kill switch."""
    asked = request.POST
    on = asked.get("on") == "1"
    scope, _, key = asked.get("what", "workspace:").partition(":")
    kill(request.actor, scope, key, on, reason=asked.get("reason", ""), now=timezone.now())  # type: ignore[arg-type]
    what = key or "the whole workspace"
    messages.success(
        request, f"The kill switch for {what} is on: nothing of it goes out." if on else f"The kill switch for {what} is off again."
    )
    return redirect("delivery:health")
