"""What of leased work is already decided by the ledger, and how work is given back or closed. Every write is fenced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from delivery import sql
from delivery.adapters.registry import ADAPTERS
from delivery.models import Attempt, Decision
from delivery.states import AttemptState, DispatchState, MessageState, WorkState
from delivery.work import Work

ASK_AFTER = timedelta(seconds=30)  # a vendor needs some time before it lists what it took


def without_settled(work: Work, *, now: datetime) -> Work:
    """The same work without what the ledger has settled. `again`: surely not sent, may be attempted; `doubts`: to be asked about.

    Whoever held this work before is fenced out, so requests that were still open are in doubt from now on.
    """
    if not work.entries:
        return work
    low, high = work.entries[0].n, work.entries[-1].n
    ledger = sql.rows(
        """SELECT m.n, m.state, m.attempt_id, a.state, a.vendor, a.message_class, a.replaces_id, a.posted_at, m.profile_id
        FROM delivery_message m LEFT JOIN delivery_attempt a ON a.dispatch_id = m.dispatch_id AND a.id = m.attempt_id
        WHERE m.dispatch_id = %s AND m.n BETWEEN %s AND %s""",
        [work.dispatch.id, low, high],
        often=True,
    )
    if not ledger:
        return work
    open_ones = {row[2] for row in ledger if row[1] == MessageState.SENDING and row[3] in (AttemptState.POSTING, AttemptState.IN_DOUBT)}
    repeatable = {row[2] for row in ledger if row[2] in open_ones and ADAPTERS[row[4]].features.idempotency_key}
    _refuse(work, repeatable, now)
    _doubt(work, open_ones - repeatable)
    known, again, doubts, whose = set(), dict[int, int](), dict[int, int](), dict[int, int]()
    for n, state, attempt_id, attempt_state, _, message_class, replaces_id, posted_at, profile_id in ledger:
        known.add(n)
        if state != MessageState.SENDING or attempt_state is None:
            continue
        if attempt_id in repeatable or attempt_state == AttemptState.REFUSED:
            again[n], whose[n] = attempt_id, profile_id
        elif attempt_id in open_ones and message_class == "transactional" and replaces_id is None:
            doubts[n] = attempt_id if sql.read_moment(posted_at) + ask_after() <= now else 0
    waiting = {n for n, attempt_id in doubts.items() if not attempt_id}
    entries = [entry for entry in work.entries if entry.n not in known or entry.n in again or doubts.get(entry.n)]
    for entry in entries:  # whom a plan froze may have been merged since: the ledger's row has followed, and goes to the one who stays
        entry.profile_id = whose.get(entry.n, entry.profile_id)
    return replace(work, entries=entries, again=again, doubts={n: at for n, at in doubts.items() if at}, waiting=frozenset(waiting))


def ask_after() -> timedelta:
    """How long after an unanswered transactional request the vendor is asked about it, or it is sent once more."""
    return min(ASK_AFTER, timedelta(seconds=settings.OMNI.in_doubt_after))


def give_back(work: Work, *, due_at: datetime) -> None:
    """End the lease in good order: the work falls due again at due_at and no crash is counted."""
    table = _table(work)
    sql.run(
        f"UPDATE {table} SET due_at = %s, leased_until = NULL, claims = 0 WHERE {sql.among('id')} AND token = %s AND state = %s",
        [sql.moment(due_at), sql.numbers(work.source_ids), work.token, WorkState.READY],
        often=True,
    )


def close(work: Work, *, now: datetime) -> None:
    """End the lease of work that is settled. Decisions whose message waits to be asked about stay, and fall due for that."""
    with transaction.atomic(savepoint=False):
        if work.waiting:
            mine = Decision.objects.filter(dispatch_id=work.dispatch.id, token=work.token, state=WorkState.READY)
            mine.filter(n__in=work.waiting).update(due_at=now + ask_after(), leased_until=None, claims=0)
        statement = (
            f"UPDATE {_table(work)} SET state = %s, leased_until = NULL, claims = 0 WHERE {sql.among('id')} AND token = %s AND state = %s"
        )
        parameters = [WorkState.DONE, sql.numbers(work.source_ids), work.token, WorkState.READY]
        if work.waiting:
            statement, parameters = f"{statement} AND NOT {sql.among('n')}", [*parameters, sql.numbers(work.waiting)]
        sql.run(statement, parameters, often=True)


def finish_dispatch(dispatch_id: int, *, now: datetime) -> bool:
    """Mark a campaign's dispatch as done when nothing of it waits any more. Called after the last piece was committed, so of
    two workers that close the last two pieces at once the later one sees both closed."""
    return bool(
        sql.run(
            """UPDATE delivery_dispatch SET state = %s, finished_at = %s WHERE id = %s AND state = %s AND kind = 'campaign'
            AND NOT EXISTS (SELECT 1 FROM delivery_batch b WHERE b.dispatch_id = delivery_dispatch.id AND b.state IN (0, 10))""",
            [DispatchState.DONE, sql.moment(now), dispatch_id, DispatchState.RUNNING],
            often=True,
        )
    )


def _refuse(work: Work, attempts: Iterable[int], now: datetime) -> None:
    """Requests to a vendor that takes a repeat for the same message: simply repeat them."""
    if attempts:
        _ours(work, attempts).filter(state__lt=AttemptState.SENT).update(
            state=AttemptState.REFUSED, resolved_at=now, resolved_by="worker", detail="repeating it is safe with this vendor"
        )


def _doubt(work: Work, attempts: Iterable[int]) -> None:
    if attempts:
        _ours(work, attempts).filter(state=AttemptState.POSTING).update(
            state=AttemptState.IN_DOUBT, detail="its worker died before an answer came"
        )


def _ours(work: Work, attempts: Iterable[int]) -> QuerySet[Attempt]:
    return Attempt.objects.filter(dispatch_id=work.dispatch.id, id__in=attempts, workspace_id=work.workspace_id)


def _table(work: Work) -> str:
    return "delivery_batch" if work.source == "batch" else "delivery_decision"
