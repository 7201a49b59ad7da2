"""Campaigns: who hears what, when, at what price?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import (
    Actor,
    ConsoleRequest,
    DoorError,
    Edit,
    Editor,
    Finding,
    Invalid,
    Missing,
    Refused,
    Role,
    console_page,
    document_context,
    draw,
    edit,
    list_context,
    listed,
    mapped,
    posted_body,
    whole_number,
)
from rendering.door import Filled
from workflow import campaign_forms, campaign_places, content, pipeline
from workflow.documents import CampaignBody
from workflow.models import Run
from workflow.overview import AHEAD, next_time, next_times, run_lines, trigger_words
from workflow.views.schedules import planned, schedule_words

CAMPAIGN = "campaign"


def campaign_editor() -> Editor:
    """How campaigns are edited."""
    return Editor(
        CAMPAIGN,
        to_form=campaign_forms.to_form,
        to_body=campaign_forms.to_body,
        make=campaign_forms.make,
        steps=campaign_forms.steps,
        place=campaign_places.place,
        label=campaign_places.label,
    )


@console_page()
def campaigns(request: ConsoleRequest) -> HttpResponse:
    """Every campaign with its audience, when it starts next, and its last run."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    context = list_context(request, CAMPAIGN)
    keys = [view.key for view in context["documents"]]
    latest: dict[str, Run] = {}
    for run in Run.objects.filter(workspace_id=workspace_id, campaign_key__in=keys).order_by("started_at")[:2_000]:
        latest[run.campaign_key] = run
    lines = {line.run.campaign_key: line for line in run_lines(workspace_id, latest.values())}
    segments = {view.key: view.title for view in governance.documents(workspace_id, "segment")}
    templates = {view.key: view.latest.body.get("channel", "") for view in governance.documents(workspace_id, "template")}
    context["rows"] = [_row(view, lines.get(view.key), segments, templates, now) for view in context["documents"]]
    return render(request, "workflow/campaign_list.html", context)


def _row(view: governance.DocumentView, line: Any, segments: Mapping[str, str], templates: Mapping[str, str], now: Any) -> dict[str, Any]:
    try:
        body: CampaignBody | None = (view.released or view.latest).model
    except Invalid:
        body = None
    return {
        "document": view,
        "line": line,
        "segment": segments.get(body.segment, body.segment) if body else "",
        "channel": templates.get(body.arms()[0].template, "") if body else "",
        "starts": trigger_words(body) if body else "",
        "next": next_time(body, now=now) if body and view.released else None,
    }


@console_page(Role.AUTHOR)
def new_campaign(request: ConsoleRequest) -> HttpResponse:
    """The editor, with what every campaign needs."""
    return _draw(request, edit(request, campaign_editor(), None))


@console_page()
def campaign(request: ConsoleRequest, key: str) -> HttpResponse:
    """One column: audience, content, when, limits, estimate."""
    return _draw(request, edit(request, campaign_editor(), key))


def _themes(workspace_id: int, chosen: Any) -> list[tuple[str, str]]:
    """Key and title of the themes that mails may wear, and the one that is chosen, also where there is none such."""
    known = {view.key: view.title for view in governance.documents(workspace_id, "theme")}
    return [*known.items(), *([(chosen, chosen)] if isinstance(chosen, str) and chosen and chosen not in known else [])]


def _draw(request: ConsoleRequest, current: Edit) -> HttpResponse:
    if current.response is not None:
        return current.response
    workspace_id = request.actor.workspace_id
    form = current.form
    extra = {
        "segments": [(view.key, view.title or view.key) for view in governance.documents(workspace_id, "segment")],
        "templates": [(view, _channel(view)) for view in governance.documents(workspace_id, "template")],
        "template_keys": [view.key for view in governance.documents(workspace_id, "template")],
        "at_is_moment": re.fullmatch(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})?", str(mapped(form.get("trigger")).get("at") or "")),
        "routes": [view.key for view in governance.documents(workspace_id, "vendor_route")],
        "policies": [view.key for view in governance.documents(workspace_id, "sending_policy")],
        "themes": _themes(workspace_id, form.get("theme")),
        "theme_changed": form.get("theme") is not None and not isinstance(form.get("theme"), str),
        "zones": sorted(governance.zone_names()),
        "at": current.fault_at,
        "limits_at_fault": any(path in campaign_places.LIMITS for path in current.fault_at),
        "variants": [(at, arm, share) for at, (arm, share) in enumerate(campaign_forms.with_shares(form.get("variants")))],
        "comparing": form.get("content") == "variants",
        "where": mapped(form.get("trigger")).get("where"),
        "only": _only(current),
        "pickers": audience.PROPERTY_PICKERS,
        "events": audience.event_names(workspace_id) if mapped(form.get("trigger")).get("type") == "event" else (),
        "was": mapped(form.get("was")),
        **planned(request, form),
        "may_launch": request.actor.role.covers(Role.APPROVER),
    }
    return draw(request, current, "workflow/campaign.html", "workflow/_campaign_form.html", extra)


def _only(current: Edit) -> list[dict[str, Any]] | None:
    """The conditions on the triggering event, each with its fault; None where the rule is more than such conditions."""
    trigger = mapped(current.form.get("trigger"))
    if "only" not in trigger and trigger.get("where"):
        return None
    faults = current.fault_at
    return [{**mapped(each), "fault": faults.get(f"/trigger/only/{at}")} for at, each in enumerate(listed(trigger.get("only")))]


@console_page()
def schedule_look(request: ConsoleRequest) -> HttpResponse:
    """The schedule in the form, in words and dates: asked again as it is edited."""
    try:
        trigger = mapped(posted_body(request, campaign_editor()).get("trigger"))
    except Invalid:
        trigger = {}
    line = "" if request.POST.get("/trigger/often/every") == "own" else trigger.get("cron")
    return render(request, "workflow/_schedule_look.html", {"schedule": schedule_words(trigger, timezone.now()), "line": line})


def _channel(view: governance.DocumentView) -> str:
    words = {"email": "e-mail", "sms": "SMS", "push": "push"}
    return words.get(str(view.latest.body.get("channel", "")), "")


@console_page()
def audience_look(request: ConsoleRequest) -> HttpResponse:
    """The chosen segment in words and number, as last saved."""
    key = request.GET.get("segment") or request.GET.get("/segment", "")
    if not key:
        return render(request, "workflow/_audience.html", {"nothing": True})
    now, workspace_id = timezone.now(), request.actor.workspace_id
    try:
        view = governance.document(workspace_id, "segment", key)
        count = audience.count(workspace_id, view.latest.model, as_of=now, drafts=True)
        words = audience.sentence(view.latest.model.rule, audience.names_of(workspace_id))
    except (Invalid, Missing) as error:
        return render(request, "workflow/_audience.html", {"reason": error.reason})
    return render(
        request, "workflow/_audience.html", {"view": view, "count": count, "sentence": words, "total": audience.everyone(workspace_id)}
    )


@console_page()
def estimate(request: ConsoleRequest, key: str) -> HttpResponse:
    """What launching the saved draft would do: counted and priced by itself, because it may take a moment. `?as=line`: in one sentence."""
    template = "workflow/_estimate_line.html" if request.GET.get("as") == "line" else "workflow/_estimate.html"
    try:
        ahead = pipeline.preview(request.actor.workspace_id, key, now=timezone.now(), draft=True)
    except (Invalid, Missing, Refused) as error:
        return render(request, template, {"reason": error.reason})
    return render(request, template, _looked(ahead))


def _looked(ahead: pipeline.Outlook) -> dict[str, Any]:
    """What every page says about an outlook. each: the price of one message, for those that go out one by one."""
    return {
        "ahead": ahead,
        "left_out": _left_out(ahead),
        "each": ahead.micros // ahead.count if ahead.count else 0,
        "starts": trigger_words(ahead.campaign),
    }


def _left_out(ahead: pipeline.Outlook) -> list[tuple[str, int]]:
    return sorted(((reason, len(people)) for reason, people in ahead.left_out.items() if people), key=lambda pair: -pair[1])


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One real message on the preview and launch pages."""

    person: audience.Person
    variant: str
    subject: str
    preheader: str
    text: str
    failed: str


def _samples(ahead: pipeline.Outlook, actor: Actor, many: int = 5) -> list[SampleLine]:
    lines = []
    for sample in ahead.samples(many=many, actor=actor):
        made = sample.message
        if isinstance(made, Filled):
            text = made.text.decode() if made.html is None else ""
            lines.append(SampleLine(sample.person, sample.variant, made.subject, made.preheader, text, ""))
        else:
            lines.append(SampleLine(sample.person, sample.variant, "", "", "", made.detail))
    return lines


@console_page()
def preview(request: ConsoleRequest, key: str) -> HttpResponse:
    """Whom the draft would reach, with five of the messages as they would be."""
    workspace_id = request.actor.workspace_id
    view = governance.document(workspace_id, CAMPAIGN, key)
    context: dict[str, Any] = {**document_context(request, view, "preview")}
    try:
        ahead = pipeline.preview(workspace_id, key, now=timezone.now(), draft=True)
        context |= {**_looked(ahead), "samples": _samples(ahead, request.actor), "coming": _coming(ahead.campaign)}
    except (Invalid, Missing, Refused) as error:
        context["reason"] = error.reason
    return render(request, "workflow/campaign_preview.html", context)


def _coming(campaign: CampaignBody) -> list[Any]:
    now = timezone.now()
    return next_times(campaign, now=now, until=now + AHEAD, many=5)


@console_page()
def sample_frame(request: ConsoleRequest, key: str, profile_id: int) -> HttpResponse:
    """One sample message's HTML, for a sandboxed frame."""
    workspace_id = request.actor.workspace_id
    view = governance.document(workspace_id, CAMPAIGN, key)
    released = request.GET.get("of") == "released" and view.released is not None
    body: CampaignBody = view.released.model if released and view.released else view.latest.model
    wanted = request.GET.get("variant", "")
    arm = next((each for each in body.arms() if each.key == wanted), body.arms()[0])
    template = (
        governance.released(workspace_id, "template", arm.template)
        if released
        else governance.document(workspace_id, "template", arm.template).latest
    )
    person = audience.shown_one(request.actor, next(iter(audience.load(workspace_id, [profile_id])), None))
    if person is None:
        raise Missing("no such profile")
    whole = view.released if released and view.released else view.latest
    pins = [whole.id, *(each.id for each in content.named_by(workspace_id, [template], dress=body.theme, draft=not released))]
    made = content.sample(workspace_id, template.id, person, pins=pins)
    if isinstance(made, Filled):
        return delivery.framed(request, (made.html or b"").decode(), made.text.decode())
    return delivery.framed(request, "", f"This person would be skipped: {made.detail}")


@console_page(Role.APPROVER)
def launch(request: ConsoleRequest, key: str) -> HttpResponse:
    """Am I sure? The count, the sentence, the price, the first wave, real messages, every check; then the typed count."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    view = governance.document(workspace_id, CAMPAIGN, key)
    if view.released is None:
        raise Refused("this campaign was never released, so there is nothing that may be launched: submit it for approval first")
    typed = _typed(request.POST.get("count", "")) if request.method == "POST" else None
    faults: list[Finding] = []
    if request.method == "POST":
        try:
            if typed is None:
                raise Invalid([Finding("error", "/count", request.POST.get("count", "")[:40] or "nothing", "the number of people, typed")])
            run = pipeline.launch(request.actor, key, now=now, typed_count=typed, shadow=request.POST.get("shadow") == "1")
        except DoorError as error:
            faults = list(error.findings) or [Finding("error", "", error.reason, "something that policy allows")]
        else:
            word = "Shadow run started: everything but the vendor." if run.shadow else f"Launched. {typed:,} people are in its plan."
            messages.success(request, word)
            return redirect("workflow:run", run_id=run.pk)
    ahead = pipeline.preview(workspace_id, key, now=now)
    context = {
        "title": f"Launch {view.title}",
        "trail": [
            {"title": "Campaigns", "href": reverse("workflow:campaigns")},
            {"title": view.title or key, "href": reverse("workflow:campaign", args=[key])},
        ],
        "document": view,
        **_looked(ahead),
        "samples": _samples(ahead, request.actor),
        "faults": faults,
        "typed": request.POST.get("count", ""),
        "shadow": request.POST.get("shadow") == "1",
        "wave": f"{ahead.campaign.ramp[0]:.0%}" if ahead.campaign.ramp else "",
    }
    return render(request, "workflow/launch.html", context, status=422 if faults else 200)


def _typed(text: str) -> int | None:
    """12408, 12,408 and 12 408 are the same number."""
    tight = "".join(char for char in text if char not in " ,.'’_\u00a0\u202f")
    return whole_number(tight, 15)
