"""What one person would get now: every campaign in force, asked of them alone, by the same rooms in the same order as a launch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pyroaring import BitMap64

from audience import door as audience
from audience.door import Person
from delivery import door as delivery
from governance import door as governance
from governance.door import DoorError, RevisionView
from optimization import door as optimization
from rendering import door as rendering
from workflow import content
from workflow.documents import CampaignBody, OnEvent
from workflow.in_force import campaigns_in_force
from workflow.outlook import plan_of
from workflow.overview import next_time, trigger_words

Verdict = Literal["would_get", "left_out", "refused", "outside"]
ORDER: tuple[Verdict, ...] = ("would_get", "left_out", "refused", "outside")


@dataclass(frozen=True, slots=True)
class Prospect:
    """One campaign and one person, if it went out now (of an event's campaign: if the event happened now).

    verdict: would_get; left_out of the audience or at the last look, for `reason`; refused, where it can't go to anybody; outside
    the segment. until: when a message that must wait would go; next_at: the next planned launch; shown: its subject or text;
    because: more about the reason, in words.
    """

    key: str
    title: str
    segment: RevisionView
    channel: str
    starts: str
    next_at: datetime | None
    verdict: Verdict = "outside"
    reason: str = ""
    until: datetime | None = None
    variant: str = ""
    shown: str = ""
    because: str = ""


def prospects(workspace_id: int, person: Person, *, now: datetime, seen: Person | None = None) -> list[Prospect]:
    """What this person would get of each campaign in force, the likeliest first; in the words for `seen`, the person as whoever asks sees
    them. Changes nothing; a dozen queries per campaign."""
    found = [_prospect(revision, campaign, person, seen or person, now) for revision, campaign in campaigns_in_force(workspace_id)]
    return sorted(found, key=lambda each: (ORDER.index(each.verdict), each.title.casefold()))


def _prospect(revision: RevisionView, campaign: CampaignBody, person: Person, seen: Person, now: datetime) -> Prospect:
    workspace_id = revision.workspace_id
    segment = governance.released(workspace_id, "segment", campaign.segment)
    templates = [governance.released(workspace_id, "template", arm.template) for arm in campaign.arms()]
    channel = templates[0].model.channel
    prospect = Prospect(revision.key, campaign.title, segment, channel, trigger_words(campaign), next_time(campaign, now=now))
    try:
        alike = audience.sharing(workspace_id, person, channel=channel)
        members = audience.matching(workspace_id, segment.model.rule, alike, as_of=now)
        if person.id not in members:
            return prospect
        governance.approval(workspace_id, "campaign", revision.key, now=now)
        return _of_a_member(prospect, revision, campaign, templates, members, person, seen, now)
    except DoorError as refusal:
        return replace(prospect, verdict="refused", reason=refusal.reason)


def _of_a_member(
    prospect: Prospect,
    revision: RevisionView,
    campaign: CampaignBody,
    templates: list[RevisionView],
    members: BitMap64,
    person: Person,
    seen: Person,
    now: datetime,
) -> Prospect:
    """The rest of the street for somebody in the segment. members: they, and whoever of the segment has the same address."""
    held = optimization.hold_out(members, share=campaign.holdout, salt=revision.key)
    named = content.named_by(revision.workspace_id, templates, dress=campaign.theme)
    plan = plan_of(revision.workspace_id, revision.key, campaign, revision, templates, named, members - held, planned_at=now, now=now)
    plan = replace(
        plan,
        left_out={"holdout": held} if held else {},
        reentry=plan.reentry or isinstance(campaign.trigger, OnEvent),  # an event reaches the same person as often as it happens
    )
    [chosen] = optimization.choose(revision.key, content.arms(plan.experiment), [person.id])
    message = content.sample(revision.workspace_id, templates[chosen].id, person, pins=plan.pins)
    renders = isinstance(message, rendering.Filled) or isinstance(campaign.trigger, OnEvent)  # what an event brings along isn't known
    expected = delivery.forecast(plan, person, renders=renders, now=now)
    if expected.reason:
        return replace(prospect, verdict="left_out", reason=expected.reason, because=expected.because)
    if seen is not person:
        message = content.sample(revision.workspace_id, templates[chosen].id, seen, pins=plan.pins)
    return replace(
        prospect,
        verdict="would_get",
        until=expected.until,
        variant=campaign.arms()[chosen].key if campaign.variants else "",
        shown=(message.subject or message.text.decode()) if isinstance(message, rendering.Filled) else "",
    )
