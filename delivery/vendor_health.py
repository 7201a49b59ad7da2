"""What the Delivery page asks: are the vendors well, what went wrong, how much of the rates and of the money is used."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import TruncMinute

from audience import door as audience
from delivery import limits
from delivery.control import switches
from delivery.floors import heard_since, posted_since
from delivery.halts import shown_state
from delivery.models import Dispatch, Message
from delivery.states import AttemptState
from governance.door import documents

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LISTED = 12  # rows of a table
LATEST = 500  # bounces whose domains are looked up


def accounts(workspace_id: int, *, kept: bool, now: datetime) -> list[dict[str, Any]]:
    """Every account that is routed to or was used in the last day, with what happened on it.

    kept: this installation keeps everything in its outbox, whatever the routes say. A thrown kill switch goes before all else.
    """
    told: dict[str, dict[str, Any]] = {
        row["account"]: dict(row)
        for row in posted_since(workspace_id, now - DAY)
        .values("account", "vendor")
        .annotate(
            requests=Count("id"),
            messages=Sum("count"),
            sent=Sum("count", filter=Q(state=AttemptState.SENT)),
            refused=Count("id", filter=Q(state=AttemptState.REFUSED)),
            failed=Count("id", filter=Q(state=AttemptState.FAILED)),
            doubt=Count("id", filter=Q(state=AttemptState.IN_DOUBT)),
            doubtful=Sum("count", filter=Q(state=AttemptState.IN_DOUBT), default=0),
            last=Max("posted_at"),
            cost=Sum("cost_micros", filter=Q(state__lt=AttemptState.REFUSED)),
        )
        .order_by("account")
    }
    resting = limits.troubled(workspace_id, now=now)
    routes = {view.key: view for view in documents(workspace_id, "vendor_route") if view.released}
    peaks = _busiest_seconds(workspace_id, now)
    names = sorted({*told, *routes, *resting})
    killed = {row.key for row in switches(workspace_id) if row.scope in ("workspace", "vendor")}
    listed = []
    for name in names:
        one = _account(name, told.get(name, {}), resting.get(name), routes.get(name))
        if kept and name not in resting:
            one |= {"state": "waiting", "word": "Stays in the outbox", "kept": True}
        if "" in killed or one["vendor"] in killed:
            one |= {"state": "killed", "word": "Switched off"}
        peak = peaks.get(name)
        listed.append({**one, "peak": peak, "busiest": round(60 * peak) if peak else 0})
    return listed


def _account(name: str, told: dict[str, Any], resting: tuple[str, datetime] | None, route: Any) -> dict[str, Any]:
    model = route.released.model if route else None
    vendor = model.vendor if model else told.get("vendor") or name
    trouble, until = resting or ("", None)
    if until:
        state, word = "paused", "Left alone"
    elif told.get("refused") or told.get("failed"):
        state, word = "troubled", "Errors"
    elif told.get("doubt"):
        state, word = "in_doubt", "Left us in doubt"
    else:
        state, word = ("healthy", "Well") if told else ("waiting", "Not used today")
    return {
        "name": name,
        "title": route.title if route else name,
        "vendor": vendor,
        "channel": model.channel if model else "",
        "routed": route is not None,
        "state": state,
        "word": word,
        "told": told,
        "trouble": trouble,
        "blocked_until": until,
        "per_second": model.per_second if model else None,
        "currency": model.price.currency if model and model.price else "USD",
        "priced": bool(model and model.price),
    }


def _busiest_seconds(workspace_id: int, now: datetime) -> dict[str, float]:
    """Messages a second that each account was given in its busiest minute of the last hour."""
    taken = posted_since(workspace_id, now - HOUR).annotate(minute=TruncMinute("posted_at"))
    peaks: dict[str, float] = {}
    for account, many in taken.values("account", "minute").annotate(many=Sum("count")).values_list("account", "many").order_by():
        peaks[account] = max(peaks.get(account, 0.0), many / 60)
    return peaks


def troubles(workspace_id: int, *, now: datetime) -> list[dict[str, Any]]:
    """What vendors refused or left unanswered in the last day, alike ones together, the commonest first."""
    wrong = (AttemptState.REFUSED, AttemptState.FAILED, AttemptState.IN_DOUBT)
    rows = posted_since(workspace_id, now - DAY).filter(state__in=wrong)
    alike = rows.values("account", "state", "detail").annotate(requests=Count("id"), messages=Sum("count"), last=Max("posted_at"))
    return [{**row, "state": AttemptState(row["state"]).label} for row in alike.order_by("-requests", "account")[:LISTED]]


def bounces_by_domain(workspace_id: int, *, now: datetime) -> list[tuple[str, int]]:
    """Where the last day's bounces lived: domains of the latest ones, the commonest first."""
    events = heard_since(workspace_id, now - DAY).filter(kind="bounced")
    latest = events.order_by("-received_at").values_list("dispatch_id", "n")[:LATEST]
    wanted: dict[int, set[int]] = {}
    for dispatch_id, n in latest:
        if dispatch_id and n is not None:
            wanted.setdefault(dispatch_id, set()).add(n)
    people = Counter[int]()
    for dispatch_id, ns in wanted.items():
        rows = Message.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id, n__in=ns)
        people.update(rows.values_list("profile_id", flat=True))
    domains = Counter[str]()
    for person in audience.load(workspace_id, list(people)):
        if person.email_key:
            domains[person.email_key.rpartition("@")[2]] += people[person.id]
    return domains.most_common(LISTED)


def spent(workspace_id: int, *, now: datetime) -> list[dict[str, Any]]:
    """What this month's dispatches cost so far, by currency: requests that the vendor took or may have taken."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    dispatches = Dispatch.objects.filter(workspace_id=workspace_id, planned_at__gte=first).exclude(currency="")
    currencies = dict(dispatches.values_list("pk", "currency"))
    costs = posted_since(workspace_id, first).filter(state__lt=AttemptState.REFUSED)
    found: dict[str, dict[str, Any]] = {}
    for dispatch_id, micros in costs.values_list("dispatch_id").annotate(Sum("cost_micros")).order_by():
        if dispatch_id in currencies:
            row = found.setdefault(currencies[dispatch_id], {"currency": currencies[dispatch_id], "micros": 0, "runs": 0})
            row["micros"] += micros or 0
            row["runs"] += 1
    return [found[currency] for currency in sorted(found)]


def budgets(workspace_id: int, *, now: datetime) -> list[dict[str, Any]]:
    """Dispatches with a budget that were planned in the last thirty days, the fullest first."""
    rows = Dispatch.objects.filter(workspace_id=workspace_id, budget_micros__gt=0, planned_at__gt=now - 30 * DAY)
    fullest = rows.order_by(F("committed_micros") * 100 / F("budget_micros"), "-pk").reverse()[:LISTED]
    return [
        {
            "id": row.pk,
            "kind": row.kind,
            "key": row.key,
            "state": shown_state(row.state, row.state_reason),
            "planned_at": row.planned_at,
            "spent": row.committed_micros,
            "budget": row.budget_micros,
            "currency": row.currency,
        }
        for row in fullest
    ]
