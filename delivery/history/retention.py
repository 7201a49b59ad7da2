"""What is older than the settings keep leaves the database: a run with all its rows, first to the archive where there is one.

Laws: a run is taken only when nothing can happen to it any more; it is dropped only after every value of it was read back from the
archive and found equal to the ledger, when no event could change it any more; on PostgreSQL whole ranges of runs go at once, without
long locks; on SQLite, and for runs outside of any range, rows go in small steps. Killed anywhere, the next call goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from delivery import briefs, counts, facts, partitions, sql, variants
from delivery.history import old_events
from delivery.history.extra import with_parquet
from delivery.models import Attempt, Batch, Decision, Dispatch, IdempotencyKey, OutboxMail, VendorEvent
from delivery.states import AttemptState, DispatchState, WorkState
from governance.door import Invalid, Refused

STEP = 5_000  # rows of one delete
SETTLED = (DispatchState.DONE, DispatchState.STOPPED)
OPEN = (AttemptState.POSTING, AttemptState.IN_DOUBT)
KEEP_EVERY = timedelta(hours=1)
AT_ONCE = 5  # runs, or ranges of them
Each = Callable[[], None]
log = structlog.get_logger(__name__)
_kept: dict[str, datetime] = {}


@dataclass(slots=True)
class Retired:
    """What one round came to. waiting: ranges that were busy and are tried again."""

    runs: int = 0
    ranges: int = 0
    events: int = 0
    mails: int = 0
    keys: int = 0
    waiting: int = 0
    held: list[int] = field(default_factory=list)


def retire(*, now: datetime, most: int | None = None, each: Each = lambda: None) -> Retired:
    """Retire what is due, `most` runs or ranges of runs at most. each: called between steps, so that a caller may end it."""
    done = Retired()
    if settings.OMNI.keep_messages:
        cutoff = now - timedelta(days=settings.OMNI.keep_messages)
        for range_, runs in _due(cutoff, done):
            if most is not None and done.runs + done.ranges >= most:
                break
            _retire(range_, runs, done, now, each)
    if settings.OMNI.keep_events:
        gone, waiting = old_events.retire(now - timedelta(days=settings.OMNI.keep_events), each)
        done.events, done.waiting = gone, done.waiting + waiting
    _small_things(done, now)
    return done


def keep_order(now: datetime) -> None:
    """A bit of it about once an hour, for workers that send campaigns: an archive takes seconds, and a transactional message must not
    wait for them."""
    if now - _kept.get("hourly", datetime.min.replace(tzinfo=now.tzinfo)) < KEEP_EVERY:
        return
    _kept["hourly"] = now
    try:
        retire(now=now, most=AT_ONCE)
    except (Refused, Invalid) as reason:  # another worker is at it, or the archive can't be written: nothing was dropped
        log.warning("history.not_retired", reason=str(reason))


def _due(cutoff: datetime, done: Retired) -> Iterable[tuple[int | None, list[Dispatch]]]:
    """Whole ranges of which every run may go, and single runs that lie in no range or have waited long for the others of theirs; what
    was begun and not ended comes first."""
    starts, seen = set(partitions.ranges()), set[int]()
    for row in _unfinished_business():
        start = partitions.start_of(row.pk)
        if start in seen:
            continue
        if not (row.final_counts and row.final_counts["range"]):
            yield None, [row]
            continue
        seen.add(start)
        if all(each.archived_at or _may_go(each, cutoff) for each in _of_range(start)):
            yield start, _of_range(start)
    for start in sorted(starts - seen):
        runs = _of_range(start)
        due = {row.pk for row in runs if row.archived_at is not None or _may_go(row, cutoff)}
        if partitions.full(start) and runs and len(due) == len(runs):
            yield start, runs
            continue
        for row in runs:
            if row.archived_at is None and row.finished_at and row.finished_at < cutoff and row.state in SETTLED:
                if row.pk not in due:
                    done.held.append(row.pk)
                elif row.finished_at < cutoff - partitions.RANGES_WAIT:
                    yield None, [row]
    for row in Dispatch.objects.filter(archived_at=None, finished_at__lt=cutoff, state__in=SETTLED).order_by("pk").iterator():
        if partitions.start_of(row.pk) not in starts:
            if _may_go(row, cutoff):
                yield None, [row]
            else:
                done.held.append(row.pk)


def _unfinished_business() -> list[Dispatch]:
    return list(Dispatch.objects.filter(archived_at__isnull=False, emptied=False).order_by("pk"))


def _of_range(start: int) -> list[Dispatch]:
    return list(Dispatch.objects.filter(pk__gte=start, pk__lt=start + partitions.SPAN).order_by("pk"))


def _may_go(row: Dispatch, cutoff: datetime) -> bool:
    """Nothing of it waits, is under way or in doubt, nobody holds it, and caps, soft bounces and links have long stopped looking."""
    if row.legal_hold or row.state not in SETTLED or row.finished_at is None or row.finished_at >= cutoff:
        return False
    if Attempt.objects.filter(dispatch_id=row.pk, state__in=OPEN).exists():
        return False
    waiting = (WorkState.CLOSED, WorkState.READY)
    if Batch.objects.filter(dispatch=row, state__in=waiting).exists() or Decision.objects.filter(dispatch=row, state__in=waiting).exists():
        return False
    if VendorEvent.objects.filter(dispatch_id=row.pk, kind="clicking").exists():
        return False
    return not counts.count(row.workspace_id, row.pk).states.keys() & {10, 20}


def _retire(start: int | None, runs: list[Dispatch], done: Retired, now: datetime, each: Each) -> None:
    """Close the books of these runs, archive them, and let their rows go."""
    for row in runs:
        if row.archived_at is None:
            _close(row, in_range=start is not None, now=now)
        each()
    if settings.OMNI.archive_dir:
        with_parquet("archive").keep([row for row in runs if not row.emptied], each=each)
    if start is not None and not partitions.drop(start, *partitions.LEDGER):
        done.waiting += 1
        return
    each()
    for row in runs:
        if not row.emptied:
            _empty(row, ledger=start is None, each=each)
            done.runs += 1
    done.ranges += start is not None


def _close(row: Dispatch, *, in_range: bool, now: datetime) -> None:
    """Write down how the run ended. From the commit on, events about its messages change nothing but their own rows."""
    counted = counts.count(row.workspace_id, row.pk)
    asked = facts.requests_of(row)
    row.final_counts = {
        "states": {int(state): many for state, many in counted.states.items()},
        "reasons": {int(reason): many for reason, many in counted.reasons.items()},
        "requests": {
            "requests": asked["requests"],
            "cost": asked["cost"],
            "newest": None,
            "handed": briefs.briefs(row.workspace_id, [row.pk])[row.pk].handed,
        },
        "engagement": asdict(briefs.engagement(row.workspace_id, row.pk)),
        "variants": [asdict(result) for result in variants.by_variant(row.workspace_id, row.pk)],
        "range": in_range,
        "archive": None,
    }
    row.archived_at = now
    open_ones = Dispatch.objects.filter(pk=row.pk, archived_at=None, legal_hold=False)
    if not open_ones.update(archived_at=now, final_counts=row.final_counts):
        raise Refused(f"run {row.pk} was put on hold just now")


def _empty(row: Dispatch, *, ledger: bool, each: Each) -> None:
    """Let go of everything that the run has besides its plan, in small steps."""
    if ledger:
        last = f"SELECT MAX(n) FROM (SELECT n FROM delivery_message WHERE dispatch_id = %s ORDER BY n LIMIT {STEP}) AS first"
        while sql.run(f"DELETE FROM delivery_message WHERE dispatch_id = %s AND n <= ({last})", [row.pk, row.pk]):
            each()
    for table in ("delivery_attempt", "delivery_decision", "delivery_batch")[not ledger :]:
        some = f"SELECT id FROM {table} WHERE dispatch_id = %s LIMIT {STEP}"
        while sql.run(f"DELETE FROM {table} WHERE dispatch_id = %s AND id IN ({some})", [row.pk, row.pk]):
            each()
    Dispatch.objects.filter(pk=row.pk).update(emptied=True)


def _small_things(done: Retired, now: datetime) -> None:
    """Used idempotency keys, and mails of the local outbox."""
    done.keys = _drop_old(IdempotencyKey.objects.filter(at__lt=now - timedelta(days=settings.OMNI.keep_keys)))
    if settings.OMNI.keep_outbox:
        done.mails = _drop_old(OutboxMail.objects.filter(at__lt=now - timedelta(days=settings.OMNI.keep_outbox)))


def _drop_old(rows: QuerySet[Any]) -> int:
    gone = 0
    while some := list(rows.order_by("pk").values_list("pk", flat=True)[:STEP]):
        gone += rows.filter(pk__in=some).delete()[0]
    return gone


def hold(workspace_id: int, dispatch_id: int, on: bool) -> bool:
    """Keep a run whatever the settings say, or no longer. False where there is no such run, or it is in the archive already."""
    with transaction.atomic():
        rows = Dispatch.objects.filter(pk=dispatch_id, workspace_id=workspace_id, archived_at=None)
        return bool(rows.update(legal_hold=on))
