"""Take due work for a bounded time. The lease is the retry: a worker that dies loses nothing, its work falls due again.

Laws: one piece of work is held by one token at a time and a stale token writes nothing; claims are counted when work is
taken, so that a crash counts; what was admitted before is recognised in the ledger and not admitted twice.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from delivery import instance, isolation, settled, sql
from delivery.instance import Guard
from delivery.models import Batch, Decision, Dispatch
from delivery.slices import ids_of_batch
from delivery.states import DispatchState, Lane, WorkState
from delivery.switches import killed
from delivery.work import DispatchFacts, Entry, LaneName, Work
from governance import door as governance

DECISIONS_AT_ONCE = 100
CRASHES_BEFORE_ISOLATION = 3
OTHERS_HAVE = timedelta(seconds=0.2)
_running: dict[tuple[int, int], tuple[str, DispatchFacts]] = {}
_MAY_GO = """NOT EXISTS (SELECT 1 FROM delivery_switch s WHERE s.workspace_id = d.workspace_id AND s."on"
    AND (s.scope = 'workspace' OR (s.scope = 'campaign' AND s.key = d.key) OR (s.scope = 'vendor' AND s.key = d.vendor)))
    AND NOT EXISTS (SELECT 1 FROM delivery_vendoraccount v WHERE v.workspace_id = d.workspace_id AND v.account = d.account
    AND (v.blocked_until > %s OR (d.lane > 0 AND v.campaigns_wait_until > %s)))"""


def lease(*, lanes: Sequence[LaneName], worker: str, now: datetime, left_to_others: Collection[LaneName] = ()) -> Work | None:
    """The most urgent due piece of work of these lanes, transactional first; None where nothing is due.

    worker: who takes it, for people. left_to_others: lanes that another process serves, so that only what it doesn't come to is taken,
    what has been due for `OTHERS_HAVE`. Whoever gets it must `send` it (or drop it: it falls due again after the lease).
    """
    while (guard := instance.guard(now=now)) is not None:
        for name in sorted(lanes, key=lambda name: Lane[name.upper()]):
            due = now - OTHERS_HAVE if name in left_to_others else now
            for take in (_decisions, _batches):
                for work in take(Lane[name.upper()], worker[:80], guard, due, now):
                    return work
        if instance.stands(guard):  # else the stories are compared anew, and people are told
            return None
    return None


def _decisions(lane: Lane, worker: str, guard: Guard, due: datetime, now: datetime) -> Iterator[Work]:
    while taken := _take_decisions(lane, worker, guard, due, now):
        token, until, deadline, rows = taken
        dispatch_id, workspace_id = rows[0][4], rows[0][5]
        entries = [Entry(row[1], row[2], sql.read_json(row[3]), row[7] and sql.read_moment(row[7]), row[8]) for row in rows]
        source, new = ("decisions", tuple(row[0] for row in rows)), not any(row[9] for row in rows)
        work = _look(dispatch_id, workspace_id, source, token, worker, until, deadline, entries, now, new=new)
        if work is None:
            continue
        if rows[0][6] > 2 * CRASHES_BEFORE_ISOLATION:
            isolation.bury(work, now=now)
        elif work.entries:
            yield work
        else:
            settled.close(work, now=now)


def _batches(lane: Lane, worker: str, guard: Guard, due: datetime, now: datetime) -> Iterator[Work]:
    while taken := _take_batch(lane, worker, guard, due, now):
        token, until, deadline, row = taken
        batch_id, dispatch_id, workspace_id, slice_id, first_n, digest, start, stop, ranks, claims = row
        entries = ids_of_batch((slice_id, digest), first_n, start, stop, ranks)
        work = _look(dispatch_id, workspace_id, ("batch", (batch_id,)), token, worker, until, deadline, entries, now)
        if work is None:
            continue
        if claims > CRASHES_BEFORE_ISOLATION and work.entries:
            isolation.halve(work, now=now)
        elif work.entries:
            yield work
        else:
            settled.close(work, now=now)
            settled.finish_dispatch(dispatch_id, now=now)


def _look(
    dispatch_id: int,
    workspace_id: int,
    source: tuple[Any, tuple[int, ...]],
    token: int,
    worker: str,
    until: datetime,
    deadline: float,
    entries: Sequence[Entry],
    now: datetime,
    *,
    new: bool = False,
) -> Work | None:
    """The work as it stands: the epoch first, then everything that the epoch vouches for. None: halted meanwhile, given back. new: none
    of it has ever had its last look, so the ledger knows nothing of it."""
    epoch = governance.epoch(workspace_id)
    state, facts = _dispatch(dispatch_id, workspace_id, epoch)
    work = Work(facts, source[0], source[1], token, worker, until, deadline, epoch, entries)
    if state != DispatchState.RUNNING or killed(workspace_id, facts.key, facts.vendor, epoch):
        settled.give_back(work, due_at=now + timedelta(seconds=5))
        return None
    return work if new else settled.without_settled(work, now=now)


def _dispatch(dispatch_id: int, workspace_id: int, epoch: int) -> tuple[str, DispatchFacts]:
    """State and facts, read no earlier than the epoch. A running one is remembered by it: every act that halts a
    dispatch moves the epoch, and admit goes on only under the epoch that the work was leased with."""
    known = _running.get((dispatch_id, epoch))
    if known is None:
        row = Dispatch.objects.get(pk=dispatch_id, workspace_id=workspace_id)
        known = (row.state, facts_of(row))
        if row.state == DispatchState.RUNNING:
            if len(_running) > 256:
                _running.clear()
            _running[dispatch_id, epoch] = known
    return known


def facts_of(row: Dispatch) -> DispatchFacts:
    """The frozen side of a row."""
    return DispatchFacts(
        id=row.pk,
        workspace_id=row.workspace_id,
        kind=row.kind,  # type: ignore[arg-type]  # the column holds nothing else
        key=row.key,
        occurrence=row.occurrence,
        lane=row.lane,
        channel=row.channel,
        message_class=row.message_class,
        topic=row.topic,
        campaign_revision_id=row.campaign_revision_id,
        template_revision_id=row.template_revision_id,
        bill_hash=row.bill_hash,
        route_key=row.route_key,
        policy_key=row.policy_key,
        pins=tuple(row.pins),
        experiment=row.experiment,
        recheck_rule=row.recheck_rule,
        shadow=row.shadow,
        expires_at=row.expires_at,
        budget_micros=row.budget_micros,
        currency=row.currency,
        vendor=row.vendor,
        account=row.account,
    )


def _terms(now: datetime) -> tuple[int, datetime, float]:
    """A new token, the end of its lease, and the same end on the clock that nobody can set."""
    seconds = settings.OMNI.lease_seconds
    return secrets.randbits(62) + 1, now + timedelta(seconds=seconds), time.monotonic() + seconds


def _take_batch(lane: Lane, worker: str, guard: Guard, due: datetime, now: datetime) -> tuple[int, datetime, float, tuple[Any, ...]] | None:
    token, until, deadline = _terms(now)
    found = sql.rows(
        f"""WITH picked AS (
            SELECT b.id FROM delivery_batch b JOIN delivery_dispatch d ON d.id = b.dispatch_id
            WHERE b.state = {WorkState.READY:d} AND b.lane = %s AND b.due_at <= %s AND d.state = 'running' AND {guard.words} AND {_MAY_GO}
            ORDER BY b.due_at, b.id LIMIT 1 {sql.skip_locked("b")})
        UPDATE delivery_batch SET token = %s, leased_until = %s, due_at = %s, worker = %s, claims = claims + 1
        WHERE id IN (SELECT id FROM picked)
        RETURNING id, dispatch_id, workspace_id, slice_id, (SELECT s.first_n FROM delivery_slice s WHERE s.id = slice_id),
            (SELECT s.digest FROM delivery_slice s WHERE s.id = slice_id), start, stop, ranks, claims""",
        [int(lane), sql.moment(due), *guard.given, sql.moment(now), sql.moment(now), token, sql.moment(until), sql.moment(until), worker],
        often=True,
    )
    return (token, until, deadline, found[0]) if found else None


def _take_decisions(
    lane: Lane, worker: str, guard: Guard, due: datetime, now: datetime
) -> tuple[int, datetime, float, list[tuple[Any, ...]]] | None:
    """Up to 100 of one dispatch, where one has been due since `due`; one that has seen three crashes goes alone, so that it takes no
    other down with it."""
    token, until, deadline = _terms(now)
    found = sql.rows(
        f"""WITH head AS (
            SELECT c.id, c.dispatch_id, c.claims FROM delivery_decision c JOIN delivery_dispatch d ON d.id = c.dispatch_id
            WHERE c.state = {WorkState.READY:d} AND c.lane = %s AND c.due_at <= %s AND d.state = 'running' AND {guard.words} AND {_MAY_GO}
            ORDER BY c.due_at, c.id LIMIT 1 {sql.skip_locked("c")}),
        picked AS (
            SELECT c.id FROM delivery_decision c JOIN head h ON h.dispatch_id = c.dispatch_id
            WHERE c.state = {WorkState.READY:d} AND c.lane = %s AND c.due_at <= %s
              AND (c.id = h.id OR (c.claims < {CRASHES_BEFORE_ISOLATION} AND h.claims < {CRASHES_BEFORE_ISOLATION}))
            ORDER BY c.due_at, c.id LIMIT {DECISIONS_AT_ONCE} {sql.skip_locked("c")})
        UPDATE delivery_decision SET token = %s, leased_until = %s, due_at = %s, worker = %s, claims = claims + 1
        WHERE id IN (SELECT id FROM picked)
        RETURNING id, n, profile_id, payload, dispatch_id, workspace_id, claims, expires_at, files, admitted""",
        [
            int(lane),
            sql.moment(due),
            *guard.given,
            sql.moment(now),
            sql.moment(now),
            int(lane),
            sql.moment(now),
            token,
            sql.moment(until),
            sql.moment(until),
            worker,
        ],
        often=True,
    )
    return (token, until, deadline, sorted(found, key=lambda row: int(row[1]))) if found else None


def let_go(worker: str, *, now: datetime) -> int:
    """What a worker held that is surely dead falls due at once, crash counted, instead of when its lease ends. Returns how many
    pieces that were. A mistake costs no more than a lease that ran out: whoever still lives is fenced off by its token."""
    held = {"worker": worker[:80], "state": WorkState.READY, "leased_until__gt": now}
    return sum(model.objects.filter(**held).update(due_at=now, leased_until=now) for model in (Batch, Decision))


def due(now: datetime) -> bool:
    """Whether any work could be leased now."""
    return any(rows.exists() for rows in waiting(now))


def waiting(now: datetime) -> tuple[QuerySet[Decision], QuerySet[Batch]]:
    """All work that is due, of every workspace and lane."""
    which = Q(state=WorkState.READY, due_at__lte=now, dispatch__state=DispatchState.RUNNING)
    return Decision.objects.filter(which), Batch.objects.filter(which)


def at_work(workspace_id: int, dispatch_id: int, *, now: datetime) -> bool:
    """Whether work of this dispatch is due, or in the hands of a worker whose lease has not run out."""
    now_or_held = Q(due_at__lte=now) | Q(leased_until__gt=now)
    waiting = Batch.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id, state=WorkState.READY)
    return waiting.filter(now_or_held, dispatch__state=DispatchState.RUNNING).exists()
