"""What is usual: shares of the last 90 days that a run is compared with."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Sum

from delivery.models import Attempt, Dispatch, VendorEvent
from delivery.states import AttemptState

SPAN, KEPT, ENOUGH = timedelta(days=90), timedelta(hours=1), 5_000
_known: dict[tuple[int, str], tuple[datetime, float | None]] = {}


def unsubscribed(workspace_id: int, channel: str, *, now: datetime) -> float | None:
    """The share of a channel's promotional messages that were answered by leaving, over runs that ended in the 90 days before; None
    below 5,000 messages. Remembered for an hour."""
    at, share = _known.get((workspace_id, channel), (now - KEPT, None))
    if not timedelta() <= now - at < KEPT:
        at, share = now, _unsubscribed(workspace_id, channel, now)
        _known[workspace_id, channel] = at, share
    return share


def _unsubscribed(workspace_id: int, channel: str, now: datetime) -> float | None:
    runs = Dispatch.objects.filter(
        workspace_id=workspace_id, channel=channel, message_class="promotional", finished_at__gt=now - SPAN, shadow=False
    )
    ended = list(runs.values_list("pk", flat=True))  # listed, so that the database opens their partitions and no other
    sent = Attempt.objects.filter(dispatch_id__in=ended, workspace_id=workspace_id, state=AttemptState.SENT)
    messages = sent.aggregate(messages=Sum("count"))["messages"] or 0
    if messages < ENOUGH:
        return None
    left = VendorEvent.objects.filter(dispatch_id__in=ended, workspace_id=workspace_id, kind="unsubscribed")
    return left.values("dispatch_id", "n").distinct().count() / messages
