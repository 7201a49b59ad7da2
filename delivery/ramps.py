"""Open the waves of a ramp: each one after the one before it has been sent, has soaked, and has harmed nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from delivery import policies
from delivery.counts import Counts, count
from delivery.models import Batch, Dispatch
from delivery.states import DispatchState, MessageState, WorkState
from governance import door as governance

SYSTEM = "ramp"


def advance(*, now: datetime) -> int:
    """Look at every dispatch with closed waves; answers how many waves were opened. An unhealthy one is paused."""
    opened = 0
    closed = Dispatch.objects.filter(state=DispatchState.RUNNING, kind="campaign", batches__state=WorkState.CLOSED).distinct()
    for dispatch in closed.only("id", "workspace_id", "key", "policy_key", "soak_minutes", "wave_done_at", "waves_open"):
        if _under_way(dispatch, now):
            continue
        if trouble := ailment(dispatch):
            halt(dispatch, trouble, now=now)
        elif dispatch.wave_done_at is None and dispatch.soak_minutes:
            Dispatch.objects.filter(pk=dispatch.pk, wave_done_at=None).update(wave_done_at=now)
        elif not dispatch.soak_minutes or (dispatch.wave_done_at or now) + timedelta(minutes=dispatch.soak_minutes) <= now:
            opened += open_wave(dispatch, now=now)
    return opened


def open_wave(dispatch: Dispatch, *, now: datetime) -> int:
    """Make the next wave's batches due; 0 if there is none or somebody else just did."""
    with transaction.atomic():
        row = Dispatch.objects.select_for_update(no_key=True).get(pk=dispatch.pk)
        if row.waves_open != dispatch.waves_open:
            return 0
        wave = row.waves_open
        batches = Batch.objects.filter(dispatch_id=row.pk, wave=wave, state=WorkState.CLOSED)
        if not batches.update(state=WorkState.READY, due_at=max(now, row.due_at)):
            return 0
        row.waves_open, row.wave_done_at = wave + 1, None
        row.save(update_fields=["waves_open", "wave_done_at"])
    return 1


def ailment(dispatch: Dispatch) -> str:
    """What speaks against sending on, "" if nothing does."""
    limits = policies.policy(dispatch.workspace_id, dispatch.policy_key).halt
    counts = count(dispatch.workspace_id, dispatch.pk)
    sent = _sent(counts)
    if sent < limits.at_least:
        return ""
    shares = {
        "bounced": (counts.states[MessageState.BOUNCED] / sent, limits.bounced),
        "complained": (counts.states[MessageState.COMPLAINED] / sent, limits.complained),
        "failed": (counts.states[MessageState.FAILED] / sent, limits.failed),
    }
    over = [f"{share:.1%} {word}, more than {limit:.1%}" for word, (share, limit) in shares.items() if share > limit]
    return "; ".join(over)


def halt(dispatch: Dispatch, reason: str, *, now: datetime) -> None:
    """Pause it on nobody's behalf; a person resumes it."""
    actor = governance.system_actor(dispatch.workspace_id, label=SYSTEM)
    with transaction.atomic():
        governance.bump(dispatch.workspace_id)
        row = Dispatch.objects.filter(pk=dispatch.pk, state=DispatchState.RUNNING)
        if row.update(state=DispatchState.PAUSED, state_reason=f"halted: {reason}"[:300]):
            data = {"reason": reason}
            governance.audit(actor, "dispatch.halted", subject=f"dispatch:{dispatch.pk}", data=data, now=now)


def _under_way(dispatch: Dispatch, now: datetime) -> bool:
    """Whether something of the open waves is being sent or could be; what waits for quiet hours to end doesn't hold the ramp."""
    leased_or_due = Q(leased_until__gt=now) | Q(due_at__lte=now)
    return Batch.objects.filter(leased_or_due, dispatch_id=dispatch.pk, state=WorkState.READY).exists()


def _sent(counts: Counts) -> int:
    return sum(rows for state, rows in counts.states.items() if state != MessageState.SKIPPED)
