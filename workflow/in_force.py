"""The campaigns that are in force: what schedules, events and outlooks go through."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import structlog

from governance import door as governance
from governance.door import Approval, Invalid, RevisionView
from workflow.documents import CampaignBody

log = structlog.get_logger(__name__)


LIVE = {"vendor_route", "sending_policy"}  # what is in force when a message goes counts, not what was when it was launched


def frozen(approval: Approval | None) -> list[int]:
    """The revisions that a dispatch is frozen with, of all that was approved: the recall of any of them halts it."""
    return [item.revision_id for item in approval.bill.items if item.kind not in LIVE] if approval else []


def campaigns_in_force(workspace_id: int) -> Iterator[tuple[RevisionView, CampaignBody]]:
    """Every released campaign and what it says.

    One whose body today's schema no longer accepts is logged and left out: it stops itself, not the others.
    """
    for released in governance.all_released(workspace_id, "campaign"):
        try:
            yield released, released.model
        except Invalid as invalid:
            log.error("campaign.unreadable", campaign=released.key, revision=released.number, reason=invalid.reason)


def released_campaigns(workspace_id: int) -> tuple[tuple[RevisionView, CampaignBody], ...]:
    """The same for those who look every few seconds: remembered until something is released, rolled back or recalled."""
    return _released(workspace_id, governance.epoch(workspace_id))


@lru_cache(maxsize=64)
def _released(workspace_id: int, epoch: int) -> tuple[tuple[RevisionView, CampaignBody], ...]:
    return tuple(campaigns_in_force(workspace_id))
