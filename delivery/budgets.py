"""Money is reserved in the transaction that admits, and given back where a request surely was not accepted.

Law: what is committed never passes the budget; and a budget that the next message would pass ends nothing: what it no longer pays
for waits with its number, and its dispatch is halted until a person raises the budget or stops it.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F
from django.db.models.functions import Greatest

from delivery.eligibility import Candidate, Verdicts
from delivery.halts import halt
from delivery.models import Dispatch
from delivery.prices import written
from delivery.work import DispatchFacts, Work

SYSTEM = "budget"
SPENT = "the budget is spent"
TOO_LITTLE = "the rest doesn’t pay for the next message"


def reserve(dispatch: DispatchFacts, verdicts: Verdicts) -> list[Candidate]:
    """Take the admitted messages' cost from the dispatch's budget, the first ones by number first; answers those that it no longer
    pays for, which are admitted no more. The row is held until the caller's transaction ends, so no two workers spend the same money.
    """
    cost = sum(candidate.cost for candidate in verdicts.admitted)
    if dispatch.budget_micros is None or not cost:
        return []
    row = Dispatch.objects.filter(pk=dispatch.id, workspace_id=dispatch.workspace_id)
    if row.filter(committed_micros__lte=F("budget_micros") - cost).update(committed_micros=F("committed_micros") + cost):
        return []
    held = row.select_for_update(no_key=True).values_list("budget_micros", "committed_micros").get()
    left, spent = (held[0] or 0) - held[1], 0
    fitting, unpaid = list[Candidate](), list[Candidate]()
    for candidate in sorted(verdicts.admitted, key=lambda candidate: candidate.n):
        if unpaid or spent + candidate.cost > left:
            unpaid.append(candidate)
        else:
            spent += candidate.cost
            fitting.append(candidate)
    verdicts.admitted = fitting
    row.update(committed_micros=F("committed_micros") + spent)
    return unpaid


def stop_spending(work: Work, *, now: datetime) -> None:
    """Halt the dispatch whose budget doesn't pay for its next message."""
    row = Dispatch.objects.only("budget_micros", "committed_micros", "currency").get(pk=work.dispatch.id, workspace_id=work.workspace_id)
    spent, budget = written(row.committed_micros, row.currency), written(row.budget_micros or 0, row.currency)
    reason = f"{spent} of its budget of {budget} is spent, and {TOO_LITTLE}"
    halt(work.workspace_id, work.dispatch.id, reason, by=SYSTEM, now=now)


def out_of_money(reason: str) -> bool:
    """Whether this is why its budget halted a dispatch, and nobody has raised it since."""
    return reason.endswith(TOO_LITTLE)


def give_back(dispatch: DispatchFacts, micros: int) -> None:
    """What was reserved for messages that surely were not sent."""
    if dispatch.budget_micros is not None and micros:
        Dispatch.objects.filter(pk=dispatch.id, workspace_id=dispatch.workspace_id).update(
            committed_micros=Greatest(F("committed_micros") - micros, 0)
        )
