"""Runs: what is happening, is it going well?"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from delivery import door as delivery
from governance import door as governance
from governance.door import AuditEntry, ConsoleRequest, Finding, Invalid, Missing, Role, User, console_page, page
from workflow import pipeline
from workflow.because import because
from workflow.campaign_forms import micros_of
from workflow.content_troubles import troubles
from workflow.models import Run
from workflow.overview import run_lines

QUIET_AFTER = timedelta(minutes=10)
SENT = ("sent", "delivered", "bounced", "complained")


@console_page()
def runs(request: ConsoleRequest) -> HttpResponse:
    """Every launch, newest first."""
    workspace_id, key = request.actor.workspace_id, request.GET.get("campaign", "")[:80]
    rows = Run.objects.filter(workspace_id=workspace_id)
    rows = rows.filter(campaign_key=key) if key else rows
    listed = page(rows, request, lambda run: run, ("-started_at", "-id"))
    context = {
        "title": "Runs",
        "trail": [{"title": "Campaigns", "href": reverse("workflow:campaigns")}],
        "page": listed,
        "lines": run_lines(workspace_id, listed["items"]),
        "campaign": key,
        "campaign_title": _title(workspace_id, key) if key else "",
        "names": _names({run.started_by for run in listed["items"]}),
    }
    return render(request, "workflow/run_list.html", context)


def _title(workspace_id: int, key: str) -> str:
    """A campaign's title; its key where there is none."""
    campaign = governance.Ref("campaign", key)
    return governance.titles(workspace_id, [campaign])[campaign]


def _names(ids: set[int | None]) -> dict[str, str]:
    rows = User.objects.filter(pk__in=[each for each in ids if each]).values_list("pk", "username")
    return {str(pk): name for pk, name in rows}


def _run(request: ConsoleRequest, run_id: int) -> Run:
    found = Run.objects.filter(workspace_id=request.actor.workspace_id, pk=run_id).first() if run_id < 2**63 else None
    if found is None:
        raise Missing(f"no run {run_id}")
    return found


@console_page()
def why_in_audience(request: ConsoleRequest, dispatch_id: int, profile_id: int) -> HttpResponse:
    """Why one person was in a run's audience, or wasn't: a part of the pages about their messages."""
    if max(dispatch_id, profile_id) >= 2**63:
        raise Missing("no such run or person")
    context: dict[str, Any] = {}
    with contextlib.suppress(Invalid):  # a rule of long ago, about what is no longer in the catalogue
        context["why"] = because(request.actor.workspace_id, dispatch_id, profile_id, role=request.actor.role)
    return render(request, "workflow/_because.html", context)


@console_page()
def chain(request: ConsoleRequest, token: str) -> HttpResponse:
    """The messages of which this is one and that follow each other only where the one before didn't arrive: a part of its page."""
    context = {"token": token, "chain": pipeline.chain(request.actor.workspace_id, token)}
    return render(request, "workflow/_chain.html", context)


@console_page()
def run(request: ConsoleRequest, run_id: int) -> HttpResponse:
    """One run, live while it sends."""
    found = _run(request, run_id)
    context = {
        "title": _title(request.actor.workspace_id, found.campaign_key),
        "trail": [
            {"title": "Campaigns", "href": reverse("workflow:campaigns")},
            {"title": "Runs", "href": reverse("workflow:runs")},
        ],
        **_live(request, found),
        "actions": _actions(request, found),
        "person": _names({found.started_by}).get(str(found.started_by), ""),
    }
    return render(request, "workflow/run.html", context)


@console_page()
def run_of(request: ConsoleRequest, dispatch_id: int) -> HttpResponse:
    """To the run whose messages a dispatch holds: pages about messages know only the dispatch."""
    rows = (
        Run.objects.filter(workspace_id=request.actor.workspace_id, dispatch_id=dispatch_id) if dispatch_id < 2**63 else Run.objects.none()
    )
    found = rows.values_list("pk", flat=True).first()
    if found is None:
        raise Missing("no run of these messages")
    return redirect("workflow:run", run_id=found)


@console_page()
def elsewhere(request: ConsoleRequest, run_id: int) -> HttpResponse:
    """What the run would have cost by another channel: a part of its page, asked for when somebody wants to know."""
    found = _run(request, run_id)
    others = delivery.elsewhere(request.actor.workspace_id, found.dispatch_id, now=timezone.now())
    return render(request, "workflow/_elsewhere.html", {"others": others})


@console_page()
def live(request: ConsoleRequest, run_id: int) -> HttpResponse:
    """The part of the run's page that moves; it stops asking when there is nothing left to see."""
    return render(request, "workflow/_run_polled.html", _live(request, _run(request, run_id)))


def _live(request: ConsoleRequest, found: Run) -> dict[str, Any]:
    workspace_id = request.actor.workspace_id
    facts = delivery.facts(workspace_id, found.dispatch_id)
    said = delivery.engagement(workspace_id, found.dispatch_id)
    handed = sum(facts.states.get(word, 0) for word in SENT)
    skipped = {**facts.left_out}
    for reason, many in facts.skipped.items():
        skipped[reason] = skipped.get(reason, 0) + many
    if never := facts.counts.get("cancelled", 0) - skipped.get("cancelled", 0):  # of a stopped run: who never had a last look
        skipped["cancelled"] = skipped.get("cancelled", 0) + never
    now, under_way = timezone.now(), facts.states.get("sending", 0)
    variants = delivery.by_variant(workspace_id, found.dispatch_id)
    sending, quiet = facts.state == "running", _quiet(facts, now=now)
    closed = [wave.number for wave in facts.waves if wave.state == "closed"]
    return {
        "run": found,
        "facts": facts,
        "said": said,
        "silence": _silence(facts, said),
        "tells": facts.channel != "push" or said.reported,
        "events_wait": delivery.events_waiting(workspace_id),
        "variants": variants,
        "contents": _contents(found) if variants else {},
        "held_out": facts.left_out.get("holdout", 0),
        "content": troubles(workspace_id, found.dispatch_id),
        "handed": handed,
        "skipped": sorted(skipped.items(), key=lambda pair: -pair[1]),
        "skipped_total": sum(skipped.values()),
        "failed": sorted(facts.failed.items(), key=lambda pair: -pair[1]),
        "failed_total": sum(facts.failed.values()),
        "looked_at": facts.settled - max(never, 0),
        "resting": sending and bool(facts.waiting or under_way) and bool(facts.trouble) and now < (facts.blocked_until or now),
        "moving": facts.state in {"running", "paused"} or facts.in_doubt > 0,
        "under_way": under_way,
        "never_looked_at": never,
        "doubts": delivery.in_doubt(workspace_id, dispatch_id=found.dispatch_id, limit=20) if facts.in_doubt else [],
        "switches": [
            each
            for each in delivery.switches(workspace_id)
            if facts.state in {"running", "paused"} and (each.scope == "workspace" or each.key in {facts.key, facts.vendor})
        ],
        "seconds_left": facts.waiting / facts.rate if facts.rate > 0 and facts.waiting and sending and not closed and not quiet else None,
        "quiet": quiet,
        "due": min((wave.due_at for wave in facts.waves if wave.due_at and wave.state == "sending"), default=None) if quiet else None,
        "closed_waves": bool(closed),
        "next_wave": min(closed, default=0),
        "next_wave_people": next((wave.people for wave in facts.waves if wave.number == min(closed, default=0)), 0),
        "may_pause": request.actor.role.covers(Role.AUTHOR),
        "may_resume": request.actor.role.covers(Role.APPROVER),
    }


def _contents(found: Run) -> dict[str, str]:
    """The title of the template that each variant sends, by the variant's key."""
    campaign = governance.revision_by_id(found.workspace_id, found.campaign_revision_id).model
    refs = {arm.key: governance.Ref("template", arm.template) for arm in campaign.arms()}
    titled = governance.titles(found.workspace_id, refs.values())
    return {key: titled[ref] for key, ref in refs.items()}


def _quiet(facts: delivery.DispatchView, *, now: datetime) -> bool:
    """Whether a run that should be sending has sent nothing for a while."""
    waits = facts.state == "running" and facts.waiting > 0 and facts.next_wave_at is None
    return waits and facts.last_posted_at is not None and now - facts.last_posted_at > QUIET_AFTER


def _silence(facts: delivery.DispatchView, said: delivery.Engagement) -> str:
    """Why deliveries aren't known, where nobody told of any: not known isn't none."""
    if said.reported or facts.shadow:
        return ""
    if facts.vendor == "outbox":
        return "The outbox reports nothing."
    if facts.channel == "push":
        return "Push services report nothing after they took a message; the app can record what became of it."
    return "No reports from the vendor yet."


def _actions(request: ConsoleRequest, found: Run) -> list[dict[str, Any]]:
    """Who did what to this run: its launch and what the audit trail has about its dispatch."""
    rows = AuditEntry.objects.filter(workspace_id=request.actor.workspace_id, subject=f"dispatch:{found.dispatch_id}").order_by("-n")[:50]
    names = _names({row.user_id for row in rows})
    words = {
        "dispatch.paused": ("paused", "Paused"),
        "dispatch.resumed": ("running", "Resumed"),
        "dispatch.stopped": ("stopped", "Stopped"),
        "dispatch.wave_opened": ("running", "Opened the next wave"),
        "dispatch.halted": ("halted", "Halted"),
        "dispatch.budget_raised": ("note", "Raised the budget"),
    }
    return [
        {
            "mark": words.get(row.action, ("note", ""))[0],
            "words": words.get(row.action, ("", row.action))[1],
            "row": row,
            "who": names.get(str(row.user_id), "the system"),
        }
        for row in rows
    ]


@require_POST
@console_page(Role.AUTHOR)
def act(request: ConsoleRequest, run_id: int) -> HttpResponse:
    """Pause, resume, stop, open the next wave, or raise the budget."""
    found, now = _run(request, run_id), timezone.now()
    asked, reason = request.POST.get("act", ""), request.POST.get("reason", "")[:300]
    if asked == "pause":
        delivery.pause(request.actor, found.dispatch_id, now=now, reason=reason)
        left = delivery.left_before(delivery.standstill(found.workspace_id, dispatch_id=found.dispatch_id))
        messages.success(request, f"Paused: nothing more goes out until somebody resumes it.{left}")
    elif asked == "resume":
        delivery.resume(request.actor, found.dispatch_id, now=now, reason=reason)
        messages.success(request, "Resumed.")
    elif asked == "stop":
        delivery.stop(request.actor, found.dispatch_id, now=now, reason=reason)
        left = delivery.left_before(delivery.standstill(found.workspace_id, dispatch_id=found.dispatch_id))
        messages.success(request, f"Stopped for good.{left}")
    elif asked == "wave":
        delivery.open_next_wave(request.actor, found.dispatch_id, now=now)
        messages.success(request, "The next wave is open.")
    elif asked == "budget":
        total = micros_of(request.POST.get("budget", "")[:40])
        if not isinstance(total, int):
            raise Invalid([Finding("error", "/budget", total or "nothing", "a sum such as 1,250.50")])
        delivery.raise_budget(request.actor, found.dispatch_id, total, now=now, reason=reason)
        messages.success(request, "The budget is raised. A paused run goes on when it is resumed.")
    else:
        raise Missing("nothing of that name can be done to a run")
    return redirect("workflow:run", run_id=run_id)
