"""What launching a campaign would do: the same look that the launch page shows and the launch itself freezes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap64

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import Actor, Finding, Missing, Refused
from optimization import door as optimization
from rendering import door as rendering
from workflow import content, guardrails
from workflow.documents import CampaignBody, Once, Schedule
from workflow.in_force import frozen
from workflow.models import Run
from workflow.overview import next_time

SAMPLES = 5
TODAY = timedelta(days=1)
PRICED = 50  # people whose rendered text gives the mean number of SMS parts


@dataclass(frozen=True, slots=True)
class Sample:
    """One message as one person would get it."""

    person: audience.Person
    variant: str
    message: rendering.Filled | rendering.Failed


@dataclass(frozen=True, slots=True)
class Outlook:
    """One look ahead. plan: what delivery would freeze; left_out: who gets nothing, by reason; ids: the others."""

    workspace_id: int
    key: str
    campaign: CampaignBody
    revision: governance.RevisionView
    segment: governance.RevisionView
    templates: list[governance.RevisionView]
    named: list[governance.RevisionView]
    approval: governance.Approval | None
    resolution: audience.Resolution
    plan: delivery.DispatchPlan
    left_out: Mapping[str, BitMap64]
    ids: BitMap64
    micros: int
    currency: str
    parts: int
    countries: Mapping[str, int]
    sentence: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def count(self) -> int:
        """People who would get a message, unless the last look finds a reason against it: the number a person types."""
        return len(self.ids)

    @property
    def first_wave(self) -> int:
        """About how many people the first wave reaches."""
        return max(1, round(self.count * self.campaign.ramp[0])) if self.campaign.ramp and self.count else self.count

    @property
    def errors(self) -> list[Finding]:
        """What forbids the launch."""
        return [finding for finding in self.findings if finding.level == "error"]

    def message(self, variant: int, person: audience.Person) -> rendering.Filled | rendering.Failed:
        """One person's message of this variant, as it would be sent."""
        return content.sample(self.workspace_id, self.templates[variant].id, person, pins=self.plan.pins)

    def samples(self, *, many: int = SAMPLES, actor: governance.Actor | None = None) -> list[Sample]:
        """Messages to real people of this audience, as they would be sent, spread over it; with what the actor may see of people."""
        people = audience.load(self.workspace_id, spread(self.ids, many))
        people = people if actor is None else audience.shown(actor, people)
        chosen = optimization.choose(self.key, content.arms(self.plan.experiment), [person.id for person in people])
        return [
            Sample(person, self.campaign.arms()[variant].key, self.message(variant, person))
            for person, variant in zip(people, chosen, strict=True)
        ]


def look_ahead(
    workspace_id: int,
    key: str,
    *,
    now: datetime,
    draft: bool = False,
    planned_at: datetime | None = None,
    shadow: bool = False,
    limit: int | None = None,
) -> Outlook:
    """The whole look: released revisions (or the latest drafts, for the author's page). Raises Missing; everything else is a finding."""
    read = _latest if draft else governance.released
    revision = read(workspace_id, "campaign", key)
    campaign: CampaignBody = revision.model
    templates = [read(workspace_id, "template", arm.template) for arm in campaign.arms()]
    named = content.named_by(workspace_id, templates, dress=campaign.theme, draft=draft)
    segment = read(workspace_id, "segment", campaign.segment)
    approval, problems = (None, []) if draft else _approval(workspace_id, key, now)
    resolution = audience.resolve(workspace_id, segment.model, as_of=now, drafts=draft)
    held = optimization.hold_out(resolution.ids, share=campaign.holdout, salt=key)
    ids = resolution.ids - held
    plan = plan_of(workspace_id, key, campaign, revision, templates, named, ids, planned_at=planned_at, now=now)
    surveyed = delivery.survey(replace(plan, left_out={"holdout": held} if held else {}), now=now)
    left_out = surveyed.left_out
    for people in left_out.values():
        ids = ids - people
    if limit is not None:  # the first so many of those who would get a message, and whoever is left out up to there
        ids = BitMap64(ids[:limit])
        held, considered, *some = (_up_to(ids, people) for people in (held, plan.ids, *left_out.values()))
        plan, left_out = replace(plan, ids=considered), dict(zip(left_out, some, strict=True))
    countries, parts = _price_facts(plan, templates, ids)
    micros, currency = delivery.quote(
        workspace_id, plan.channel, countries, parts, now=now, route_key=plan.route_key, policy_key=plan.policy_key
    )
    plan = replace(
        plan,
        left_out={"holdout": held} if held else {},
        surveyed=replace(surveyed, left_out=left_out),
        bill_hash=approval.bill_hash if approval else "",
        pins=sorted({*plan.pins, *frozen(approval)}),
        recheck_rule=segment.body["rule"] if campaign.recheck == "at_send" else None,
        shadow=shadow,
        estimated_micros=micros,
        currency=currency,
    )
    outlook = Outlook(
        workspace_id=workspace_id,
        key=key,
        campaign=campaign,
        revision=revision,
        segment=segment,
        templates=templates,
        named=named,
        approval=approval,
        resolution=resolution,
        plan=plan,
        left_out=left_out,
        ids=ids,
        micros=micros,
        currency=currency,
        parts=parts,
        countries=countries,
        sentence=audience.sentence(segment.model.rule, audience.names_of(workspace_id)),
    )
    if not draft and campaign.trigger.type != "event":
        asked = replace(plan, mails=content.planned_mails(workspace_id, campaign.template_paths(), templates, plan.pins))
        problems = [*problems, *delivery.objections(asked, by_hand=planned_at is None)]
    outlook.findings.extend(guardrails.check(_intent(outlook, problems, draft=draft, by_hand=planned_at is None, now=now)))
    return outlook


def _up_to(ids: BitMap64, people: BitMap64) -> BitMap64:
    """Those of `people` whose id is not beyond the last of `ids`."""
    return BitMap64(people[: people.rank(ids.max())]) if ids else BitMap64()


def occurrence_of(campaign: CampaignBody, planned_at: datetime) -> str:
    """Launches of one occurrence never reach the same person twice: each planned instant is one; all manual launches together are one."""
    return planned_at.isoformat(timespec="minutes") if campaign.trigger.type == "schedule" else campaign.trigger.type


def run_of(outlook: Outlook, actor: Actor, dispatch_id: int, *, trigger: str, planned_at: datetime | None, now: datetime) -> Run:
    """The run's row, unsaved, with what was true at launch."""
    return Run(
        workspace_id=outlook.workspace_id,
        campaign_key=outlook.key,
        campaign_revision_id=outlook.revision.id,
        dispatch_id=dispatch_id,
        occurrence=outlook.plan.occurrence,
        trigger=trigger,
        planned_at=planned_at or now,
        started_at=now,
        started_by=actor.user_id,
        via=actor.via,
        shadow=outlook.plan.shadow,
        considered=outlook.resolution.count,
        facts={
            "engine": outlook.resolution.engine,
            "note": outlook.resolution.note,
            "sentence": outlook.sentence,
            "segment_revision": outlook.segment.id,
            "count": outlook.count,
            "approved_reach": outlook.approval.reach if outlook.approval else None,
            "approved_by": list(outlook.approval.deciders) if outlook.approval else [],
            "estimated_micros": outlook.micros,
            "currency": outlook.currency,
            "variants": [arm.key for arm in outlook.campaign.arms()],
            "warnings": [finding.as_dict() for finding in outlook.findings if finding.level == "warning"],
        },
    )


def spread(ids: BitMap64, many: int) -> list[int]:
    """At most `many` ids, evenly spread over a set."""
    whole = len(ids)
    return [int(ids[place * whole // many]) for place in range(many)] if whole > many else [int(each) for each in ids]


def pinned_arms(campaign: CampaignBody, templates: list[governance.RevisionView]) -> dict[str, Any]:
    """The arms with their template revisions, as a dispatch keeps them."""
    arms = zip(campaign.arms(), templates, strict=True)
    return {"arms": [{"key": arm.key, "weight": arm.weight, "template": view.key, "revision_id": view.id} for arm, view in arms]}


def plan_of(
    workspace_id: int,
    key: str,
    campaign: CampaignBody,
    revision: governance.RevisionView,
    templates: list[governance.RevisionView],
    named: list[governance.RevisionView],
    ids: BitMap64,
    *,
    planned_at: datetime | None,
    now: datetime,
) -> delivery.DispatchPlan:
    """What delivery would freeze for these people, before anything is counted or priced."""
    first = templates[0].model
    occurrence = occurrence_of(campaign, planned_at or now)
    return delivery.DispatchPlan(
        workspace_id=workspace_id,
        campaign_key=key,
        occurrence=occurrence,
        relaunch=Run.objects.filter(workspace_id=workspace_id, campaign_key=key, occurrence=occurrence).count(),
        campaign_revision_id=revision.id,
        template_revision_id=templates[0].id,
        bill_hash="",
        pins=[revision.id, *(view.id for view in (*templates, *named))],
        channel=first.channel,
        message_class=first.message_class,
        topic=first.topic or "",
        route_key=campaign.route or "",
        policy_key=campaign.policy or "",
        ids=ids,
        ramp=campaign.ramp,
        soak_minutes=campaign.soak_minutes,
        batch_size=campaign.batch_size,
        due_at=now,
        expires_at=now + timedelta(hours=campaign.expires_after_hours),
        experiment=pinned_arms(campaign, templates),
        reentry=campaign.reentry,
        budget_micros=campaign.budget.micros if campaign.budget else None,
    )


def _latest(workspace_id: int, kind: str, key: str) -> governance.RevisionView:
    return governance.document(workspace_id, kind, key).latest


def _approval(workspace_id: int, key: str, now: datetime) -> tuple[governance.Approval | None, list[Finding]]:
    try:
        return governance.approval(workspace_id, "campaign", key, now=now), []
    except (Refused, Missing) as refusal:
        return None, list(refusal.findings) or [Finding("error", "", refusal.reason, "an approval of exactly these revisions")]


def _intent(outlook: Outlook, problems: list[Finding], *, draft: bool, by_hand: bool, now: datetime) -> guardrails.Intent:
    return guardrails.Intent(
        campaign=outlook.campaign,
        approval=outlook.approval,
        draft=draft,
        reach=outlook.resolution.count,
        reachable=outlook.count,
        micros=outlook.micros,
        currency=outlook.currency,
        running=_running(outlook.workspace_id, outlook.key),
        problems=problems,
        barred=_barred(outlook),
        scheduled=_scheduled(outlook.campaign, now) if by_hand else "",
        lately=None if draft else _lately(outlook, by_hand=by_hand, now=now),
    )


def _barred(outlook: Outlook) -> dict[str, int]:
    """People by country in which a sender of theirs may not be used."""
    allowed = [set(view.model.countries) for view in outlook.named if view.kind == "sender" and view.model.countries]
    return {
        country: many
        for country, many in outlook.countries.items()
        if outlook.plan.channel == "sms" and country and any(country not in some for some in allowed)
    }


def _scheduled(campaign: CampaignBody, now: datetime) -> str:
    """When the campaign is launched next by itself, in its own zone's words."""
    trigger, coming = campaign.trigger, next_time(campaign, now=now)
    if coming is None or not isinstance(trigger, Schedule | Once):
        return ""
    return f"on {coming.astimezone(ZoneInfo(trigger.zone)):%A %-d %B at %H:%M} ({trigger.zone})"


def _lately(outlook: Outlook, *, by_hand: bool, now: datetime) -> tuple[int, int] | None:
    """How many of the people at hand are in the latest run of another occurrence within a day, and its number. A schedule may well
    reach the same people every day: its own launches ask about those by hand only."""
    others = Run.objects.filter(workspace_id=outlook.workspace_id, campaign_key=outlook.key, shadow=False, started_at__gt=now - TODAY)
    others = others if by_hand else others.filter(trigger="manual")
    latest = others.exclude(occurrence=outlook.plan.occurrence).exclude(trigger="event").order_by("-started_at").first()
    if latest is None:
        return None
    again = len(delivery.planned(outlook.workspace_id, latest.dispatch_id) & outlook.ids)
    return (again, latest.pk) if again else None


def _running(workspace_id: int, key: str) -> list[int]:
    runs = Run.objects.filter(workspace_id=workspace_id, campaign_key=key).exclude(trigger="event").order_by("-started_at")[:5]
    runs_by_dispatch = {run.dispatch_id: run.pk for run in runs}
    return [runs_by_dispatch[dispatch_id] for dispatch_id in delivery.unfinished(workspace_id, list(runs_by_dispatch))]


def _price_facts(plan: delivery.DispatchPlan, templates: list[governance.RevisionView], ids: BitMap64) -> tuple[dict[str, int], int]:
    """People by country, and how many parts a message has (rounded up), where the channel's price asks for it."""
    if plan.channel != "sms":
        return {"": len(ids)}, 1
    workspace_id, template_id = plan.workspace_id, templates[0].id
    people = audience.load(workspace_id, spread(ids, PRICED))
    made = content.samples(workspace_id, template_id, people, pins=plan.pins)
    parts = [rendering.sms_parts(message.text.decode()).parts for message in made if isinstance(message, rendering.Filled)]
    return audience.countries(workspace_id, ids), math.ceil(sum(parts) / len(parts)) if parts else 1
