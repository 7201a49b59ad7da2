"""Whose click was it? Clicks soon after sending wait a little, because a scanner shows only by following link after link.

Law: a click is counted as a person's only when nobody followed three or more links of the same message within ten seconds;
then all of them were a machine's. Each click is settled once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from delivery import conclusions
from delivery.adapters import base
from delivery.conclusions import Told
from delivery.models import Dispatch, Message, VendorEvent

BURST_WITHIN = timedelta(seconds=10)
BURST_LINKS = 3
AT_ONCE = 500

Place = tuple[int, int]  # dispatch, n
Click = tuple[datetime, int | None, int]  # when, which link, its row


def settle(*, now: datetime) -> int:
    """Decide about the clicks that have waited long enough, at most 500 at a time; how many were settled."""
    waiting = VendorEvent.objects.filter(kind="clicking", received_at__lte=now - BURST_WITHIN)
    if not waiting.exists():
        return 0
    with transaction.atomic():
        due = list(waiting.order_by("received_at").select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
        by_machine = _bursts({(row.dispatch_id, row.n) for row in due if row.dispatch_id is not None and row.n is not None})
        for row in due:
            row.kind, row.machine = "clicked", row.pk in by_machine
        VendorEvent.objects.bulk_update(due, ["kind", "machine"])
        conclusions.draw(_told(due), now=now)
    return len(due)


def _bursts(places: set[Place]) -> set[int]:
    """Rows of these messages' clicks that belong to a burst."""
    clicks: dict[tuple[int | None, int | None], list[Click]] = defaultdict(list)
    columns = ("dispatch_id", "n", "at", "link", "pk")
    some = VendorEvent.objects.filter(kind__in=("clicking", "clicked"), dispatch_id__in={dispatch_id for dispatch_id, _ in places})
    for dispatch_id, n, at, link, pk in some.filter(n__in={n for _, n in places}).values_list(*columns):
        clicks[dispatch_id, n].append((at, link, pk))
    return {pk for place in places for pk in _burst(sorted(clicks[place]))}


def _burst(clicks: Sequence[Click]) -> set[int]:
    """Of one message's clicks in order of time: those within ten seconds of two other links."""
    found: set[int] = set()
    for start, (since, _, _) in enumerate(clicks):
        window = [click for click in clicks[start:] if click[0] - since <= BURST_WITHIN]
        if len({link for _, link, _ in window}) >= BURST_LINKS:
            found.update(pk for _, _, pk in window)
    return found


def _told(rows: Sequence[VendorEvent]) -> list[Told]:
    """The settled clicks as news about their messages."""
    dispatches = Dispatch.objects.in_bulk({row.dispatch_id for row in rows if row.dispatch_id is not None})
    told = []
    for row in rows:
        dispatch = dispatches.get(row.dispatch_id or 0)
        message = Message.objects.filter(dispatch_id=dispatch.pk, n=row.n).first() if dispatch and row.n is not None else None
        if dispatch is not None and message is not None:
            event = base.VendorEvent(row.vendor, row.event_id, "", "clicked", row.at, machine=row.machine, url_k=row.link)
            told.append(_about(event, dispatch, message))
    return told


def _about(event: base.VendorEvent, dispatch: Dispatch, message: Message) -> Told:
    """What the request could prove was proven when the click came."""
    place = (message.dispatch_id, message.n, dispatch.workspace_id, dispatch.channel, dispatch.topic, dispatch.key)
    return Told(event, *place, message.profile_id, message.address_hash, message.state, None)
