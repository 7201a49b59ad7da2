"""A segment's people at one moment, kept: on demand, and once a day for how it grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import structlog
from pyroaring import BitMap64

from audience.bitmaps import pack, unpack
from audience.documents import SEGMENT
from audience.models import Snapshot
from audience.resolve import resolve
from governance import door as governance
from governance.door import DoorError, RevisionView, Workspace

log = structlog.get_logger(__name__)
BITMAPS_KEPT = timedelta(days=35)  # who was in; the counts of days stay for KEPT
KEPT = timedelta(days=400)
LOOKS_AGAIN = timedelta(hours=1)  # for segments that were released meanwhile


@dataclass(frozen=True, slots=True)
class Growth:
    """days: a segment's count of each day, oldest first; entered, left: between the last two, None where only one is kept."""

    days: list[tuple[date, int]]
    entered: int | None = None
    left: int | None = None


def take_snapshot(workspace_id: int, segment_key: str, *, as_of: datetime) -> Snapshot:
    """Resolve the released segment and keep who is in it. Raises Missing and Invalid."""
    row = _resolved(governance.released(workspace_id, SEGMENT, segment_key), as_of)
    row.save(force_insert=True)
    return row


def snapshot_ids(snapshot: Snapshot) -> BitMap64:
    """Who was in the segment then; some of them may be gone since. Raises Missing where only the count is still kept."""
    if not snapshot.bitmap:
        raise governance.Missing("who was in a segment so long ago: only how many were is kept")
    return unpack(snapshot.bitmap)


def growth(workspace_id: int, segment_key: str, *, days: int = 30) -> Growth:
    """How many people the segment had on each of the last days."""
    rows = Snapshot.objects.filter(workspace_id=workspace_id, segment_key=segment_key, day__isnull=False).order_by("-day")
    counts = [(day, count) for day, count in rows.values_list("day", "count")[:days] if day is not None][::-1]
    last_two = [snapshot_ids(row) for row in rows[:2] if row.bitmap]
    if len(last_two) < 2:
        return Growth(counts)
    latest, before = last_two
    return Growth(counts, len(latest - before), len(before - latest))


@dataclass(slots=True)
class SnapshotKeeper:
    """The worker's part: every released segment's snapshot of the day, one segment a call, so that sending waits for one at most."""

    _look_at: datetime = datetime.min.replace(tzinfo=UTC)
    _waiting: list[RevisionView] = field(default_factory=list)

    def keep(self, *, now: datetime) -> bool:
        """Take the next snapshot that today still lacks; False where none does. A rule that can't be asked is logged and left out."""
        if not self._waiting and now >= self._look_at:
            self._waiting = _without(now.astimezone(UTC).date())
            self._look_at = now + LOOKS_AGAIN
            _let_go(now)
        if not self._waiting:
            return False
        released = self._waiting.pop()
        try:
            row = _resolved(released, now)
        except DoorError as error:
            log.warning("snapshot.refused", segment=released.key, reason=error.reason)
            return True
        row.day = now.astimezone(UTC).date()
        Snapshot.objects.bulk_create([row], ignore_conflicts=True)  # another worker may have been at it, too
        return True


def _resolved(released: RevisionView, as_of: datetime) -> Snapshot:
    found = resolve(released.workspace_id, released.model, as_of=as_of)
    return Snapshot(
        workspace_id=released.workspace_id,
        segment_key=released.key,
        revision_sha=released.sha256,
        as_of=as_of,
        count=found.count,
        bitmap=pack(found.ids),
        engine=found.engine,
        note=found.note[:300],
    )


def _without(day: date) -> list[RevisionView]:
    """The released segments that have no snapshot of this day."""
    known = set(Snapshot.objects.filter(day=day).values_list("workspace_id", "segment_key"))
    released = [view for home in Workspace.objects.values_list("pk", flat=True) for view in governance.all_released(home, SEGMENT)]
    return [each for each in released if (each.workspace_id, each.key) not in known]


def _let_go(now: datetime) -> None:
    Snapshot.objects.filter(as_of__lt=now - KEPT).delete()
    Snapshot.objects.filter(as_of__lt=now - BITMAPS_KEPT).exclude(bitmap=b"").update(bitmap=b"")
