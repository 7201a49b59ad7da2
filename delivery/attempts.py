"""The rows of vendor requests, written for a whole window at once: one statement when it leaves, one when it was answered.

Law: an attempt is settled by whoever holds its own token, and only while it is unresolved; rows are locked in the order of
their numbers, as the writers of events lock them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from delivery import sql
from delivery.adapters.base import Fate
from delivery.policies import Route
from delivery.states import AttemptState
from delivery.work import Work

if TYPE_CHECKING:
    from delivery.ledger import Bundle

_STATES = {
    "accepted": AttemptState.SENT,
    "ambiguous": AttemptState.IN_DOUBT,
    "throttled": AttemptState.REFUSED,
    "transient": AttemptState.REFUSED,
    "misconfigured": AttemptState.REFUSED,
}
_NEW = {"replaces": "bigint", "first_n": "bigint", "last_n": "bigint", "many": "int", "cost": "bigint"}
_ANSWER = {"id": "bigint", "token": "bigint", "state": "smallint", "vendor_id": "text", "detail": "text"}


def begin(work: Work, bundles: Sequence[Bundle], route: Route, *, now: datetime, until: datetime) -> None:
    """Insert one row per bundle, in the caller's transaction, and give each bundle its number and token."""
    if not bundles:
        return
    requests = [_request(bundle) for bundle in bundles]
    new, given = sql.table("v", _NEW, requests)
    found = sql.rows(
        f"""INSERT INTO delivery_attempt (workspace_id, dispatch_id, batch_id, vendor, account, message_class, token, worker, state,
            posted_at, deadline, resolved_by, vendor_id, detail, replaces_id, first_n, last_n, count, cost_micros)
        SELECT %s, %s, {sql.typed("bigint")}, %s, %s, %s, %s, %s, %s, {sql.typed("timestamptz")}, {sql.typed("timestamptz")}, '', '', '',
            v.replaces, v.first_n, v.last_n, v.many, v.cost FROM {new}
        RETURNING id, first_n""",
        [
            work.workspace_id,
            work.dispatch.id,
            work.source_ids[0] if work.source == "batch" else None,
            route.adapter.key,
            route.key,
            work.dispatch.message_class,
            work.token,
            work.worker,
            AttemptState.POSTING,
            sql.moment(now),
            sql.moment(until),
            *given,
        ],
        often=True,
    )
    numbers = {first_n: number for number, first_n in found}  # bundles share no message, so their first numbers differ
    for bundle, row in zip(bundles, requests, strict=True):
        bundle.attempt_id, bundle.token = numbers[row[1]], work.token


def settle(work: Work, answered: Sequence[tuple[Bundle, Fate]], *, now: datetime) -> set[int]:
    """Write down what was answered; the numbers of those that this settled. What something else has settled stays as it is."""
    if not answered:
        return set()
    answers, given = sql.table("v", _ANSWER, [_answer(bundle, fate) for bundle, fate in answered])
    ids = [bundle.attempt_id for bundle, _ in answered]
    span = (min(ids), max(ids))  # else PostgreSQL may read the whole table: it can't know that these lie together
    found = sql.rows(
        f"""WITH held AS (
            SELECT a.id, v.state, v.vendor_id, v.detail FROM delivery_attempt a JOIN {answers} ON v.id = a.id
            WHERE a.dispatch_id = %s AND a.id BETWEEN %s AND %s AND a.token = v.token AND a.state < {AttemptState.SENT:d}
            ORDER BY a.id {sql.held("a")})
        UPDATE delivery_attempt SET state = held.state, vendor_id = held.vendor_id, detail = held.detail,
            resolved_at = CASE WHEN held.state = {AttemptState.IN_DOUBT:d} THEN NULL ELSE {sql.typed("timestamptz")} END,
            resolved_by = CASE WHEN held.state = {AttemptState.IN_DOUBT:d} THEN '' ELSE 'vendor' END
        FROM held WHERE delivery_attempt.dispatch_id = %s AND delivery_attempt.id = held.id
            AND delivery_attempt.id BETWEEN %s AND %s RETURNING delivery_attempt.id""",
        [*given, work.dispatch.id, *span, sql.moment(now), work.dispatch.id, *span],
        often=True,
    )
    return {row[0] for row in found}


def _request(bundle: Bundle) -> tuple[int | None, int, int, int, int]:
    candidates, first = bundle.candidates, bundle.candidates[0]
    repeated = first.replaces or first.first or None
    if len(candidates) == 1:
        return repeated, first.n, first.n, 1, bundle.cost
    ns = [candidate.n for candidate in candidates]
    return repeated, min(ns), max(ns), len(ns), bundle.cost


def _answer(bundle: Bundle, fate: Fate) -> tuple[int, int, int, str, str]:
    detail = fate.detail if fate.code in fate.detail else f"{fate.detail} {fate.code}".strip()
    return (
        bundle.attempt_id,
        bundle.token,
        _STATES.get(fate.kind, AttemptState.REFUSED),
        fate.vendor_id.replace("\0", "")[:120],  # no text of PostgreSQL's can hold it
        detail.replace("\0", "")[:300],
    )
