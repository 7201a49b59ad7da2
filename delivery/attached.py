"""Files that go with messages decided one by one: kept beside the decision until nothing can need them any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Length

from delivery import policies
from delivery.adapters.base import Attachment
from delivery.models import AttachedFile, Decision
from delivery.states import WorkState

KEPT = timedelta(days=1)  # after the message was settled: the look at a failed one is still whole


def without_attachments(workspace_id: int, channel: str) -> list[str]:
    """The vendors of the channel's routes that carry no files. Raises Missing without a released route."""
    adapters = {route.adapter.key: route.adapter for route in policies.routes(workspace_id, "", channel)}
    return sorted(adapter.title for adapter in adapters.values() if channel != "email" or not adapter.features.attachments)


def keep(files: Iterable[tuple[int, int, Sequence[Attachment]]], dispatch_id: int, workspace_id: int, *, now: datetime) -> None:
    """Write these down: a message's number, whose it is, and its files, in the caller's transaction."""
    AttachedFile.objects.bulk_create(
        AttachedFile(
            workspace_id=workspace_id,
            dispatch_id=dispatch_id,
            n=n,
            profile_id=profile_id,
            place=place,
            name=one.name,
            content_type=one.content_type,
            content_id=one.content_id,
            content=one.content,
            at=now,
        )
        for n, profile_id, some in files
        for place, one in enumerate(some)
    )


def of(dispatch_id: int, numbers: Sequence[int]) -> dict[int, list[Attachment]]:
    """The files of these messages, in their order."""
    found: dict[int, list[Attachment]] = {}
    if numbers:
        for row in AttachedFile.objects.filter(dispatch_id=dispatch_id, n__in=numbers).order_by("n", "place"):
            found.setdefault(row.n, []).append(Attachment(row.name, row.content_type, bytes(row.content), row.content_id))
    return found


def names(dispatch_id: int, n: int) -> list[tuple[str, str, int]]:
    """Name, media type and size in bytes of each file of one message, as long as it is kept."""
    rows = AttachedFile.objects.filter(dispatch_id=dispatch_id, n=n).order_by("place")
    return list(rows.annotate(size=Length("content")).values_list("name", "content_type", "size"))


def drop(dispatch_id: int, n: int) -> None:
    """The files of one message, at once."""
    AttachedFile.objects.filter(dispatch_id=dispatch_id, n=n).delete()


def let_go(*, now: datetime) -> None:
    """Files of messages that are settled or cancelled, a day later."""
    open_ones = Decision.objects.filter(dispatch_id=OuterRef("dispatch_id"), n=OuterRef("n"), state=WorkState.READY)
    AttachedFile.objects.filter(~Exists(open_ones), at__lt=now - KEPT).delete()
