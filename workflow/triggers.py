"""Events into messages: the campaigns an event can trigger, the best one per person, decided in one transaction with the feed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from audience import door as audience
from audience.door import TriggerEvent
from delivery import door as delivery
from governance import door as governance
from governance.door import DoorError
from optimization import door as optimization
from workflow import bells, content
from workflow.documents import CampaignBody, OnEvent
from workflow.in_force import frozen, released_campaigns
from workflow.models import Run
from workflow.outlook import pinned_arms

log = structlog.get_logger(__name__)
MOST_PER_HOUR = 10  # events of one name that may trigger something for one person: a loop somewhere else must not become ours


@dataclass(frozen=True, slots=True)
class Triggered:
    """A released campaign that listens to an event, with what it is pinned to."""

    view: governance.RevisionView
    campaign: CampaignBody
    trigger: OnEvent
    approval: governance.Approval


def consume(*, now: datetime, limit: int) -> int:
    """Take waiting events and decide what they send, in one transaction: an event is either wholly dealt with or waits again."""
    if not audience.events_waiting():
        return 0
    with transaction.atomic():
        events = audience.take_events(limit)
        by_kind: dict[tuple[int, str], list[TriggerEvent]] = defaultdict(list)
        for event in events:
            by_kind[event.workspace_id, event.name].append(event)
        for (workspace_id, name), group in by_kind.items():
            _decide(workspace_id, group, list(_listening(workspace_id, name, now)), now)
        if events:
            bells.ring(lane="transactional")
    return len(events)


def _listening(workspace_id: int, name: str, now: datetime) -> Iterable[Triggered]:
    """Released campaigns that this event can trigger, and whose approval still fits. Those that don't fit are logged, not sent."""
    for released, campaign in released_campaigns(workspace_id):
        if not isinstance(campaign.trigger, OnEvent) or campaign.trigger.event != name:
            continue
        try:
            approval = governance.approval(workspace_id, "campaign", released.key, now=now)
            _refuse_bulk_faults(workspace_id, campaign, now)
        except DoorError as refusal:
            log.warning("trigger.refused", campaign=released.key, reason=refusal.reason)
            continue
        yield Triggered(released, campaign, campaign.trigger, approval)


def _refuse_bulk_faults(workspace_id: int, campaign: CampaignBody, now: datetime) -> None:
    """Promotional mail that a launch would refuse is not sent piecemeal, either. Raises Refused, Missing."""
    templates = [governance.released(workspace_id, "template", arm.template) for arm in campaign.arms()]
    if templates[0].model.message_class != "promotional":
        return
    pins = [view.id for view in content.named_by(workspace_id, templates)]
    mails = content.planned_mails(workspace_id, campaign.template_paths(), templates, pins)
    if faults := delivery.bulk_faults(workspace_id, mails, campaign.route or "", now=now) if mails else ():
        raise governance.Refused(str(faults[0]), faults)


def _decide(workspace_id: int, events: list[TriggerEvent], listening: list[Triggered], now: datetime) -> None:
    """The best eligible campaign per event sends; the others are recorded as outranked."""
    eligible: dict[int, list[Triggered]] = defaultdict(list)
    for triggered in listening:
        for event in _matching(workspace_id, triggered, events, now):
            eligible[event.event_pk].append(triggered)
    by_campaign: dict[tuple[str, str], list[TriggerEvent]] = defaultdict(list)
    known = {triggered.view.key: triggered for triggered in listening}
    restless = _restless(workspace_id, events)
    for event in events:
        candidates = [optimization.Candidate(each.view.key, each.campaign.priority) for each in eligible[event.event_pk]]
        for place, candidate in enumerate(optimization.rank(candidates)):
            reason = "outranked" if place else "capped" if event.event_pk in restless else ""
            by_campaign[candidate.key, reason].append(event)
    for (key, reason), group in by_campaign.items():
        _queue(workspace_id, known[key], group, reason, now)


def _restless(workspace_id: int, events: list[TriggerEvent]) -> set[int]:
    """Events whose person did the same so often within the hour that nobody means it."""
    times = audience.times_until(workspace_id, [event.event_pk for event in events], within=timedelta(hours=1))
    return {event_pk for event_pk, often in times.items() if often > MOST_PER_HOUR}


def _matching(workspace_id: int, triggered: Triggered, events: list[TriggerEvent], now: datetime) -> list[TriggerEvent]:
    """The events whose person is in the segment and for which `where` holds. Two queries for the group, plus one per event with `where`."""
    segment = governance.released(workspace_id, "segment", triggered.campaign.segment)
    people = audience.matching(workspace_id, segment.model.rule, {event.profile_id for event in events}, as_of=now)
    found = [event for event in events if event.profile_id in people]
    held = optimization.hold_out(people, share=triggered.campaign.holdout, salt=triggered.view.key)
    found = [event for event in found if event.profile_id not in held]
    where = triggered.trigger.where
    if where is None:
        return found
    return [event for event in found if audience.matching(workspace_id, where, [event.profile_id], as_of=now, event=event)]


def _queue(workspace_id: int, triggered: Triggered, events: list[TriggerEvent], reason: str, now: datetime) -> None:
    dispatch_id = standing_dispatch(workspace_id, triggered, now)
    due = now + timedelta(minutes=triggered.trigger.delay_minutes)
    expires = due + timedelta(hours=triggered.campaign.expires_after_hours)
    new = [
        delivery.NewDecision(
            event.profile_id, {**event.properties, "event_id": event.event_id}, due_at=due, expires_at=expires, skip=reason
        )
        for event in events
    ]
    delivery.decide(dispatch_id, new, now=now)


def standing_dispatch(workspace_id: int, triggered: Triggered, now: datetime) -> int:
    """The dispatch that carries this campaign's messages of today, with its run."""
    campaign = triggered.campaign
    templates = [governance.released(workspace_id, "template", arm.template) for arm in campaign.arms()]
    segment = governance.released(workspace_id, "segment", campaign.segment)
    first = templates[0].model
    of = delivery.Standing(
        workspace_id=workspace_id,
        kind="event",
        key=triggered.view.key,
        day=now.date(),
        template_revision_id=templates[0].id,
        channel=first.channel,
        message_class=first.message_class,
        topic=first.topic or "",
        lane="transactional" if first.message_class == "transactional" else "promotional",
        campaign_revision_id=triggered.view.id,
        pins=[template.id for template in templates],
        named=sorted(
            {*(view.id for view in content.named_by(workspace_id, templates, dress=campaign.theme)), *frozen(triggered.approval)}
            - {triggered.view.id, *(template.id for template in templates)}
        ),
        bill_hash=triggered.approval.bill_hash,
        route_key=campaign.route or "",
        policy_key=campaign.policy or "",
        experiment=pinned_arms(campaign, templates),
    )
    dispatch_id = delivery.standing(of, now=now)
    Run.objects.get_or_create(
        dispatch_id=dispatch_id,
        defaults={
            "workspace_id": workspace_id,
            "campaign_key": triggered.view.key,
            "campaign_revision_id": triggered.view.id,
            "occurrence": now.date().isoformat(),
            "trigger": "event",
            "planned_at": now,
            "started_at": now,
            "via": "system",
            "facts": {
                "approved_by": list(triggered.approval.deciders),
                "variants": [arm.key for arm in campaign.arms()],
                "segment_revision": segment.id,
            },
        },
    )
    return dispatch_id
