"""Messages whose request was surely not accepted, back among what waits, where nobody holds them any more.

Whoever learns of a refusal while holding the work goes on with it. But the answer may come after the lease was lost and somebody
else has closed the work (its messages were on their way then), or after the dispatch was stopped: then it is settled here, in the
transaction that writes the refusal down.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from delivery.isolation import part_of
from delivery.models import Attempt, Batch, Decision, Dispatch, Message
from delivery.states import DispatchState, MessageState, Reason, WorkState
from delivery.work import Entry, Work


def after_refusal(work: Work, attempt_ids: Collection[int], *, now: datetime) -> None:
    """Settle these newly refused requests of this work, in the caller's transaction, unless the work's holder will."""
    if not attempt_ids:
        return
    # Held until the caller commits, so that of a stop and a refusal at the same moment the later one sees the earlier.
    dispatch = Dispatch.objects.select_for_update(no_key=True).get(pk=work.dispatch.id)
    if dispatch.state == DispatchState.STOPPED:
        of_them = Message.objects.filter(dispatch_id=dispatch.pk, attempt_id__in=attempt_ids, state=MessageState.SENDING)
        of_them.update(state=MessageState.SKIPPED, reason=Reason.CANCELLED, at=now)
        return
    held = Batch if work.source == "batch" else Decision
    if held.objects.filter(pk__in=work.source_ids, token=work.token, state=WorkState.READY).exists():
        return
    for attempt in Attempt.objects.filter(dispatch_id=dispatch.pk, pk__in=attempt_ids).order_by("pk"):
        batch = Batch.objects.select_for_update().filter(pk=attempt.batch_id).first() if attempt.batch_id else None
        queue(attempt, batch, now=now)
    wake(dispatch.pk)


def wake(dispatch_id: int) -> None:
    """A finished dispatch runs again: something of it waits."""
    Dispatch.objects.filter(pk=dispatch_id, state=DispatchState.DONE).update(state=DispatchState.RUNNING, finished_at=None)


def carried(attempt: Attempt) -> QuerySet[Message]:
    """The messages that this request carried and whose fate still hangs on it."""
    return Message.objects.filter(
        dispatch_id=attempt.dispatch_id,
        workspace_id=attempt.workspace_id,
        n__gte=attempt.first_n,
        n__lte=attempt.last_n,
        attempt_id=attempt.pk,
        state=MessageState.SENDING,
    )


def queue(attempt: Attempt, batch: Batch | None, *, now: datetime) -> None:
    """Make what this request carried, and still hangs on it, due again. batch: its own, held by the caller; None for decisions."""
    entries = [Entry(n, profile_id) for n, profile_id in carried(attempt).order_by("n").values_list("n", "profile_id")]
    if not entries:
        return
    if batch is None:
        Decision.objects.filter(dispatch_id=attempt.dispatch_id, n__in=[entry.n for entry in entries]).exclude(
            state=WorkState.CANCELLED
        ).update(state=WorkState.READY, due_at=now, leased_until=None, claims=0)
    elif batch.state == WorkState.DONE or (batch.leased_until is not None and batch.leased_until > now):
        part_of(batch, entries, due_at=now)  # whoever holds the batch now knows nothing of them
    elif batch.state == WorkState.READY:  # it falls due by itself and finds them there
        Batch.objects.filter(pk=batch.pk).update(due_at=now)
