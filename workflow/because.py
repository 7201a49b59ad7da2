"""Why somebody was in the audience of a run, or wasn't: the segment as it was pinned, asked of what is known of them today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audience import door as audience
from governance import door as governance
from governance.door import Missing
from workflow.documents import OnEvent
from workflow.models import Run


@dataclass(frozen=True, slots=True)
class Because:
    """told: the rule's tree with its answers; as_of: the moment that its dates are counted from; event: what triggered it, "" for a
    campaign that was launched."""

    segment: governance.RevisionView
    told: audience.Explanation
    as_of: datetime
    event: str


def because(workspace_id: int, dispatch_id: int, profile_id: int, *, role: governance.Role) -> Because:
    """Raises Missing where it was no campaign's run, or the person is gone; Invalid where the segment can't be asked any more."""
    run = Run.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id).first()
    if run is None:
        raise Missing("a run of that dispatch")
    segment = governance.revision_by_id(workspace_id, run.facts["segment_revision"])
    trigger = governance.revision_by_id(workspace_id, run.campaign_revision_id).model.trigger
    told = audience.explain(workspace_id, segment.model, profile_id, as_of=run.started_at, role=role)
    return Because(segment, told, run.started_at, trigger.event if isinstance(trigger, OnEvent) else "")
