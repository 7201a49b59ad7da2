"""After something was halted: wait until nothing of it can begin any more, and say what is still with a vendor.

Whoever throws a switch is answered after this, so that "it is off" is true when it is said.
"""

from __future__ import annotations

import time

from django.db.models import Q, Sum

from delivery.models import Attempt, Dispatch
from delivery.permits import HOLDS
from delivery.states import AttemptState

LOOKS = 0.02  # seconds between two looks


def standstill(workspace_id: int, *, dispatch_id: int | None = None, scope: str = "workspace", key: str = "") -> int:
    """How many messages have left for a vendor that hasn't answered. To be called once the halt is committed: it returns when there are
    none, at the latest when no permit from before the halt holds any more (a second).

    dispatch_id: only of this one; else of what a kill switch of that scope and key stops.
    """
    until = time.monotonic() + HOLDS
    concerned = Q(dispatch_id=dispatch_id) if dispatch_id is not None else _behind(workspace_id, scope, key)
    on_the_way = Attempt.objects.filter(concerned, workspace_id=workspace_id, state=AttemptState.POSTING)
    while (many := on_the_way.aggregate(many=Sum("count"))["many"] or 0) and time.monotonic() < until:
        time.sleep(LOOKS)
    return int(many)


def _behind(workspace_id: int, scope: str, key: str) -> Q:
    if scope == "vendor":
        return Q(vendor=key)
    if scope == "campaign":
        return Q(dispatch_id__in=list(Dispatch.objects.filter(workspace_id=workspace_id, key=key).values_list("pk", flat=True)))
    return Q()


def left_before(many: int) -> str:
    """What `standstill` found, as a sentence to be added to another; "" for nothing."""
    return f" {many:,} {'message' if many == 1 else 'messages'} had left before." if many else ""
