"""What became of unanswered requests. Silence is not evidence: nothing promotional is sent again unless the vendor's event
feed is proven to have come past the silent request; till then it is listed as in doubt and a person may decide.

Proven past means: when the window was over an event arrived about a request made later, another one a minute after it, and one has
arrived about every request that the vendor accepted within a window before and after; all of them on the same account. Events come late,
in any order and in heaps; while one neighbour has not been heard of, the silent one may be in the same heap.

Transactional requests are asked about, or repeated once, when their work falls due again (see doubts).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Min, Q, QuerySet

from delivery import inbox
from delivery.connections import Connections
from delivery.models import Attempt, Batch, Dispatch, VendorAccount
from delivery.probes import probe
from delivery.requeue import queue, wake
from delivery.states import AttemptState, DispatchState, WorkState

HEAP_LASTS = timedelta(seconds=60)
AT_ONCE = 500  # requests of one account that are looked at in one round


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One round. doubted: requests whose worker died; resent: proven lost and queued again; waiting: still in doubt."""

    doubted: int
    resent: int
    waiting: int


def reconcile(*, now: datetime, vendors: Connections | None = None) -> Reconciled:
    """Look at every unanswered request once. Called every few seconds by each worker; workers don't disturb each other."""
    inbox.draw(now=now)
    late = Attempt.objects.filter(state=AttemptState.POSTING, deadline__lt=now)
    doubted = late.update(state=AttemptState.IN_DOUBT, detail="its worker died before an answer came")
    silent = Attempt.objects.filter(
        state=AttemptState.IN_DOUBT, posted_at__lte=now - timedelta(seconds=settings.OMNI.in_doubt_after)
    ).exclude(message_class="transactional")
    resent = 0
    for workspace_id, vendor, account in sorted(set(silent.values_list("workspace_id", "vendor", "account"))):
        on_account = silent.filter(workspace_id=workspace_id, vendor=vendor, account=account)
        for attempt in _spoken_past(on_account):
            # Asked last: whatever was answered before this is drawn from, so what is still in doubt then has really not been heard of.
            if feed_came_past(attempt) and not inbox.anything_waits(vendor):
                resent += send_again(attempt, by="resend", now=now)
        newest = on_account.order_by("-posted_at").first()
        if newest is not None and not feed_came_past(newest):
            probe(newest, now=now)
    return Reconciled(doubted, resent, Attempt.objects.filter(state=AttemptState.IN_DOUBT).count())


def _spoken_past(silent: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Those of one account's silent requests after which the vendor has spoken about another. Any of them, where they are many: what
    can't be settled for long must not stand before what can."""
    oldest = silent.order_by("posted_at").first()
    if oldest is None:
        return silent.none()
    account = Attempt.objects.filter(workspace_id=oldest.workspace_id, vendor=oldest.vendor, account=oldest.account)
    heard = account.filter(posted_at__gt=oldest.posted_at, heard_at__isnull=False).order_by("-posted_at").first()
    return silent.filter(posted_at__lt=heard.posted_at).order_by("?")[:AT_ONCE] if heard else silent.none()


def feed_came_past(attempt: Attempt) -> bool:
    """Whether the vendor has spoken about something later, and about every accepted request around this one."""
    window = timedelta(seconds=settings.OMNI.in_doubt_after)
    account = Attempt.objects.filter(workspace_id=attempt.workspace_id, vendor=attempt.vendor, account=attempt.account)
    around = account.filter(posted_at__gte=attempt.posted_at - window, posted_at__lte=attempt.posted_at + window)
    if around.filter(state=AttemptState.SENT, heard_at=None).exists():
        return False
    # Heard before the window was over it would say nothing: the feed may have stopped since, with the silent one's event in it.
    past = account.filter(posted_at__gt=attempt.posted_at, heard_at__gte=attempt.posted_at + window)
    first = past.aggregate(first=Min("heard_at"))["first"]
    # What held a feed back comes out in a heap, in any order: only when the vendor speaks of this account again later is the heap over.
    still = VendorAccount.objects.filter(workspace_id=attempt.workspace_id, account=attempt.account)
    return first is not None and still.filter(heard_at__gte=first + min(HEAP_LASTS, window)).exists()


def send_again(attempt: Attempt, *, by: str, now: datetime) -> bool:
    """Declare a request in doubt as not accepted and queue its messages anew. False where it was settled meanwhile, where its
    batch is being worked on (try again later), or where its dispatch was stopped."""
    with transaction.atomic():
        dispatch = Dispatch.objects.filter(pk=attempt.dispatch_id, workspace_id=attempt.workspace_id).first()
        if dispatch is None or dispatch.state == DispatchState.STOPPED:
            return False
        batch = Batch.objects.select_for_update().filter(pk=attempt.batch_id).first() if attempt.batch_id else None
        if batch is not None and batch.state == WorkState.READY and batch.leased_until is not None and batch.leased_until > now:
            return False
        doubtful = Attempt.objects.filter(dispatch_id=attempt.dispatch_id, pk=attempt.pk, state=AttemptState.IN_DOUBT)
        if not doubtful.update(state=AttemptState.REFUSED, resolved_at=now, resolved_by=by, detail="no trace of it: sent again"):
            return False
        queue(attempt, batch, now=now)
        _wake(dispatch, attempt, now)
    return True


def _wake(dispatch: Dispatch, attempt: Attempt, now: datetime) -> None:
    """A finished dispatch runs again; the money of the request is free again."""
    wake(dispatch.pk)
    if dispatch.budget_micros is not None:
        same = Dispatch.objects.filter(pk=dispatch.pk)
        same.filter(Q(committed_micros__gte=attempt.cost_micros)).update(committed_micros=F("committed_micros") - attempt.cost_micros)
