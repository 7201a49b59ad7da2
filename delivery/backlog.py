"""What waits and what is unanswered, over all workspaces: for whoever watches the installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, Q, Sum

from delivery.leases import waiting
from delivery.models import Attempt
from delivery.states import AttemptState, Lane


@dataclass(frozen=True, slots=True)
class Backlog:
    """late: seconds since the oldest due work of each lane was due, 0.0 where none waits; in_doubt and in_flight: messages by vendor."""

    late: dict[str, float]
    in_doubt: dict[str, int]
    in_flight: dict[str, int]


def backlog(now: datetime) -> Backlog:
    """How far sending is behind at this moment. Paused dispatches aren't late; work that a worker holds isn't either."""
    overdue = Q(state=AttemptState.POSTING, deadline__lte=now)
    return Backlog(
        late={lane.label: _late(lane, now) for lane in Lane},
        in_doubt=_messages(Q(state=AttemptState.IN_DOUBT) | overdue),
        in_flight=_messages(Q(state=AttemptState.POSTING) & ~overdue),
    )


def _late(lane: Lane, now: datetime) -> float:
    oldest = [rows.filter(lane=lane).aggregate(at=Min("due_at"))["at"] for rows in waiting(now)]
    return max([(now - at).total_seconds() for at in oldest if at is not None], default=0.0)


def _messages(which: Q) -> dict[str, int]:
    unresolved = Attempt.objects.filter(which, state__lt=AttemptState.SENT)
    return {row["vendor"]: row["messages"] for row in unresolved.values("vendor").annotate(messages=Sum("count")).order_by("vendor")}
