"""The campaigns that are in force: what schedules, events and outlooks go through."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from governance import door as governance
from governance.door import DocumentView, Invalid, RevisionView
from workflow.documents import CampaignBody

log = structlog.get_logger(__name__)


def campaigns_in_force(workspace_id: int) -> Iterator[tuple[DocumentView, RevisionView, CampaignBody]]:
    """Every campaign with its released revision and what that says.

    One whose body today's schema no longer accepts is logged and left out: it stops itself, not the others.
    """
    for view in governance.documents(workspace_id, "campaign"):
        if view.released is None:
            continue
        try:
            yield view, view.released, view.released.model
        except Invalid as invalid:
            log.error("campaign.unreadable", campaign=view.key, revision=view.released.number, reason=invalid.reason)
