"""Messages that are decided one by one: transactional ones, and those that events trigger.

They get their number in the transaction that decided to send, wait as a Decision, and can be cancelled until their last look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F

from delivery import attached, keys, sql
from delivery.adapters.base import Attachment
from delivery.keys import AlreadyDecided, Once
from delivery.message_ids import MessageKey, read_message_id
from delivery.models import Decision, Dispatch, Message
from delivery.requeue import wake
from delivery.standing import IS_IT, NEXT_DECISION, Standing, standing
from delivery.states import DispatchState, Lane, MessageState, Reason, WorkState, reason_of
from governance.door import Finding, Invalid, Missing, Refused

MAX_AT_ONCE = 10_000
STOPPED = "this dispatch was stopped"


class NewDecision(NamedTuple):
    """One message to be sent: to whom, with what, when, and until when it is of use. due_at None: now.

    files: what goes with it. skip: a reason why it isn't sent after all ("outranked"); it is recorded and nothing more.
    """

    profile_id: int
    payload: Mapping[str, Any]
    due_at: datetime | None = None
    expires_at: datetime | None = None
    skip: str = ""
    files: Sequence[Attachment] = ()


def decide(dispatch_id: int, decisions: Sequence[NewDecision], *, now: datetime) -> list[int]:
    """Number these messages and queue them, in the caller's transaction; answers their n, in order.

    Raises Refused once the dispatch is stopped, Missing if there is none, Invalid for more than 10,000 at once.
    """
    if len(decisions) > MAX_AT_ONCE:
        raise Invalid([Finding("error", "", f"{len(decisions):,} messages", f"at most {MAX_AT_ONCE:,} at once")])
    with transaction.atomic(savepoint=False):  # left before anything is refused: the caller's transaction may go on
        dispatch = _numbering(dispatch_id, len(decisions))
        if dispatch is not None and dispatch.state != DispatchState.STOPPED:
            _write(dispatch_id, dispatch, decisions, now)
            return list(dispatch.ns)
    if dispatch is None:
        raise Missing("a dispatch of that number")
    raise Refused(STOPPED)


def _write(dispatch_id: int, dispatch: _Numbering, decisions: Sequence[NewDecision], now: datetime) -> None:
    numbered = list(zip(dispatch.ns, decisions, strict=True))
    _queue(dispatch_id, dispatch, decisions, now)
    files = [(n, new.profile_id, new.files) for n, new in numbered if new.files]
    attached.keep(files, dispatch_id, dispatch.workspace_id, now=now)
    Message.objects.bulk_create(
        Message(
            dispatch_id=dispatch_id,
            n=n,
            workspace_id=dispatch.workspace_id,
            profile_id=new.profile_id,
            state=MessageState.SKIPPED,
            reason=reason_of(new.skip),
            at=now,
        )
        for n, new in numbered
        if new.skip
    )
    if dispatch.state == DispatchState.DONE:
        wake(dispatch_id)


def decide_one(of: Standing, new: NewDecision, *, once: Once | None, now: datetime, notify: tuple[str, str] | None = None) -> MessageKey:
    """Number and queue one message in its standing dispatch, with the key it was asked under, in the caller's transaction.

    notify: a channel of PostgreSQL's and what is said there once that transaction is committed. Raises AlreadyDecided where the key was
    used before (then the transaction must be rolled back), Refused once the dispatch is stopped, Missing where the route or the policy
    isn't released.
    """
    if sql.on_postgres():
        message = _in_one_statement(of, new, once, notify, now)
        if message is None:  # the first of its dispatch, or a stopped one
            standing(of, now=now)
            message = _in_one_statement(of, new, once, notify, now)
        if message is None:
            raise Refused(STOPPED)
        if new.files:
            attached.keep([(message.n, new.profile_id, new.files)], message.dispatch_id, of.workspace_id, now=now)
        return message
    dispatch_id = standing(of, now=now)
    message = MessageKey(dispatch_id, decide(dispatch_id, [new], now=now)[0])
    if once is not None:
        keys.claim(of.workspace_id, once, message, now=now)
    return message


def cancel(workspace_id: int, message_id: str, *, now: datetime) -> bool:
    """Take a decision back. False: its last look was already had, or it was cancelled before. Raises Missing for a strange id."""
    key = read_message_id(message_id)
    found = Decision.objects.filter(workspace_id=workspace_id, dispatch_id=key.dispatch_id, n=key.n) if key else Decision.objects.none()
    profile_id = found.values_list("profile_id", flat=True).first()
    if key is None or profile_id is None:
        raise Missing("a message of that id that waits to be sent")
    with transaction.atomic():
        if not found.filter(state=WorkState.READY, admitted=False).update(state=WorkState.CANCELLED, payload={}, files=0):
            return False
        attached.drop(key.dispatch_id, key.n)
        Message.objects.create(
            dispatch_id=key.dispatch_id,
            n=key.n,
            workspace_id=workspace_id,
            profile_id=profile_id,
            state=MessageState.SKIPPED,
            reason=Reason.CANCELLED,
            at=now,
        )
    return True


class _Numbering(NamedTuple):
    """A dispatch, and the numbers of its next decisions. ids: empty where the table numbers its rows by itself."""

    workspace_id: int
    lane: Lane
    state: DispatchState
    ns: Sequence[int]
    ids: Sequence[int]


_DRAWN = f"""
SELECT workspace_id, lane, state, n_base, (SELECT array_agg({NEXT_DECISION}) FROM generate_series(1, %s))
  FROM delivery_dispatch WHERE id = %s
"""


def _numbering(dispatch_id: int, count: int) -> _Numbering | None:
    """Numbers for so many decisions, in the caller's transaction; None without such a dispatch.

    PostgreSQL numbers by the table's own sequence: no row is held, so callers never wait for each other; gaps are fine.
    """
    if sql.on_postgres():
        for workspace_id, lane, state, n_base, drawn in sql.rows(_DRAWN, [count, dispatch_id]):
            ids = sorted(drawn or ())
            return _Numbering(workspace_id, Lane(lane), DispatchState(state), [number - n_base for number in ids], ids)
    else:
        Dispatch.objects.filter(pk=dispatch_id).exclude(state=DispatchState.STOPPED).update(planned=F("planned") + count)
        statement = "SELECT workspace_id, lane, state, planned FROM delivery_dispatch WHERE id = %s"
        for workspace_id, lane, state, planned in sql.rows(statement, [dispatch_id]):
            return _Numbering(workspace_id, Lane(lane), DispatchState(state), range(planned - count, planned), ())
    return None


_COLUMNS = (
    *("id", "workspace_id", "dispatch_id", "n", "profile_id", "payload", "files", "lane", "decided_at", "due_at", "expires_at"),
    *("state", "admitted", "token", "worker", "claims"),
)
_QUEUE = f"INSERT INTO delivery_decision ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))})"


def _queue(dispatch_id: int, dispatch: _Numbering, decisions: Sequence[NewDecision], now: datetime) -> None:
    """Every decision that is to be sent, as a row that waits. Done for every message, so in plain SQL."""
    ids: Sequence[int | None] = dispatch.ids or [None] * len(decisions)
    sql.run_many(
        _QUEUE,
        [
            (
                *(number, dispatch.workspace_id, dispatch_id, n, new.profile_id, json.dumps(dict(new.payload)), len(new.files)),
                *(dispatch.lane, sql.moment(now), sql.moment(new.due_at or now), sql.moment(new.expires_at)),
                *(WorkState.READY, False, 0, "", 0),
            )
            for number, n, new in zip(ids, dispatch.ns, decisions, strict=True)
            if not new.skip
        ],
    )


_NEW = "number, workspace_id, id, number - n_base, %s::bigint, %s::jsonb, %s::smallint, lane, %s::timestamptz, %s::timestamptz"
_DECIDED = f"""
WITH d AS (SELECT id, workspace_id, lane, state, n_base, {NEXT_DECISION} AS number
  FROM delivery_dispatch WHERE {IS_IT} AND state <> '{DispatchState.STOPPED}'),
queued AS (INSERT INTO delivery_decision ({", ".join(_COLUMNS)})
  SELECT {_NEW}, %s::timestamptz, {WorkState.READY:d}, false, 0, '', 0 FROM d RETURNING n)
{{claimed}}
SELECT d.id, queued.n, d.state, {{used}}{{told}} FROM d, queued
"""
_CLAIMED = """, claimed AS (INSERT INTO delivery_idempotencykey (workspace_id, key, request, at, dispatch_id, n)
  SELECT workspace_id, %s, %s, %s::timestamptz, id, n FROM d, queued ON CONFLICT DO NOTHING RETURNING n)"""
_KEYS = {False: {"claimed": "", "used": "false"}, True: {"claimed": _CLAIMED, "used": "NOT EXISTS (SELECT 1 FROM claimed)"}}
_STATEMENTS = {
    (keyed, told): _DECIDED.format(**words, told=", pg_notify(%s, %s)" if told else "")
    for keyed, words in _KEYS.items()
    for told in (False, True)
}


def _in_one_statement(
    of: Standing, new: NewDecision, once: Once | None, notify: tuple[str, str] | None, now: datetime
) -> MessageKey | None:
    """What `decide_one` does, on PostgreSQL; None without such a dispatch. Whoever comes second with a key waits for the first's end."""
    at = sql.moment(now)
    given = [new.profile_id, json.dumps(dict(new.payload)), len(new.files), at, sql.moment(new.due_at or now), sql.moment(new.expires_at)]
    under = [*once.hashed(of.workspace_id), at] if once is not None else []
    statement = _STATEMENTS[once is not None, notify is not None]
    for dispatch_id, n, state, used, *_ in sql.rows(statement, [*of.identity(), *given, *under, *(notify or ())], often=True):
        if used:
            raise AlreadyDecided
        if state == DispatchState.DONE:
            wake(dispatch_id)
        return MessageKey(dispatch_id, n)
    return None
