"""How many messages of a dispatch are in which state, as they really stand: a row says "sending" where its attempt knows better."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from delivery import past, sql
from delivery.states import AttemptState, MessageState, Reason


@dataclass(slots=True)
class Counts:
    """states: by effective state; reasons: why messages were skipped or failed. Left-out people are not in the ledger."""

    states: Counter[MessageState] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """Messages that had their last look."""
        return sum(self.states.values())


def count(workspace_id: int, dispatch_id: int) -> Counts:
    """One grouped pass over the dispatch's rows, and one over the few requests that aren't through. Of an archived run: as it ended."""
    found = Counts()
    if (ended := past.final(workspace_id, dispatch_id)) is not None:
        found.states.update({MessageState(int(state)): rows for state, rows in ended["states"].items()})
        found.reasons.update({Reason(int(reason)): rows for reason, rows in ended["reasons"].items()})
        return found
    for state, reason, rows in sql.rows(
        "SELECT state, reason, COUNT(*) FROM delivery_message WHERE dispatch_id = %s AND workspace_id = %s GROUP BY state, reason",
        [dispatch_id, workspace_id],
    ):
        found.states[MessageState(state)] += rows
        if reason:
            found.reasons[Reason(reason)] += rows
    sent = found.states.pop(MessageState.SENDING, 0)
    for attempt_state, rows in sql.rows(_UNSENT, [workspace_id, dispatch_id]):
        found.states[MessageState.IN_DOUBT if attempt_state == AttemptState.IN_DOUBT else MessageState.SENDING] += rows
        sent -= rows
    found.states[MessageState.SENT] += sent
    found.states = +found.states
    return found


# Messages that hang on an attempt that is open, in doubt, or refused and not yet replaced: there are few such attempts.
_UNSENT = f"""SELECT a.state, COUNT(*) FROM delivery_attempt a JOIN delivery_message m
    ON m.dispatch_id = a.dispatch_id AND m.n BETWEEN a.first_n AND a.last_n AND m.attempt_id = a.id
    WHERE a.workspace_id = %s AND a.dispatch_id = %s AND a.state <> {AttemptState.SENT:d} AND m.state = {MessageState.SENDING:d}
    GROUP BY a.state"""
