"""The stations of one message, from the audience to the last thing that a vendor said, each with its moment and its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from audience import door as audience
from delivery import one_person, permission
from delivery.message_ids import message_id
from delivery.models import Attempt, Decision, Dispatch, Message, VendorEvent
from delivery.states import AttemptState, Reason, WorkState

MOST = 200
UNFILLED = (Reason.INVALID, Reason.POISON)
ANSWERED = (AttemptState.SENT, AttemptState.REFUSED, AttemptState.FAILED)


@dataclass(frozen=True, slots=True)
class Stop:
    """One station of the street: which room, when (None: not recorded), and what it found, as plain data."""

    room: str
    at: datetime | None
    facts: Mapping[str, Any]


def planned(dispatch: Dispatch, n: int, *, wave: int | None = None) -> list[Stop]:
    """Considered and planned, both at launch. A dispatch of single decisions considers nobody."""
    place: dict[str, Any] = {"planned": True, "dispatch": dispatch.pk, "n": n}
    stops = [Stop("delivery", dispatch.planned_at, place if wave is None else {**place, "wave": wave})]
    if dispatch.kind == "campaign":
        stops.insert(0, Stop("audience", dispatch.planned_at, {"considered": True, "people": dispatch.considered}))
    return stops


def decided(decision: Decision) -> Stop:
    """When it was decided, and while it waits, until when: a lease keeps its own end in the same column."""
    waits = decision.state == WorkState.READY and decision.leased_until is None
    due = {"due_at": decision.due_at} if waits else {}
    return Stop("workflow", decision.decided_at, {**due, "expires_at": decision.expires_at})


def archived(dispatch: Dispatch) -> Stop:
    """What became of it stands in the archive's files, under its run and place."""
    return Stop("delivery", dispatch.archived_at, {"archived": True, "dispatch": dispatch.pk, "planned_at": dispatch.planned_at})


def walked(dispatch: Dispatch, row: Message) -> list[Stop]:
    """Chosen, filled, looked at; then its requests, their answers and what was said about it, in the order of their moments."""
    stops = [*_chosen(dispatch, row), *_filled(dispatch, row)]
    looked = {"admitted": bool(row.attempt_id), "reason": Reason(row.reason).label, "variant": row.variant}
    stops.append(Stop("delivery", row.at, {**looked, **without_consent(dispatch, row.profile_id, row.reason, row.at), **_instead(row)}))
    outside = [*_requests(row), *_said(row)]
    return stops + sorted(outside, key=lambda stop: stop.at or datetime.max.replace(tzinfo=UTC))


def without_consent(dispatch: Dispatch, profile_id: int, reason: int, at: datetime) -> dict[str, str]:
    """What more there is to say of somebody who was left out because they had not agreed: "has not confirmed yet"."""
    if reason != Reason.NO_CONSENT:
        return {}
    about = {"channel": dispatch.channel, "topic": dispatch.topic, "message_class": dispatch.message_class}
    return {"because": permission.because(dispatch.workspace_id, profile_id, **about, at=at)}


def _instead(row: Message) -> dict[str, str]:
    """Which message they get, of somebody who was left out as one person with another of the same run."""
    if row.reason != Reason.MERGED:
        return {}
    mine = Message.objects.filter(workspace_id=row.workspace_id, dispatch_id=row.dispatch_id, profile_id=row.profile_id)
    written = dict(mine.exclude(n=row.n).order_by("n").values_list("n", "reason"))
    there = [*written, *one_person.others_of(row.dispatch_id, row.n, audience.numbers_of(row.workspace_id, row.profile_id))]
    found = next((n for n in there if written.get(n) != Reason.MERGED), None)
    return {"instead": message_id(row.dispatch_id, found)} if found is not None else {}


def _chosen(dispatch: Dispatch, row: Message) -> Iterator[Stop]:
    arms = (dispatch.experiment or {}).get("arms", [])
    if len(arms) > 1 and row.variant < len(arms):
        yield Stop("optimization", None, {"chosen": arms[row.variant]["key"], "of": len(arms)})


def _filled(dispatch: Dispatch, row: Message) -> Iterator[Stop]:
    """Filling isn't timed: it happens in the moments before the last look."""
    if row.attempt_id or row.reason in UNFILLED:
        yield Stop("rendering", None, {"rendered": bool(row.attempt_id), "revision": dispatch.template_revision_id})


def _requests(row: Message) -> Iterator[Stop]:
    """Each request when it left, and when its fate was known, with who said so. in_doubt_seconds: for how long nobody knew."""
    attempts = Attempt.objects.filter(
        workspace_id=row.workspace_id, dispatch_id=row.dispatch_id, first_n__lte=row.n, last_n__gte=row.n, state__gt=0
    )
    # Of a shared request only the row's own is surely its; of single ones those that this row's attempt followed, too.
    earlier = list(attempts.filter(count=1).values_list("pk", flat=True)[:MOST])
    for attempt in attempts.filter(Q(pk=row.attempt_id) | Q(pk__in=earlier)).order_by("posted_at", "pk"):
        yield Stop("vendor", attempt.posted_at, _posted(attempt))
        if attempt.state in ANSWERED and attempt.resolved_at is not None:
            yield Stop("vendor", attempt.resolved_at, _answered(attempt))


def _posted(attempt: Attempt) -> Mapping[str, Any]:
    return {
        "attempt": attempt.pk,
        "state": AttemptState(attempt.state).label,
        "vendor": attempt.vendor,
        "account": attempt.account,
        "messages": attempt.count,
        "resolved_by": attempt.resolved_by,
        "vendor_id": attempt.vendor_id,
        "detail": attempt.detail,
    }


def _answered(attempt: Attempt) -> Mapping[str, Any]:
    told: dict[str, Any] = {"answered": AttemptState(attempt.state).label, "attempt_id": attempt.pk, "by": attempt.resolved_by}
    if attempt.resolved_by != "vendor" and attempt.resolved_at is not None:
        told["in_doubt_seconds"] = round((attempt.resolved_at - attempt.posted_at).total_seconds(), 3)
    return told


def _said(row: Message) -> Iterator[Stop]:
    events = VendorEvent.objects.filter(workspace_id=row.workspace_id, dispatch_id=row.dispatch_id, n=row.n)
    for event in events.order_by("at", "pk"):
        told = {"event": event.kind, "by": event.vendor, "machine": event.machine, "detail": event.detail, "link": event.link}
        yield Stop("vendor", event.at, {**told, "received_at": event.received_at})
