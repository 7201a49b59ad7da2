"""What keeps the tables in order, besides sending: waves, finished dispatches, old payloads, partitions ahead, mail domains."""

from __future__ import annotations

from datetime import datetime, timedelta

from audience import door as audience
from delivery import attached, clicks, control, inbox, partitions, ramps, webhook_log
from delivery.domains import kept
from delivery.models import Decision, Dispatch
from delivery.settled import finish_dispatch
from delivery.states import DispatchState, WorkState
from governance import door as governance

PAYLOADS_KEPT = timedelta(days=30)
STANDING_KEPT_OPEN = timedelta(days=2)
SWEEP_EVERY = timedelta(hours=1)
_swept: dict[str, datetime] = {}


def housekeeping(now: datetime) -> None:
    """Called every few seconds by workers; cheap, and safe to call by several at once."""
    inbox.draw(now=now)
    ramps.advance(now=now)
    clicks.settle(now=now)
    running = Dispatch.objects.filter(state=DispatchState.RUNNING, kind="campaign").exclude(
        batches__state__in=(WorkState.CLOSED, WorkState.READY)
    )
    for dispatch_id in running.values_list("id", flat=True):
        finish_dispatch(dispatch_id, now=now)
    stopped = Dispatch.objects.filter(state=DispatchState.STOPPED, finished_at__gt=now - timedelta(minutes=10))
    for workspace_id, dispatch_id in stopped.values_list("workspace_id", "id"):
        control.cancel_refused(workspace_id, dispatch_id, now=now)
    last = _swept.get("hourly")
    if last is None or now - last >= SWEEP_EVERY:
        _swept["hourly"] = now
        sweep(since=last, now=now)


def sweep(*, since: datetime | None = None, now: datetime) -> None:
    """The slower part, about once an hour. since: when this process did it last; what was old then is not looked through again."""
    old = Decision.objects.filter(decided_at__lt=now - PAYLOADS_KEPT, state__in=(WorkState.DONE, WorkState.CANCELLED))
    if since is not None:
        lately = Dispatch.objects.exclude(kind="campaign").filter(planned_at__gt=since - PAYLOADS_KEPT - STANDING_KEPT_OPEN)
        old = old.filter(dispatch_id__in=list(lately.filter(planned_at__lt=now - PAYLOADS_KEPT).values_list("pk", flat=True)))
    old.exclude(payload={}).update(payload={})
    attached.let_go(now=now)
    quiet = Dispatch.objects.filter(state=DispatchState.RUNNING, planned_at__lt=now - STANDING_KEPT_OPEN).exclude(kind="campaign")
    quiet.exclude(decisions__state=WorkState.READY).update(state=DispatchState.DONE, finished_at=now)
    webhook_log.trim(now=now)
    audience.forget_stragglers(now=now)
    audience.gather_stragglers(now=now)
    audience.let_events_go(now=now)
    partitions.prepare_next()
    for workspace_id in governance.Workspace.objects.values_list("id", flat=True):
        kept.notice(workspace_id)
