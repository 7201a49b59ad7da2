"""What was posted and heard lately, with bounds that keep old partitions of the ledger closed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Min, Q, QuerySet

from delivery.adapters.registry import ADAPTERS
from delivery.models import Attempt, Dispatch, VendorEvent

CLOCKS_DIFFER = timedelta(hours=1)


def oldest_posting(workspace_id: int, since: datetime) -> int:
    """The number of a run before which none has posted anything since then: a run that has ended posts nothing until it is taken up
    again, which takes its end away. Where none has posted since, that of the newest."""
    ours = Dispatch.objects.filter(workspace_id=workspace_id)
    going = Q(finished_at=None) | Q(finished_at__gt=since - CLOCKS_DIFFER)
    found = ours.aggregate(oldest=Min("pk", filter=going), newest=Max("pk"))
    return found["oldest"] or found["newest"] or 0


def posted_since(workspace_id: int, since: datetime) -> QuerySet[Attempt]:
    """Requests made since then, of the runs that can have made one."""
    oldest = oldest_posting(workspace_id, since)
    return Attempt.objects.filter(workspace_id=workspace_id, dispatch_id__gte=oldest, posted_at__gte=since)


def heard_since(workspace_id: int, since: datetime) -> QuerySet[VendorEvent]:
    """What vendors have said since then, about runs of any age: vendor by vendor, as the index of every partition has it."""
    return VendorEvent.objects.filter(workspace_id=workspace_id, vendor__in=list(ADAPTERS), received_at__gt=since)
