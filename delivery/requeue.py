"""Messages whose request was surely not accepted, back among what waits, where nobody holds them any more.

Whoever learns of a refusal while holding the work goes on with it. But the answer may come after the lease was lost and somebody
else has closed the work (its messages were on their way then), or after the dispatch was stopped: then it is settled here, in the
transaction that writes the refusal down.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import QuerySet

from delivery.isolation import part_of, split_off
from delivery.models import Attempt, Batch, Decision, Dispatch, Message
from delivery.states import AttemptState, DispatchState, MessageState, Reason, WorkState
from delivery.work import Entry, Work

# After each time in a row that a recipient's server wants a message later. Greylists ask for one to fifteen minutes.
PUT_OFF = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 30, 60, 120, 240))
REPEAT_FAILED = "unanswered; sending it once more surely failed"
NOT_REPEATED = "unanswered; a person had it sent again, and it was left out then"


def after_refusal(work: Work, attempt_ids: Collection[int], *, now: datetime) -> None:
    """Settle these newly refused requests of this work, in the caller's transaction, unless the work's holder will."""
    if not attempt_ids:
        return
    # Held until the caller commits, so that of a stop and a refusal at the same moment the later one sees the earlier.
    dispatch = Dispatch.objects.select_for_update(no_key=True).get(pk=work.dispatch.id)
    if dispatch.state == DispatchState.STOPPED:
        for attempt in Attempt.objects.filter(dispatch_id=dispatch.pk, pk__in=attempt_ids).order_by("pk"):
            cancel(attempt, now=now)
        return
    held = Batch if work.source == "batch" else Decision
    if held.objects.filter(pk__in=work.source_ids, token=work.token, state=WorkState.READY).exists():
        return
    for attempt in Attempt.objects.filter(dispatch_id=dispatch.pk, pk__in=attempt_ids).order_by("pk"):
        batch = Batch.objects.select_for_update().filter(pk=attempt.batch_id).first() if attempt.batch_id else None
        queue(attempt, batch, now=now)
    wake(dispatch.pk)


def put_off(work: Work, attempt_ids: Collection[int], *, now: datetime) -> None:
    """What these refused requests carried is tried again later, each message after a longer time than before, while the rest of the
    work goes on. Where the work isn't held any more, `after_refusal` has queued it."""
    if not attempt_ids:
        return
    moments: dict[datetime, list[Entry]] = {}
    refused = Attempt.objects.filter(dispatch_id=work.dispatch.id, pk__in=attempt_ids, state=AttemptState.REFUSED).order_by("pk")
    for attempt in refused:
        again = Attempt.objects.filter(dispatch_id=attempt.dispatch_id, first_n=attempt.first_n, last_n=attempt.last_n)
        times = again.filter(state=AttemptState.REFUSED).count()
        due_at = now + PUT_OFF[min(max(times, 1), len(PUT_OFF)) - 1]
        rows = carried(attempt).order_by("n").values_list("n", "profile_id")
        moments.setdefault(due_at, []).extend(Entry(n, profile_id) for n, profile_id in rows)
    moments = {due_at: entries for due_at, entries in moments.items() if entries}
    if work.source == "decisions":
        held = Decision.objects.filter(dispatch_id=work.dispatch.id, token=work.token, state=WorkState.READY)
        for due_at, entries in moments.items():
            held.filter(n__in=[entry.n for entry in entries]).update(due_at=due_at, leased_until=None, claims=0, token=0)
        return
    mine = Batch.objects.filter(pk=work.source_ids[0], token=work.token, state=WorkState.READY).select_related("slice")
    parent = mine.defer("slice__ids").select_for_update(of=("self",)).first()
    if parent is not None and moments:
        split_off(parent, moments)


def cancel(attempt: Attempt, *, now: datetime) -> int:
    """What this refused request carried is not tried again: skipped(cancelled), unless the vendor may have it all the same: then it is
    in doubt as before. How many were cancelled."""
    mine = carried(attempt)
    for n in list(mine.values_list("n", flat=True)) if attempt.replaces_id is not None or attempt.resolved_by == "person" else ():
        if doubted := reopened(attempt.dispatch_id, attempt.pk, n):
            mine.filter(n=n).update(attempt_id=doubted)
    return mine.update(state=MessageState.SKIPPED, reason=Reason.CANCELLED, at=now)


def reopened(dispatch_id: int, attempt_id: int, n: int) -> int | None:
    """The unanswered request that may have brought message n to the vendor although this one counts as refused, in doubt again: the one
    that it had repeated, or itself, where only a person's word says that it was lost. None where there is no such one, or where
    something has settled it since."""
    ours = Attempt.objects.filter(dispatch_id=dispatch_id)
    last = ours.filter(pk=attempt_id).first()
    if last is not None and last.state == AttemptState.REFUSED and last.resolved_by == "person":
        return _doubt_of(last, n)
    first = last.replaces_id if last is not None else None
    replaced = ours.filter(pk=first or 0, state=AttemptState.REFUSED, resolved_by="resend")
    return first if replaced.update(state=AttemptState.IN_DOUBT, resolved_at=None, resolved_by="", detail=REPEAT_FAILED) else None


def _doubt_of(request: Attempt, n: int) -> int:
    """The doubt of one message of a request: others of it may be on their way again, so it gets a row of its own."""
    return Attempt.objects.create(
        workspace_id=request.workspace_id,
        dispatch_id=request.dispatch_id,
        batch_id=request.batch_id,
        vendor=request.vendor,
        account=request.account,
        message_class=request.message_class,
        token=request.token,
        worker=request.worker,
        state=AttemptState.IN_DOUBT,
        first_n=n,
        last_n=n,
        count=1,
        posted_at=request.posted_at,
        deadline=request.deadline,
        detail=NOT_REPEATED,
    ).pk


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
