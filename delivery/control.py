"""What people may do to a dispatch that is under way. Each act moves the witness first: once it has returned, no last look
with the old state can commit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db import transaction

from delivery import desk, ramps, reconcile, requeue
from delivery.budgets import out_of_money
from delivery.halts import HALTED
from delivery.models import Attempt, Batch, Decision, Dispatch, Switch
from delivery.prices import written
from delivery.requeue import carried
from delivery.states import AttemptState, DispatchState, MessageState, Reason, WorkState
from governance import door as governance
from governance.door import Actor, Finding, Invalid, Missing, Refused, Role, allow, audit

SCOPE = "runs:launch"
Verdict = Literal["sent", "resend", "give_up"]


def pause(actor: Actor, dispatch_id: int, *, now: datetime, reason: str = "") -> None:
    """Stop leasing and admitting until resumed. Raises Refused unless it runs and the actor is an author."""
    allow(actor, Role.AUTHOR, SCOPE)
    _change(actor, dispatch_id, {DispatchState.RUNNING}, DispatchState.PAUSED, "dispatch.paused", reason, now)


def resume(actor: Actor, dispatch_id: int, *, now: datetime, reason: str = "") -> None:
    """Go on where it was paused. Raises Refused unless it is paused and the actor is an approver."""
    allow(actor, Role.APPROVER, SCOPE)
    _change(actor, dispatch_id, {DispatchState.PAUSED}, DispatchState.RUNNING, "dispatch.resumed", reason, now)


def stop(actor: Actor, dispatch_id: int, *, now: datetime, reason: str = "") -> None:
    """End it for good: what was not admitted never will be. Raises Refused if it is over or the actor is no author."""
    allow(actor, Role.AUTHOR, SCOPE)
    with transaction.atomic():
        _change(actor, dispatch_id, {DispatchState.RUNNING, DispatchState.PAUSED}, DispatchState.STOPPED, "dispatch.stopped", reason, now)
        waiting = (WorkState.CLOSED, WorkState.READY)
        Batch.objects.filter(dispatch_id=dispatch_id, state__in=waiting).update(state=WorkState.CANCELLED, leased_until=None)
        Decision.objects.filter(dispatch_id=dispatch_id, state__in=waiting).update(state=WorkState.CANCELLED, leased_until=None)
        cancel_refused(actor.workspace_id, dispatch_id, now=now)


def open_next_wave(actor: Actor, dispatch_id: int, *, now: datetime) -> None:
    """Open the next wave before its soak is over. Raises Refused if there is none or the actor is no approver."""
    allow(actor, Role.APPROVER, SCOPE)
    with transaction.atomic():
        governance.bump(actor.workspace_id)
        dispatch = _find(actor, dispatch_id)
        if dispatch.state != DispatchState.RUNNING or not ramps.open_wave(dispatch, now=now):
            raise Refused("there is no closed wave to open")
        audit(actor, "dispatch.wave_opened", subject=f"dispatch:{dispatch_id}", data={"wave": dispatch.waves_open}, now=now)


def raise_budget(actor: Actor, dispatch_id: int, micros: int, *, now: datetime, reason: str = "") -> None:
    """Let it spend so much in all, in micros of its currency. It goes on when it is resumed.

    Raises Refused if it is over, has no budget, or the actor is no approver; Invalid for a sum that isn't more than before.
    """
    allow(actor, Role.APPROVER, SCOPE)
    with transaction.atomic():
        governance.bump(actor.workspace_id)
        dispatch = _find(actor, dispatch_id)
        if dispatch.state not in (DispatchState.RUNNING, DispatchState.PAUSED) or dispatch.budget_micros is None:
            raise Refused(f"this dispatch is {dispatch.state}" if dispatch.budget_micros is not None else "this dispatch has no budget")
        before = dispatch.budget_micros
        if not before < micros < 2**62:
            expected = f"more than {written(before, dispatch.currency)}"
            raise Invalid([Finding("error", "/budget", written(micros, dispatch.currency)[:40], expected)])
        dispatch.budget_micros = micros
        if out_of_money(dispatch.state_reason):
            now_written = written(micros, dispatch.currency)
            dispatch.state_reason = f"{HALTED}its budget of {written(before, dispatch.currency)} was spent, and is {now_written} since"
        dispatch.save(update_fields=["budget_micros", "state_reason"])
        data = {"from": before, "to": micros, "currency": dispatch.currency, "reason": reason[:300]}
        audit(actor, "dispatch.budget_raised", subject=f"dispatch:{dispatch_id}", data=data, now=now)


def kill(actor: Actor, scope: Literal["workspace", "vendor", "campaign"], key: str, on: bool, *, reason: str, now: datetime) -> None:
    """Throw or release a kill switch. Any author may throw one; releasing needs an approver. Raises Invalid without a reason."""
    allow(actor, Role.AUTHOR if on else Role.APPROVER, SCOPE)
    findings = [] if reason.strip() else [Finding("error", "/reason", "nothing", "why, in a few words")]
    if scope not in ("workspace", "vendor", "campaign"):
        findings.append(Finding("error", "/scope", str(scope)[:40], "workspace, vendor or campaign"))
    if (scope == "workspace") != (key == "") or len(key) > 80:
        findings.append(Finding("error", "/key", key[:40] or "nothing", "a vendor's or campaign's key; nothing for the workspace"))
    if findings:
        raise Invalid(findings)
    with transaction.atomic():
        governance.bump(actor.workspace_id)
        values = {"on": on, "reason": reason[:300], "by_user_id": actor.user_id, "at": now}
        Switch.objects.update_or_create(workspace_id=actor.workspace_id, scope=scope, key=key, defaults=values)
        audit(actor, "switch.thrown" if on else "switch.released", subject=f"switch:{scope}:{key}", data={"reason": reason[:300]}, now=now)


def switches(workspace_id: int) -> list[Switch]:
    """The kill switches that are on."""
    return list(Switch.objects.filter(workspace_id=workspace_id, on=True).order_by("scope", "key"))


def resolve_in_doubt(
    actor: Actor, attempt_id: int, verdict: Verdict, *, now: datetime, n: int | None = None, confirm: bool = False, typed: int | None = None
) -> None:
    """A person says what became of an unanswered request: it was sent, send it again, or give its messages up.

    n: only of that one of its messages. confirm: `typed` must be the number of messages that this is about.
    Raises Missing where no request of that number is in doubt, Refused where its work is busy or the actor is no approver, Invalid
    for another number or verdict.
    """
    allow(actor, Role.APPROVER, SCOPE)
    with transaction.atomic():
        governance.bump(actor.workspace_id)
        attempt = Attempt.objects.filter(pk=attempt_id, workspace_id=actor.workspace_id, state=AttemptState.IN_DOUBT).first()
        if attempt is None:
            raise Missing("a request in doubt of that number")
        if confirm:
            desk.check_typed(attempt, typed, one=n is not None)
        data: dict[str, object] = {"verdict": verdict, "messages": attempt.count}
        if n is not None:
            attempt = desk.set_apart(attempt, n)
            data = {"verdict": verdict, "messages": 1, "n": n, "attempt": attempt.pk}
        _resolve(attempt, verdict, now)
        audit(actor, "attempt.resolved", subject=f"attempt:{attempt_id}", data=data, now=now)


def cancel_refused(workspace_id: int, dispatch_id: int, *, now: datetime) -> int:
    """Messages whose last attempt surely failed and whose dispatch was stopped will not be tried again: skipped(cancelled), or in doubt
    where that attempt had repeated an unanswered one. How many were cancelled."""
    refused = Attempt.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id, state=AttemptState.REFUSED).order_by("pk")
    with transaction.atomic():
        return sum(requeue.cancel(attempt, now=now) for attempt in refused)


def _resolve(attempt: Attempt, verdict: Verdict, now: datetime) -> None:
    doubtful = Attempt.objects.filter(dispatch_id=attempt.dispatch_id, pk=attempt.pk, state=AttemptState.IN_DOUBT)
    if verdict == "resend":
        if not reconcile.send_again(attempt, by="person", now=now):
            raise Refused("its batch is being worked on, or its dispatch was stopped: try again in a minute")
    elif verdict == "sent":
        doubtful.update(state=AttemptState.SENT, resolved_at=now, resolved_by="person")
    elif verdict == "give_up":
        if doubtful.update(state=AttemptState.FAILED, resolved_at=now, resolved_by="person"):
            carried(attempt).update(state=MessageState.FAILED, reason=Reason.GIVEN_UP)
    else:
        raise Invalid([Finding("error", "/verdict", str(verdict)[:40], "sent, resend or give_up")])


def _change(
    actor: Actor, dispatch_id: int, before: set[DispatchState], after: DispatchState, action: str, reason: str, now: datetime
) -> None:
    with transaction.atomic():
        governance.bump(actor.workspace_id)  # first: it waits for last looks under way, and later ones wait for it
        dispatch = _find(actor, dispatch_id)
        if dispatch.state not in before:
            raise Refused(f"this dispatch is {dispatch.state}")
        dispatch.state, dispatch.state_reason = after, reason[:300]
        dispatch.finished_at = now if after == DispatchState.STOPPED else None
        dispatch.save(update_fields=["state", "state_reason", "finished_at"])
        audit(actor, action, subject=f"dispatch:{dispatch_id}", data={"reason": reason[:300]}, now=now)


def _find(actor: Actor, dispatch_id: int) -> Dispatch:
    dispatch = Dispatch.objects.select_for_update(no_key=True).filter(pk=dispatch_id, workspace_id=actor.workspace_id).first()
    if dispatch is None:
        raise Missing("a dispatch of that number")
    return dispatch
