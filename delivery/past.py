"""Runs whose messages are in the archive: what is still known of them without the ledger's rows.

The plan's bitmaps stay for good, so that nobody's place, number or unsubscribe link is lost with the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max

from audience import door as audience
from delivery import suppression
from delivery.addresses import address_hash, address_of
from delivery.models import Dispatch, Slice
from delivery.slices import bitmap


def final(workspace_id: int, dispatch_id: int) -> Mapping[str, Any] | None:
    """What was counted when the run went into the archive; None while its rows are in the ledger."""
    rows = Dispatch.objects.filter(workspace_id=workspace_id, pk=dispatch_id, archived_at__isnull=False)
    return rows.values_list("final_counts", flat=True).first()


def leaving(workspace_id: int) -> list[int]:
    """Runs that are in the archive while some of their rows may still be in the ledger: nobody counts these any more."""
    rows = Dispatch.objects.filter(workspace_id=workspace_id, archived_at__isnull=False, emptied=False)
    return list(rows.values_list("pk", flat=True))


def archived_until(workspace_id: int) -> datetime | None:
    """When the youngest run in the archive was planned: messages of that time and before may be there and not here."""
    rows = Dispatch.objects.filter(workspace_id=workspace_id, archived_at__isnull=False)
    newest: datetime | None = rows.aggregate(newest=Max("planned_at"))["newest"]
    return newest


def recipient(dispatch_id: int, n: int) -> tuple[int, datetime] | None:
    """Whose message number n was, by the plan of a run in the archive, and when it was planned; None for what was decided one by one."""
    gone = Dispatch.objects.filter(pk=dispatch_id, archived_at__isnull=False, kind="campaign")
    planned_at = gone.values_list("planned_at", flat=True).first()
    if planned_at is None:
        return None
    for slice_id, digest, first_n, count in Slice.objects.filter(dispatch_id=dispatch_id).values_list("id", "digest", "first_n", "count"):
        if first_n <= n < first_n + count:
            return int(bitmap((slice_id, digest))[n - first_n]), planned_at
    return None


def unsubscribe(workspace_id: int, profile_id: int, *, channel: str, topic: str, now: datetime) -> None:
    """A link in a message of long ago still unsubscribes. topic "": from everything on this channel."""
    source = "omni:unsubscribed"
    audience.set_consent(workspace_id, [profile_id], channel=channel, topic=topic or "*", state="unsubscribed", source=source, now=now)
    person = next(iter(audience.load(workspace_id, [profile_id])), None)
    address = address_of(channel, person) if person is not None and not topic else ""
    if address:
        hashed = address_hash(workspace_id, channel, suppression.normal(channel, address))
        suppression.suppress_hashes(workspace_id, channel, {hashed}, reason="unsubscribed", source="event:omni", now=now)
