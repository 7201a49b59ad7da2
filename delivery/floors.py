"""The oldest run that can have posted lately: below it no partition of the ledger is opened."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Min, Q

from delivery.models import Dispatch

CLOCKS_DIFFER = timedelta(hours=1)


def oldest_posting(workspace_id: int, since: datetime) -> int:
    """The number of a run before which none has posted anything since then: a run that has ended posts nothing until it is taken up
    again, which takes its end away. Where none has posted since, that of the newest."""
    ours = Dispatch.objects.filter(workspace_id=workspace_id)
    going = Q(finished_at=None) | Q(finished_at__gt=since - CLOCKS_DIFFER)
    found = ours.aggregate(oldest=Min("pk", filter=going), newest=Max("pk"))
    return found["oldest"] or found["newest"] or 0
