"""Many dispatches at a glance, for lists and the home page: few queries, whatever their number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from delivery import past
from delivery.conclusions import OURS
from delivery.floors import oldest_posting
from delivery.halts import AsShown, shown_state
from delivery.models import Attempt, Dispatch, VendorEvent
from delivery.states import AttemptState


@dataclass(frozen=True, slots=True)
class Brief(AsShown):
    """One dispatch in a list. planned: messages; handed: messages in requests that the vendor took; doubt: unanswered ones."""

    id: int
    kind: str
    key: str
    channel: str
    state: str
    state_reason: str
    considered: int
    planned: int
    handed: int
    doubt: int
    shadow: bool
    planned_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Engagement:
    """What a dispatch's readers did, by the vendor's and our own events: messages once each; machines apart.

    reported: the vendor told anything about it, so that nothing means none; noticed: there is any event, if only of our own pages.
    """

    delivered: int
    opened: int
    clicked: int
    unsubscribed: int
    bounced: int
    complained: int
    opened_by_machines: int
    clicked_by_machines: int
    reported: bool
    noticed: bool


@dataclass(frozen=True, slots=True)
class DayOfChannel:
    """How many messages of one channel were handed to vendors on one day (UTC)."""

    day: date
    channel: str
    messages: int


def briefs(workspace_id: int, dispatch_ids: Collection[int]) -> dict[int, Brief]:
    """These dispatches by id, in two queries."""
    handed: dict[int, dict[str, Any]] = {
        row["dispatch_id"]: dict(row)
        for row in Attempt.objects.filter(workspace_id=workspace_id, dispatch_id__in=dispatch_ids)
        .values("dispatch_id")
        .annotate(handed=Sum("count", filter=Q(state=AttemptState.SENT)), doubt=Sum("count", filter=Q(state=AttemptState.IN_DOUBT)))
        .order_by()
    }
    return {
        row.pk: Brief(
            id=row.pk,
            kind=row.kind,
            key=row.key,
            channel=row.channel,
            state=row.state,
            state_reason=row.state_reason,
            considered=row.considered,
            planned=row.planned if row.kind == "campaign" else 0,
            handed=(row.final_counts["requests"] if row.final_counts else handed.get(row.pk, {})).get("handed") or 0,
            doubt=handed.get(row.pk, {}).get("doubt") or 0,
            shadow=row.shadow,
            planned_at=row.planned_at,
            finished_at=row.finished_at,
        )
        for row in Dispatch.objects.filter(workspace_id=workspace_id, pk__in=dispatch_ids)
    }


def running(workspace_id: int) -> list[int]:
    """The dispatches of campaigns that send or are paused now, newest first."""
    rows = Dispatch.objects.filter(workspace_id=workspace_id, kind="campaign", state__in=["running", "paused"])
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:50])


def engagement(workspace_id: int, dispatch_id: int) -> Engagement:
    """One grouped query over the dispatch's events, and a look whether one is the vendor's. Of a run in the archive: as it ended."""
    if (ended := past.final(workspace_id, dispatch_id)) is not None:
        return Engagement(**ended["engagement"])
    events = VendorEvent.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id, n__isnull=False)
    rows = events.values_list("kind", "machine").annotate(Count("n", distinct=True)).order_by()
    counts = {(kind, machine): many for kind, machine, many in rows}
    return Engagement(
        delivered=counts.get(("delivered", False), 0),
        opened=counts.get(("opened", False), 0),
        clicked=counts.get(("clicked", False), 0),
        unsubscribed=counts.get(("unsubscribed", False), 0) + counts.get(("unsubscribed", True), 0),
        bounced=counts.get(("bounced", False), 0) + counts.get(("dropped", False), 0),
        complained=counts.get(("complained", False), 0),
        opened_by_machines=counts.get(("opened", True), 0),
        clicked_by_machines=counts.get(("clicked", True), 0),
        reported=bool(counts) and events.exclude(vendor=OURS).exists(),
        noticed=bool(counts),
    )


def daily(workspace_id: int, *, since: datetime) -> list[DayOfChannel]:
    """Messages handed to vendors by day and channel, oldest first: two small queries over requests, none over the ledger."""
    oldest = oldest_posting(workspace_id, since)
    taken = Attempt.objects.filter(workspace_id=workspace_id, dispatch_id__gte=oldest, posted_at__gte=since, state=AttemptState.SENT)
    rows = taken.annotate(day=TruncDate("posted_at")).values_list("day", "dispatch_id").annotate(messages=Sum("count")).order_by("day")
    listed = [(day, dispatch_id, messages) for day, dispatch_id, messages in rows]
    ids = {dispatch_id for _, dispatch_id, _ in listed}
    channels = dict(Dispatch.objects.filter(workspace_id=workspace_id, pk__in=ids).values_list("pk", "channel"))
    totals: dict[tuple[date, str], int] = {}
    for day, dispatch_id, messages in listed:
        at = (day, channels.get(dispatch_id, ""))
        totals[at] = totals.get(at, 0) + messages
    return [DayOfChannel(day, channel, messages) for (day, channel), messages in sorted(totals.items())]


def doubtful(workspace_id: int) -> int:
    """Messages whose request was never answered, over the whole workspace."""
    rows = Attempt.objects.filter(workspace_id=workspace_id, state=AttemptState.IN_DOUBT)
    return rows.aggregate(messages=Sum("count"))["messages"] or 0


def paused(workspace_id: int) -> dict[str, str]:
    """The keys of campaigns that have a dispatch on hold, and whether that was "paused" by a person or, of any of them, "halted"."""
    rows = Dispatch.objects.filter(workspace_id=workspace_id, kind="campaign", state="paused")
    found: dict[str, str] = {}
    for key, reason in rows.order_by("key").values_list("key", "state_reason")[:50]:
        found[key] = "halted" if found.get(key) == "halted" else shown_state("paused", reason)
    return found
