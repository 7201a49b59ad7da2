"""Money is reserved in the transaction that admits, and given back where a request surely was not accepted."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Greatest

from delivery.eligibility import Verdicts
from delivery.models import Dispatch
from delivery.states import Reason
from delivery.work import DispatchFacts


def reserve(dispatch: DispatchFacts, verdicts: Verdicts) -> None:
    """Take the admitted messages' cost from the dispatch's budget; those that no longer fit are skipped(budget), the first
    ones by number go. The row is held until the caller's transaction ends, so no two workers spend the same money."""
    cost = sum(candidate.cost for candidate in verdicts.admitted)
    if dispatch.budget_micros is None or not cost:
        return
    row = Dispatch.objects.filter(pk=dispatch.id, workspace_id=dispatch.workspace_id)
    if row.filter(committed_micros__lte=F("budget_micros") - cost).update(committed_micros=F("committed_micros") + cost):
        return
    held = row.select_for_update(no_key=True).values_list("budget_micros", "committed_micros").get()
    left, spent, fitting = (held[0] or 0) - held[1], 0, set[int]()
    for candidate in sorted(verdicts.admitted, key=lambda candidate: candidate.n):
        if spent + candidate.cost > left:
            break
        spent += candidate.cost
        fitting.add(candidate.n)
    verdicts.keep(Reason.BUDGET, lambda candidate: candidate.n in fitting)
    row.update(committed_micros=F("committed_micros") + spent)


def give_back(dispatch: DispatchFacts, micros: int) -> None:
    """What was reserved for messages that surely were not sent."""
    if dispatch.budget_micros is not None and micros:
        Dispatch.objects.filter(pk=dispatch.id, workspace_id=dispatch.workspace_id).update(
            committed_micros=Greatest(F("committed_micros") - micros, 0)
        )
