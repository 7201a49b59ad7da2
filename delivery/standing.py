"""Messages that are decided one by one: transactional ones, and those that events trigger.

They live in a standing dispatch per message type, day and template revision, get their number in the transaction that
decided to send, wait as a Decision, and can be cancelled until their last look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import F

from delivery import attached, policies, sql
from delivery.adapters.base import Attachment
from delivery.addresses import text_hash
from delivery.message_ids import read_message_id
from delivery.models import Decision, Dispatch, IdempotencyKey, Message
from delivery.states import DispatchState, Lane, MessageState, Reason, WorkState, reason_of
from delivery.work import DispatchKind, LaneName
from governance.door import Conflict, Finding, Invalid, Missing, Refused

MAX_AT_ONCE = 10_000


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


def standing(
    workspace_id: int,
    *,
    kind: DispatchKind,
    key: str,
    day: date,
    template_revision_id: int,
    channel: str,
    message_class: str,
    now: datetime,
    topic: str = "",
    lane: LaneName = "transactional",
    campaign_revision_id: int | None = None,
    pins: Sequence[int] = (),
    senders: Sequence[int] = (),
    bill_hash: str = "",
    route_key: str = "",
    policy_key: str = "",
    experiment: Mapping[str, Any] | None = None,
    recheck_rule: Mapping[str, Any] | None = None,
    shadow: bool = False,
) -> int:
    """The dispatch that carries this message type's decisions of that day with that template; made when it is the first.

    senders: the revisions of the senders that its templates name, and of whatever else it was approved with; another revision in
    force makes another dispatch.
    Raises Missing where the route or the policy isn't released.
    """
    occurrence = f"{day.isoformat()}/{template_revision_id}/{campaign_revision_id or 0}{_from(senders)}"
    if (found := _same(workspace_id, kind, key, occurrence)) is not None:
        return found
    routes = policies.routes(workspace_id, route_key, channel)
    policies.policy(workspace_id, policy_key)
    vendor, account = policies.carriers(routes)
    row = Dispatch(
        workspace_id=workspace_id,
        kind=kind,
        key=key,
        occurrence=occurrence,
        lane=Lane[lane.upper()],
        channel=channel,
        message_class=message_class,
        topic=topic,
        campaign_revision_id=campaign_revision_id,
        template_revision_id=template_revision_id,
        pins=sorted({*pins, *senders, template_revision_id, *([campaign_revision_id] if campaign_revision_id else [])}),
        bill_hash=bill_hash,
        route_key=route_key,
        policy_key=policy_key,
        vendor=vendor,
        account=account,
        experiment=experiment,
        recheck_rule=recheck_rule,
        shadow=shadow,
        planned_at=now,
        due_at=now,
        n_base=_next_decision_id() if sql.on_postgres() else 0,
        currency=routes[0].currency,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            return row.pk
    except IntegrityError:
        found = _same(workspace_id, kind, key, occurrence)
        assert found is not None, "another made the same"
        return found


def _same(workspace_id: int, kind: str, key: str, occurrence: str) -> int | None:
    """Asked for every message, so in plain SQL."""
    statement = "SELECT id FROM delivery_dispatch WHERE workspace_id = %s AND kind = %s AND key = %s AND occurrence = %s AND relaunch = 0"
    found = sql.rows(statement, [workspace_id, kind, key, occurrence])
    return int(found[0][0]) if found else None


def _from(senders: Sequence[int]) -> str:
    """Which senders, as part of an occurrence; many in short."""
    text = "-".join(map(str, sorted(senders)))
    return f"/{text if len(text) < 40 else sha256(text.encode()).hexdigest()[:32]}" if text else ""


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
    raise Refused("this dispatch was stopped")


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
        Dispatch.objects.filter(pk=dispatch_id, state=DispatchState.DONE).update(state=DispatchState.RUNNING, finished_at=None)


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


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What an idempotency key stands for. new: this call was the first and must now decide and then `answer`."""

    new: bool
    dispatch_id: int | None = None
    n: int | None = None


_CLAIM = "INSERT INTO delivery_idempotencykey (workspace_id, key, request, at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"


def use_key(workspace_id: int, key: str, request_sha256: str, *, now: datetime) -> KeyUse:
    """Claim an idempotency key in the caller's transaction; of callers at once one is new and the others wait for it.

    Raises Conflict where the key was used with another request, Invalid for an unusable key.
    """
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid([Finding("error", "/idempotency_key", f"{len(key)} characters", "1 to 255 printable characters")])
    hashed, asked = text_hash(workspace_id, key), text_hash(workspace_id, request_sha256)
    if sql.run(_CLAIM, [workspace_id, hashed, asked, sql.moment(now)]):  # who comes second waits for the end of the first's transaction
        return KeyUse(new=True)
    known = IdempotencyKey.objects.get(workspace_id=workspace_id, key=hashed)
    if known.request != asked:
        raise Conflict("this Idempotency-Key was used with another request")
    return KeyUse(False, known.dispatch_id, known.n)


def answer_key(workspace_id: int, key: str, dispatch_id: int, n: int) -> None:
    """Keep what a new key led to, in the transaction that claimed it."""
    statement = "UPDATE delivery_idempotencykey SET dispatch_id = %s, n = %s WHERE workspace_id = %s AND key = %s"
    sql.run(statement, [dispatch_id, n, workspace_id, text_hash(workspace_id, key)])


class _Numbering(NamedTuple):
    """A dispatch, and the numbers of its next decisions. ids: empty where the table numbers its rows by itself."""

    workspace_id: int
    lane: Lane
    state: DispatchState
    ns: Sequence[int]
    ids: Sequence[int]


_NEXT = "nextval(pg_get_serial_sequence('delivery_decision', 'id'))"
_DRAWN = f"""
SELECT workspace_id, lane, state, n_base, (SELECT array_agg({_NEXT}) FROM generate_series(1, %s))
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


def _next_decision_id() -> int:
    return int(sql.rows(f"SELECT {_NEXT}")[0][0])
