"""Delivery: are the vendors well, and what must not be written to?"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import F, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audience import door as audience
from delivery import health_tables, suppression_counts, vendor_health, webhook_log
from delivery.adapters.registry import title_of
from delivery.control import kill, switches
from delivery.facts import in_doubt
from delivery.heard import heard
from delivery.instance import held
from delivery.models import Attempt, Batch, Dispatch
from delivery.standstill import left_before, standstill
from delivery.states import WorkState
from delivery.views.titles import titles_of
from governance.door import ConsoleRequest, Role, console_page

FEW = 10  # requests in doubt that are shown here; the desk has all of them


@console_page()
def health(request: ConsoleRequest) -> HttpResponse:
    """Vendor accounts with their last 24 hours, by vendor, domain and hour; kill switches, suppression, requests in doubt."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    doubtful, said = in_doubt(workspace_id, limit=FEW), heard(workspace_id, now=now)
    accounts = vendor_health.accounts(workspace_id, kept=settings.OMNI.vendor == "outbox", now=now)
    hours = health_tables.by_hour(workspace_id, said, now=now)
    index, streams = audience.index_state(workspace_id, now=now), audience.stream_states(request.workspace.key, now=now)
    letters, _ = audience.waiting_letters(workspace_id)
    campaigns, suppressed = _campaigns(workspace_id), suppression_counts.counted(workspace_id, now=now)
    context: dict[str, Any] = {
        "title": "Health",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}],
        "accounts": accounts,
        "account_titles": {each["name"]: each["title"] for each in accounts},
        "vendors": list(dict.fromkeys(each["vendor"] for each in accounts)),
        "told": health_tables.by_vendor(said),
        "told_kinds": health_tables.TOLD,
        "hours": hours,
        "hours_handed": [(hour.begins, hour.handed) for hour in hours],
        "hours_bad": [(hour.begins, hour.bad) for hour in hours],
        "busy": any(hour.handed or hour.refused or hour.told.total() for hour in hours),
        "domains": health_tables.by_domain(workspace_id, now=now),
        "newest": health_tables.NEWEST,
        "switches": _named(workspace_id),
        "doubts": [{"attempt": attempt, **told} for attempt, told in zip(doubtful, _made_from(doubtful), strict=True)],
        "suppressed": suppressed.lines,
        "counted_at": suppressed.at if suppressed.at != now else None,
        "vendor": settings.OMNI.vendor,
        "held": [reason for _, reason in held()],
        "troubles": vendor_health.troubles(workspace_id, now=now),
        "bounces": vendor_health.bounces_by_domain(workspace_id, now=now),
        "spent": vendor_health.spent(workspace_id, now=now),
        "budgets": _titled(workspace_id, vendor_health.budgets(workspace_id, now=now)),
        "is_author": request.actor.role.covers(Role.AUTHOR),
        "is_approver": request.actor.role.covers(Role.APPROVER),
        "attention": [*_attention(workspace_id, accounts, index, now), *_of_streams(streams, letters)],
        "index": index,
        "streams": streams,
        "dead_letters": letters,
        "campaigns": campaigns,
        "waiting": sum(waiting for _, _, waiting in campaigns),
    }
    return render(request, "delivery/console/health.html", context)


def _attention(workspace_id: int, accounts: list[dict[str, Any]], index: audience.IndexState | None, now: datetime) -> list[dict[str, str]]:
    """What speaks against "all is well", the worst first, each with where to look. Kill switches and holds stand above it themselves."""
    found = []
    wrong, doubt = ("#wrong", "What went wrong"), (reverse("delivery:in-doubt"), "In doubt")
    for each in accounts:
        told, name = each["told"], each["title"]
        if each["blocked_until"]:
            found.append(_finding("error", f"{name} is left alone for a while: {each['trouble']}", *wrong))
        elif failed := told.get("refused", 0) + told.get("failed", 0):
            found.append(_finding("warning", f"{name}: {failed:,} of {_many(told['requests'], 'request')} came to nothing", *wrong))
        if told.get("doubt"):
            found.append(_finding("warning", f"{name}: no answer for {_many(told['doubtful'], 'message')}, so they are in doubt", *doubt))
    log = f"{reverse('delivery:webhooks')}?outcome=refused"
    for each in webhook_log.failing(workspace_id, now=now):
        calls, by = _many(each["many"], "webhook"), title_of(each["vendor"])
        words = f"{calls} of {by} turned away in the last hour, {each['reason']}: lost unless it calls again"
        found.append(_finding("warning", words, log, "The log"))
    if index and (index.trouble or index.note):
        words = f"The database answers for audiences: {index.trouble}" if index.trouble else index.note[0].upper() + index.note[1:]
        found.append(_finding("warning", words, "#audience-index", "The index"))
    return sorted(found, key=lambda each: each["level"] != "error")


def _of_streams(streams: list[audience.StreamState], letters: int) -> list[dict[str, str]]:
    """A stream that isn't read, and what came by one and couldn't be recorded."""
    found = []
    for each in streams:
        if each.trouble and not each.away:
            found.append(_finding("warning", f"Stream of {each.holds}: {each.trouble}", "#streams", "The streams"))
    if any(each.away for each in streams):
        found.append(_finding("warning", f"Streams: {next(each.trouble for each in streams if each.away)}", "#streams", "The streams"))
    if letters:
        words = f"{letters:,} {'entry' if letters == 1 else 'entries'} of streams could not be recorded"
        found.append(_finding("warning", words, reverse("audience:dead-letters"), "Dead letters"))
    return found


def _finding(level: str, words: str, href: str, action: str) -> dict[str, str]:
    return {"level": level, "words": words, "href": href, "action": action}


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _named(workspace_id: int) -> list[dict[str, Any]]:
    """The kill switches that are on; a campaign goes by its title."""
    rows = switches(workspace_id)
    titled = titles_of(workspace_id, {("campaign", row.key) for row in rows if row.scope == "campaign"})
    return [{"row": row, "title": titled.get(("campaign", row.key), row.key)} for row in rows]


def _made_from(attempts: list[Attempt]) -> list[dict[str, Any]]:
    """What each request's dispatch was made from, and whether that was a run."""
    if not attempts:
        return []
    rows = Dispatch.objects.filter(pk__in={attempt.dispatch_id for attempt in attempts}).values_list("pk", "kind", "key")
    known = {pk: (kind, key) for pk, kind, key in rows}
    titled = titles_of(attempts[0].workspace_id, set(known.values()))
    made = [known.get(attempt.dispatch_id) for attempt in attempts]
    return [{"campaign": titled[each] if each else "", "run": each is not None and each[0] == "campaign"} for each in made]


def _titled(workspace_id: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    titled = titles_of(workspace_id, {(row["kind"], row["key"]) for row in rows})
    return [{**row, "title": titled[row["kind"], row["key"]]} for row in rows]


def _campaigns(workspace_id: int) -> list[tuple[str, str, int]]:
    """Key and title of what sends or is paused, and how many people wait for it."""
    going = Dispatch.objects.filter(workspace_id=workspace_id, state__in=["running", "paused"])
    rows = list(going.values_list("pk", "kind", "key"))
    titled = titles_of(workspace_id, {(kind, key) for _, kind, key in rows})
    open_work = Batch.objects.filter(dispatch__in=[pk for pk, _, _ in rows], state__in=[WorkState.CLOSED, WorkState.READY])
    people = dict(open_work.values_list("dispatch_id").annotate(people=Sum(F("stop") - F("start"))).order_by())
    waiting = Counter[str]()
    for pk, _, key in rows:
        waiting[key] += people.get(pk, 0)
    found = {key: title for (_, key), title in titled.items()}
    return sorted(((key, title, waiting[key]) for key, title in found.items()), key=lambda one: one[1].casefold())


@require_POST
@console_page(Role.AUTHOR)
def throw_switch(request: ConsoleRequest) -> HttpResponse:
    """Throw or release a kill switch."""
    asked = request.POST
    on = asked.get("on") == "1"
    scope, _, key = asked.get("what", "workspace:").partition(":")
    kill(request.actor, scope, key, on, reason=asked.get("reason", ""), now=timezone.now())  # type: ignore[arg-type]
    named = titles_of(request.actor.workspace_id, [("campaign", key)])[("campaign", key)] if scope == "campaign" else title_of(key)
    what = named if key else "the whole workspace"
    if on:
        left = left_before(standstill(request.actor.workspace_id, scope=scope, key=key))
        messages.success(request, f"The kill switch for {what} is on: nothing of it goes out.{left}")
    else:
        messages.success(request, f"The kill switch for {what} is off again.")
    return redirect("delivery:health")
