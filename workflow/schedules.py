"""Which campaigns are due: each planned instant launches once, whoever ticks and however often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max

from governance import door as governance
from governance.door import DoorError
from workflow.cron import previous_time
from workflow.documents import CampaignBody, Once, Schedule
from workflow.in_force import released_campaigns
from workflow.models import Occurrence

Launch = Callable[[str, datetime], object]


@dataclass(frozen=True, slots=True)
class Due:
    """A campaign's planned instant (UTC) that has come."""

    key: str
    planned_at: datetime


def planned(campaign: CampaignBody, *, released_at: datetime, now: datetime) -> datetime | None:
    """The latest planned instant within the late limit, never one before the release. None: nothing is due."""
    trigger = campaign.trigger
    if not isinstance(trigger, Schedule | Once):
        return None
    late = timedelta(minutes=trigger.late_limit_minutes)
    if isinstance(trigger, Once):
        instant: datetime | None = trigger.instant()
        instant = instant if instant and now - late < instant <= now else None
    else:
        instant = previous_time(trigger.cron, trigger.zone, now=now, within=late)
    return instant if instant and instant > released_at else None


def due(workspace_id: int, *, now: datetime) -> list[Due]:
    """Everything whose planned instant has come and has not been dealt with. One query per tick and one for what is done."""
    scheduled = {
        released.id: (released.key, campaign)
        for released, campaign in released_campaigns(workspace_id)
        if isinstance(campaign.trigger, Schedule | Once)
    }
    if not scheduled:
        return []
    found = []
    for revision_id, released_at in _released_at(workspace_id, list(scheduled)).items():
        key, campaign = scheduled[revision_id]
        instant = planned(campaign, released_at=released_at, now=now)
        if instant is not None:
            found.append(Due(key, instant))
    done = set(
        Occurrence.objects.filter(workspace_id=workspace_id, planned_at__in=[item.planned_at for item in found]).values_list(
            "campaign_key", "planned_at"
        )
    )
    return [item for item in found if (item.key, item.planned_at) not in done]


def _released_at(workspace_id: int, revision_ids: list[int]) -> dict[int, datetime]:
    """When each of these revisions was last put in force."""
    rows = governance.Release.objects.filter(workspace_id=workspace_id, revision_id__in=revision_ids)
    return dict(rows.values("revision_id").annotate(last=Max("at")).values_list("revision_id", "last"))


def claim(workspace_id: int, key: str, planned_at: datetime, *, now: datetime) -> bool:
    """Take an instant in the caller's transaction; False if somebody already did. The unique key decides between racing schedulers."""
    try:
        with transaction.atomic():
            Occurrence.objects.create(workspace_id=workspace_id, campaign_key=key, planned_at=planned_at, outcome="launched", at=now)
    except IntegrityError:
        return False
    return True


def refuse(workspace_id: int, key: str, planned_at: datetime, error: DoorError, *, now: datetime) -> None:
    """Remember that an instant was refused and why, so it isn't tried every tick and a person can see it."""
    with transaction.atomic():
        if claim(workspace_id, key, planned_at, now=now):
            Occurrence.objects.filter(workspace_id=workspace_id, campaign_key=key, planned_at=planned_at).update(
                outcome="refused", reason=error.reason[:2000]
            )
