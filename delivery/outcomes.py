"""What became of one message, as far as somebody who waits for it to arrive must know."""

from __future__ import annotations

from typing import Literal

from delivery.adapters.registry import ADAPTERS
from delivery.message_ids import MessageKey
from delivery.models import Attempt, Decision, Message
from delivery.states import AttemptState, MessageState, Reason, WorkState

Outcome = Literal["waiting", "under way", "reached", "bounced", "failed", "skipped", "cancelled"]


def outcome(workspace_id: int, key: MessageKey) -> Outcome:
    """reached: the vendor says that it was delivered, or has it and never says more. under way: also what is in doubt.

    cancelled: somebody took it back, or its person is unknown by now.
    """
    row = Message.objects.filter(workspace_id=workspace_id, dispatch_id=key.dispatch_id, n=key.n).first()
    if row is None:
        decided = Decision.objects.filter(workspace_id=workspace_id, dispatch_id=key.dispatch_id, n=key.n)
        state = decided.values_list("state", flat=True).first()
        return "cancelled" if state in (None, WorkState.CANCELLED) else "waiting"
    if row.state == MessageState.SKIPPED:
        return "cancelled" if row.reason == Reason.CANCELLED else "skipped"
    if row.state == MessageState.FAILED:
        return "failed"
    if row.state == MessageState.BOUNCED:
        return "bounced"
    if row.state in (MessageState.DELIVERED, MessageState.COMPLAINED):
        return "reached"
    attempt = Attempt.objects.filter(dispatch_id=key.dispatch_id, pk=row.attempt_id).first()
    if attempt is not None and attempt.state == AttemptState.SENT:
        vendor = ADAPTERS.get(attempt.vendor)
        return "under way" if vendor is not None and vendor.webhook_secret else "reached"
    return "under way"
