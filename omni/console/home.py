"""Home: is everything all right, and what needs me?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import ConsoleRequest, Role, console_page
from omni.console.naming import stopped, titled
from workflow import pipeline

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
CHANNELS = (("email", "E-mail"), ("sms", "SMS"), ("push", "Push"))


@console_page()
def home(request: ConsoleRequest) -> HttpResponse:
    """Runs now, what waits for me, problems, what goes out next, what went out."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    context = {
        "title": "Home",
        **_live(request),
        "mine": governance.waiting_submissions(workspace_id, request.actor.user_id)[:6] if request.actor.role.covers(Role.APPROVER) else [],
        "own": governance.own_submissions(workspace_id, request.actor.user_id, since=now - MONTH),
        "is_approver": request.actor.role.covers(Role.APPROVER),
        "is_author": request.actor.role.covers(Role.AUTHOR),
        "latest": pipeline.latest_runs(workspace_id, limit=5),
        "upcoming": pipeline.upcoming(workspace_id, now=now, within=WEEK)[:12],
        "charts": _charts(workspace_id, now),
        "people": audience.everyone(workspace_id),
    }
    context["begun"] = bool(context["latest"] or context["active"])
    return render(request, "console/home.html", context)


@console_page()
def live(request: ConsoleRequest) -> HttpResponse:
    """The part of the home page that moves; it asks again only while something is being sent."""
    return render(request, "console/_live.html", _live(request))


def _live(request: ConsoleRequest) -> dict[str, Any]:
    active = pipeline.active_runs(request.actor.workspace_id)
    return {"active": active, "problems": _problems(request.actor.workspace_id, active)}


def _problems(workspace_id: int, active: list[pipeline.RunLine]) -> list[dict[str, Any]]:
    """What is out of order, the worst first, each with where to mend it."""
    health = reverse("delivery:health")
    found = [
        _problem(
            "error", f"The kill switch for {stopped(workspace_id, each.scope, each.key)} is on: {each.reason}", health, "Open delivery"
        )
        for each in delivery.switches(workspace_id)
    ]
    found += [_problem("error", f"This installation is held: {reason}", health, "Open delivery") for _, reason in delivery.held_instances()]
    for account, (trouble, _) in delivery.troubled(workspace_id, now=timezone.now()).items():
        by = titled(workspace_id, "vendor_route", account) if account else "any vendor"
        found.append(_problem("error", f"Nothing leaves by {by} at the moment: {trouble}", health, "Open delivery"))
    for line in active:
        if line.brief and line.state in ("halted", "paused"):
            why = f" because {line.brief.why.rstrip('.')}" if line.state == "halted" else ""
            words = f"{line.title} is {line.state}{why}: {line.brief.planned - line.brief.handed:,} people may be waiting for it"
            level = "error" if line.state == "halted" else "warning"
            found.append(_problem(level, words, reverse("workflow:run", args=[line.run.pk]), "Open the run"))
    if doubtful := delivery.doubtful(workspace_id):
        noun = "message is" if doubtful == 1 else "messages are"
        found.append(
            _problem("warning", f"{doubtful:,} {noun} in doubt: the vendor never answered", reverse("delivery:in-doubt"), "See them")
        )
    for missed in pipeline.refused_lately(workspace_id, since=timezone.now() - WEEK):
        words = f"{titled(workspace_id, 'campaign', missed.campaign_key)} was not launched as planned: {missed.reason or missed.outcome}"
        found.append(_problem("warning", words, reverse("workflow:campaign", args=[missed.campaign_key]), "Open the campaign"))
    return found


def _problem(level: str, words: str, href: str, action: str) -> dict[str, Any]:
    return {"level": level, "words": words, "href": href, "action": action}


def _charts(workspace_id: int, now: datetime) -> list[dict[str, Any]]:
    """Messages a day over the last thirty days, for each channel that was used."""
    days = [(now - MONTH + timedelta(days=step + 1)).date() for step in range(30)]
    sent = {(row.day, row.channel): row.messages for row in delivery.daily(workspace_id, since=now - MONTH)}
    charts = []
    for channel, title in CHANNELS:
        rows = [(f"{day.day} {day:%b}", sent.get((day, channel), 0)) for day in days]
        total = sum(many for _, many in rows)
        if total:
            charts.append({"title": title, "rows": rows, "total": total})
    return charts
