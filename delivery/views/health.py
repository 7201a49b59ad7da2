"""Delivery: are the vendors well, and what must not be written to?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Max, Q, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from delivery.addresses import EVERY_CHANNEL, address_hash
from delivery.control import kill, resolve_in_doubt, switches
from delivery.facts import in_doubt
from delivery.instance import held
from delivery.models import Attempt, Dispatch, OutboxMail, Suppression, VendorAccount, VendorEvent
from delivery.states import AttemptState
from delivery.suppression import normal, suppress, unsuppress
from governance.door import ConsoleRequest, Role, allow, audit, console_page, documents

DAY = timedelta(days=1)


@console_page()
def health(request: ConsoleRequest) -> HttpResponse:
    """Vendor accounts with their last 24 hours, kill switches, suppression, requests in doubt."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    doubtful = in_doubt(workspace_id, limit=50)
    context: dict[str, Any] = {
        "title": "Delivery",
        "accounts": _accounts(workspace_id, now),
        "switches": switches(workspace_id),
        "doubts": [{"attempt": attempt, "campaign": key} for attempt, key in zip(doubtful, _keys(doubtful), strict=True)],
        "suppressed": list(
            Suppression.objects.filter(workspace_id=workspace_id)
            .values("channel", "reason")
            .annotate(n=Count("id"))
            .order_by("channel", "-n")
        ),
        "outbox": OutboxMail.objects.filter(workspace_id=workspace_id).order_by("-pk").values_list("pk", flat=True).first() is not None,
        "vendor": settings.OMNI.vendor,
        "held": [reason for _, reason in held()],
        "spent": _spent(workspace_id, now),
        "is_author": request.actor.role.covers(Role.AUTHOR),
        "is_approver": request.actor.role.covers(Role.APPROVER),
        "lookup": _looked_up(request),
        "campaigns": Dispatch.objects.filter(workspace_id=workspace_id, state__in=["running", "paused"])
        .values_list("key", flat=True)
        .distinct(),
    }
    return render(request, "delivery/console/health.html", context)


def _accounts(workspace_id: int, now: datetime) -> list[dict[str, Any]]:
    """Every account that is routed to or was used in the last day, with what happened on it."""
    told: dict[str, dict[str, Any]] = {
        row["account"]: dict(row)
        for row in Attempt.objects.filter(workspace_id=workspace_id, posted_at__gt=now - DAY)
        .values("account", "vendor")
        .annotate(
            requests=Count("id"),
            messages=Sum("count"),
            sent=Sum("count", filter=Q(state=AttemptState.SENT)),
            refused=Count("id", filter=Q(state=AttemptState.REFUSED)),
            failed=Count("id", filter=Q(state=AttemptState.FAILED)),
            doubt=Count("id", filter=Q(state=AttemptState.IN_DOUBT)),
            last=Max("posted_at"),
            cost=Sum("cost_micros", filter=Q(state__lt=AttemptState.REFUSED)),
        )
        .order_by("account")
    }
    events: dict[str, dict[str, int]] = {}
    said = (
        VendorEvent.objects.filter(workspace_id=workspace_id, received_at__gt=now - DAY).values_list("vendor", "kind").annotate(Count("id"))
    )
    for vendor, kind, many in said.order_by():
        events.setdefault(vendor, {})[kind] = many
    rows = {row.account: row for row in VendorAccount.objects.filter(workspace_id=workspace_id)}
    routes = {view.key: view for view in documents(workspace_id, "vendor_route") if view.released}
    names = sorted({*told, *routes})
    return [_account(name, told.get(name, {}), rows.get(name), routes.get(name), events, now) for name in names]


def _account(
    name: str, told: dict[str, Any], row: VendorAccount | None, route: Any, events: dict[str, dict[str, int]], now: datetime
) -> dict[str, Any]:
    model = route.released.model if route else None
    vendor = told.get("vendor") or (model.vendor if model else name)
    blocked = row is not None and row.blocked_until is not None and row.blocked_until > now
    troubled = bool(told.get("refused") or told.get("failed"))
    return {
        "name": name,
        "title": route.title if route else name,
        "vendor": vendor,
        "channel": model.channel if model else "",
        "routed": route is not None,
        "state": "paused" if blocked else "troubled" if troubled else "healthy" if told else "waiting",
        "word": "Left alone" if blocked else "Errors" if troubled else "Well" if told else "Not used today",
        "told": told,
        "trouble": row.trouble if row and blocked else "",
        "blocked_until": row.blocked_until if row and blocked else None,
        "events": events.get(vendor, {}),
        "per_second": model.per_second if model else None,
        "currency": model.price.currency if model and model.price else "USD",
    }


def _keys(attempts: list[Attempt]) -> list[str]:
    known = dict(Dispatch.objects.filter(pk__in={attempt.dispatch_id for attempt in attempts}).values_list("pk", "key"))
    return [known.get(attempt.dispatch_id, "") for attempt in attempts]


def _spent(workspace_id: int, now: datetime) -> list[dict[str, Any]]:
    """What this month's dispatches cost so far, by currency: requests that the vendor took or may have taken."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    dispatches = Dispatch.objects.filter(workspace_id=workspace_id, planned_at__gte=first).exclude(currency="")
    currencies = dict(dispatches.values_list("pk", "currency"))
    costs = Attempt.objects.filter(workspace_id=workspace_id, posted_at__gte=first, state__lt=AttemptState.REFUSED)
    spent: dict[str, dict[str, Any]] = {}
    for dispatch_id, micros in costs.values_list("dispatch_id").annotate(Sum("cost_micros")).order_by():
        if dispatch_id in currencies:
            row = spent.setdefault(currencies[dispatch_id], {"currency": currencies[dispatch_id], "micros": 0, "runs": 0})
            row["micros"] += micros or 0
            row["runs"] += 1
    return [spent[currency] for currency in sorted(spent)]


def _looked_up(request: ConsoleRequest) -> dict[str, Any] | None:
    """Whether one address is suppressed: addresses are kept as keyed hashes only, so they can be asked for and not listed."""
    text = request.GET.get("address", "").strip()[:320]
    if not text:
        return None
    channel = "email" if "@" in text else "sms"
    hashed = address_hash(request.actor.workspace_id, channel, normal(channel, text))
    found = Suppression.objects.filter(workspace_id=request.actor.workspace_id, channel__in=[channel, EVERY_CHANNEL], address_hash=hashed)
    return {"address": text, "channel": channel, "found": list(found)}


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


@require_POST
@console_page(Role.AUTHOR)
def change_suppression(request: ConsoleRequest) -> HttpResponse:
    """Never write to an address again, or allow it again."""
    asked, now = request.POST, timezone.now()
    address = asked.get("address", "").strip()[:320]
    channel = "email" if "@" in address else "sms"
    if asked.get("lift") == "1":
        unsuppress(request.actor, asked.get("channel", channel), address, reason=asked.get("reason", ""), now=now)
        messages.success(request, "The address may be written to again.")
    else:
        allow(request.actor, Role.AUTHOR, "profiles:write")
        suppress(request.actor.workspace_id, channel, address, reason="manual", source=f"console:{request.user.pk}", now=now)
        hashed = address_hash(request.actor.workspace_id, channel, normal(channel, address))
        audit(request.actor, "suppression.added", subject=f"address:{hashed & (2**64 - 1):016x}", data={"channel": channel}, now=now)
        messages.success(request, "The address is suppressed: nothing goes to it any more.")
    return redirect(reverse("delivery:health") + "#suppression")


@require_POST
@console_page(Role.APPROVER)
def resolve(request: ConsoleRequest, attempt_id: int) -> HttpResponse:
    """A person says what became of an unanswered request."""
    resolve_in_doubt(request.actor, attempt_id, request.POST.get("verdict", ""), now=timezone.now())  # type: ignore[arg-type]
    messages.success(request, f"Request {attempt_id} is settled.")
    back = request.POST.get("next", "")
    return redirect(back if back.startswith("/console/") else reverse("delivery:health"))
