"""Work that kills its workers: cut until the culprit is alone, then given up, so that the others go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from pyroaring import BitMap64

from delivery import settled
from delivery.models import Batch, Message
from delivery.states import MessageState, Reason, WorkState
from delivery.work import Entry, Work

CLAIMS_OF_A_HALF = 2  # it gets one try, and one more crash halves it again


def halve(work: Work, *, now: datetime) -> None:
    """Replace a batch that crashed its workers by its halves, due now; a single message is given up as poison."""
    if len(work.entries) == 1:
        bury(work, now=now)
        return
    middle = len(work.entries) // 2
    with transaction.atomic():
        parent = Batch.objects.select_for_update().filter(pk=work.source_ids[0], token=work.token, state=WorkState.READY).first()
        if parent is None:
            return
        for half in (work.entries[:middle], work.entries[middle:]):
            part_of(parent, half, due_at=now, claims=CLAIMS_OF_A_HALF)
        parent.state, parent.leased_until = WorkState.DONE, None
        parent.save(update_fields=["state", "leased_until"])


def part_of(parent: Batch, entries: Sequence[Entry], *, due_at: datetime, claims: int = 0) -> Batch:
    """A batch of some of another one's messages."""
    first_n = parent.slice.first_n
    ranks = [entry.n - first_n for entry in entries]
    return Batch.objects.create(
        workspace_id=parent.workspace_id,
        dispatch_id=parent.dispatch_id,
        slice_id=parent.slice_id,
        wave=parent.wave,
        start=ranks[0],
        stop=ranks[-1] + 1,
        ranks=None if len(ranks) == ranks[-1] + 1 - ranks[0] else BitMap64(ranks).serialize(),
        lane=parent.lane,
        state=WorkState.READY,
        due_at=due_at,
        claims=claims,
    )


def split_off(parent: Batch, moments: Mapping[datetime, Sequence[Entry]]) -> None:
    """Some of a batch's messages at other times: each such part becomes a batch with that due time, and the parent keeps the rest."""
    for until, entries in moments.items():
        part_of(parent, sorted(entries, key=lambda entry: entry.n), due_at=until)
    gone, first_n = {entry.n for entries in moments.values() for entry in entries}, parent.slice.first_n
    before = range(parent.start, parent.stop) if parent.ranks is None else BitMap64.deserialize(bytes(parent.ranks))
    parent.ranks = BitMap64(rank for rank in before if rank + first_n not in gone).serialize()
    parent.save(update_fields=["ranks"])


def bury(work: Work, *, now: datetime) -> None:
    """Give up what is left of this work: failed(poison). What was in doubt stays in doubt."""
    rows = [entry for entry in work.entries if entry.n not in work.doubts]
    with transaction.atomic():
        fresh = [entry for entry in rows if entry.n not in work.again]
        Message.objects.bulk_create(
            Message(
                dispatch_id=work.dispatch.id,
                n=entry.n,
                workspace_id=work.workspace_id,
                profile_id=entry.profile_id,
                state=MessageState.FAILED,
                reason=Reason.POISON,
                at=now,
            )
            for entry in fresh
        )
        again = [entry.n for entry in rows if entry.n in work.again]
        Message.objects.filter(
            dispatch_id=work.dispatch.id, workspace_id=work.workspace_id, n__in=again, state=MessageState.SENDING
        ).update(state=MessageState.FAILED, reason=Reason.POISON, at=now)
        settled.close(work, now=now)
