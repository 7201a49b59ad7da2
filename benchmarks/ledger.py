"""Print what an instance's ledger says, as JSON: run in a process with its environment."""

from __future__ import annotations

import json
import os
from collections import Counter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

import django

django.setup()

from delivery.message_ids import message_ids  # noqa: E402
from delivery.models import Attempt, Decision, Dispatch, Message  # noqa: E402
from delivery.states import AttemptState, DispatchState, MessageState, WorkState  # noqa: E402


def main() -> None:
    """One line of JSON: counts by state, the ids that a vendor must know, those that are in doubt, and those of probes."""
    attempts = dict(Attempt.objects.values_list("id", "state"))
    states: Counter[str] = Counter()
    expected, doubtful, probes = [], [], []
    for dispatch_id, kind in Dispatch.objects.values_list("id", "kind"):
        rows = list(Message.objects.filter(dispatch_id=dispatch_id).values_list("n", "state", "attempt_id"))
        ids = message_ids(dispatch_id, [n for n, _, _ in rows])
        if kind == "probe":
            probes += ids
            continue
        for message_id, (_, state, attempt_id) in zip(ids, rows, strict=True):
            word = _word(state, attempts.get(attempt_id))
            states[word] += 1
            if word == "in_doubt":
                doubtful.append(message_id)
            elif word not in {"skipped", "failed"}:
                expected.append(message_id)
    # A standing dispatch (probes, transactional messages) never ends: it waits as long as a decision of it does.
    still = Dispatch.objects.filter(kind="campaign").exclude(state__in=[DispatchState.DONE, DispatchState.STOPPED]).count()
    still += Decision.objects.filter(state=WorkState.READY).count()
    print(json.dumps({"states": states, "expected": expected, "in_doubt": doubtful, "probes": probes, "open": still}))


def _word(state: int, attempt: int | None) -> str:
    """The effective state: the message's own where it has one, else its attempt's."""
    if state != MessageState.SENDING:
        return MessageState(state).name.lower()
    return {AttemptState.SENT: "sent", AttemptState.IN_DOUBT: "in_doubt"}.get(attempt, "sending")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
