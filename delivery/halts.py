"""Pause a dispatch on nobody's behalf, when something speaks against sending on; a person resumes it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from delivery.models import Dispatch
from delivery.states import DispatchState
from governance import door as governance

HALTED = "halted: "  # how the reason of a pause begins that no person asked for


def halt(workspace_id: int, dispatch_id: int, reason: str, *, by: str, now: datetime) -> bool:
    """Pause it unless it no longer runs, and say why on its page and in the audit trail. by: which guard it was ("ramp", "budget").

    Once this returns, no last look of it can commit. False: it was paused, stopped or done already."""
    actor = governance.system_actor(workspace_id, label=by)
    with transaction.atomic():
        governance.bump(workspace_id)
        row = Dispatch.objects.filter(pk=dispatch_id, workspace_id=workspace_id, state=DispatchState.RUNNING)
        halted = bool(row.update(state=DispatchState.PAUSED, state_reason=f"{HALTED}{reason}"[:300]))
        if halted:
            governance.audit(actor, "dispatch.halted", subject=f"dispatch:{dispatch_id}", data={"reason": reason[:300]}, now=now)
    return halted


def shown_state(state: str, reason: str) -> str:
    """The state that people are shown: "halted" for a pause that a guard asked for, else the dispatch's own."""
    return "halted" if state == DispatchState.PAUSED and reason.startswith(HALTED) else state


class AsShown:
    """What people are told of a dispatch that has a state and its reason."""

    __slots__ = ()
    state: str
    state_reason: str

    @property
    def shown(self) -> str:
        """Its state as people are shown it: "halted" where a guard paused it."""
        return shown_state(self.state, self.state_reason)

    @property
    def why(self) -> str:
        """Why it is paused, halted or stopped, without the word for that."""
        return self.state_reason.removeprefix(HALTED)
