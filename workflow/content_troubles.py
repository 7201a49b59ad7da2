"""What was amiss with content while messages were made: counted by source and reason, for whoever looks at the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from workflow.models import ContentTrouble

MOST = 50  # reasons of one dispatch that are counted apart
OTHERS = "other reasons"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a source's content was amiss, for how many people, and for how many of them fallbacks stood in."""

    source: str
    why: str
    times: int
    stood_in: int

    @property
    def left_without(self) -> int:
        """People for whom nothing of the source stood in."""
        return self.times - self.stood_in


def count(workspace_id: int, dispatch_id: int, found: Mapping[tuple[str, str], tuple[int, int]], *, now: datetime) -> None:
    """Add to what was counted before. found: by source and reason, for how many people, and for how many of them fallbacks stood in.

    People who are asked about again, because their batch was taken again or they were postponed, count again.
    """
    rows = ContentTrouble.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id)
    known = set(rows.values_list("source", "why")) if found else set()
    for (source, why), (times, stood_in) in sorted(found.items()):
        if (source, why) not in known and len(known) >= MOST:
            why = OTHERS
        known.add((source, why))
        _add(workspace_id, dispatch_id, source, why[:250], times, stood_in, now)


def _add(workspace_id: int, dispatch_id: int, source: str, why: str, times: int, stood_in: int, now: datetime) -> None:
    row = ContentTrouble.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id, source=source, why=why)
    more = {"times": F("times") + times, "stood_in": F("stood_in") + stood_in, "last_at": now}
    if row.update(**more):
        return
    try:
        with transaction.atomic():
            row.create(
                workspace_id=workspace_id, dispatch_id=dispatch_id, source=source, why=why, times=times, stood_in=stood_in, last_at=now
            )
    except IntegrityError:  # another worker met it first
        row.update(**more)


def troubles(workspace_id: int, dispatch_id: int) -> Sequence[Trouble]:
    """What was counted, the most frequent first."""
    rows = ContentTrouble.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id).order_by("-times", "source", "why")
    return [Trouble(row.source, row.why, row.times, row.stood_in) for row in rows[: 2 * MOST]]
