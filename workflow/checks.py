"""What governance asks of a campaign: what it uses, what is wrong with it, and whom it would reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from audience import door as audience
from governance import door as governance
from governance.door import CheckContext, Finding, Kind, Ref, pointer
from presentation import door as presentation
from workflow.cron import times
from workflow.documents import CampaignBody, Once, OnEvent, Schedule

LARGE = 0.5  # share of everyone above which an audience deserves a second look


def references(body: CampaignBody) -> list[Ref]:
    """The segment, the templates, the theme that they wear instead, and what the trigger's rule names."""
    found = [Ref("segment", body.segment, "/segment")]
    if theme := presentation.base_of(body.theme):
        found.append(Ref("theme", theme, "/theme"))
    if body.template:
        found.append(Ref("template", body.template, "/template"))
    found += [Ref("template", variant.template, pointer(["variants", place, "template"])) for place, variant in enumerate(body.variants)]
    if isinstance(body.trigger, OnEvent) and body.trigger.where is not None:
        found += audience.rule_references(body.trigger.where, "/trigger/where")
    return found


def checks(context: CheckContext, body: CampaignBody) -> list[Finding]:
    """Everything that the documents it uses let us say, before anybody is asked to approve it."""
    return [*_templates(context, body), *_trigger(context, body), *_limits(body)]


def _templates(context: CheckContext, body: CampaignBody) -> Iterator[Finding]:
    templates = [(path, context.draft("template", key)) for path, key in _template_paths(body)]
    known = [(path, template) for path, template in templates if template is not None]
    if not known:
        return
    first = known[0][1]
    for path, template in known[1:]:
        for field in ("channel", "message_class", "topic"):
            mine, theirs = getattr(template, field), getattr(first, field)
            if mine != theirs:
                yield Finding("error", path, f"a template with the {field.replace('_', ' ')} {mine}", f"{theirs}, as the first variant has")
    if first.message_class == "transactional" and body.trigger.type != "event":
        yield Finding(
            "error",
            known[0][0],
            "a transactional template",
            "a promotional or service one; transactional ones are sent by events and the API",
        )
    if first.message_class == "promotional" and not first.topic:
        yield Finding("error", known[0][0], "a promotional template without a topic", "a topic that people can agree to and leave")
    for path, template in known:
        needs = [
            name
            for name, variable in template.variables.items()
            if variable.source.startswith(("data.", "event.")) and variable.fallback is None
        ]
        if needs and body.trigger.type != "event":
            yield Finding(
                "error",
                path,
                f"a template that needs {', '.join(needs[:5])} from an event or a call",
                "variables from profiles, or fallbacks",
            )


def _template_paths(body: CampaignBody) -> Iterator[tuple[str, str]]:
    if body.template:
        yield "/template", body.template
    for place, variant in enumerate(body.variants):
        yield pointer(["variants", place, "template"]), variant.template


def _trigger(context: CheckContext, body: CampaignBody) -> Iterator[Finding]:
    trigger = body.trigger
    if isinstance(trigger, Once) and trigger.instant() <= context.now:
        yield Finding("error", "/trigger/at", f"{trigger.at} {trigger.zone}", "a time that is still to come")
    if isinstance(trigger, OnEvent):
        if trigger.event.startswith("message."):
            yield Finding("error", "/trigger/event", trigger.event, "an event of your own: messages can't trigger messages")
        if trigger.where is not None:
            yield from audience.rule_findings(context, trigger.where, "/trigger/where")
        if body.ramp:
            yield Finding("warning", "/ramp", "a ramp", "none: an event reaches one person at a time")
    if isinstance(trigger, Schedule) and not body.reentry and _often(trigger, context.now):
        yield Finding("note", "/reentry", "a schedule without re-entry", "nothing to do: each planned instant reaches everybody once")


def _often(trigger: Schedule, now: datetime) -> bool:
    upcoming = times(trigger.cron, trigger.zone, now)
    return next(upcoming) + timedelta(days=2) > next(upcoming)


def _limits(body: CampaignBody) -> Iterator[Finding]:
    if body.expires_after_hours * 60 < body.soak_minutes * max(0, len(body.ramp) - 1):
        yield Finding(
            "error", "/expires_after_hours", f"{body.expires_after_hours} hours", "longer than the waves of the ramp take together"
        )
    if len(body.variants) == 1:
        yield Finding("note", "/variants", "one variant", "`template`, or two variants to compare")


def reach(workspace_id: int, body: CampaignBody, now: datetime) -> int | None:
    """How many people the segment has now, as drafted. None for campaigns that events trigger."""
    if body.trigger.type == "event":
        return None
    segment = governance.document(workspace_id, "segment", body.segment).latest
    return audience.count(workspace_id, segment.model, as_of=now, drafts=True)


CAMPAIGN = Kind(
    name="campaign",
    plural="campaigns",
    title="Campaign",
    schema=CampaignBody,
    references=references,
    checks=checks,
    reach=reach,
)
