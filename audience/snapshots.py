"""A segment's people at one moment, kept: on demand, and once a day for how it grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import structlog
from django.db.models import QuerySet
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
DAILY = timedelta(hours=26)  # so old is a daily snapshot at most, while the worker keeps up
LOOKS_AGAIN = timedelta(hours=1)  # for segments that were released meanwhile


@dataclass(frozen=True, slots=True)
class Change:
    """One set of people, then another. before, after: how many are in each; entered: only in the later; left: only in the earlier."""

    before: int
    after: int
    entered: BitMap64
    left: BitMap64

    @property
    def stayed(self) -> int:
        """How many are in both."""
        return self.before - len(self.left)


def change(before: BitMap64, after: BitMap64) -> Change:
    """What lies between two sets."""
    return Change(len(before), len(after), after - before, before - after)


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


def between(before: Snapshot, after: Snapshot) -> Change:
    """Who entered and who left from one snapshot to another. Raises Missing where only the count of one of them is still kept, and
    where they are not of one workspace."""
    if before.workspace_id != after.workspace_id:
        raise governance.Missing("a snapshot of another workspace")
    return change(snapshot_ids(before), snapshot_ids(after))


def growth(workspace_id: int, segment_key: str, *, days: int = 30) -> Growth:
    """How many people the segment had on each of the last days."""
    rows = _of_days(workspace_id, segment_key)
    counts = [(day, count) for day, count in rows.values_list("day", "count")[:days] if day is not None][::-1]
    last_two = [row for row in rows[:2] if row.bitmap]
    if len(last_two) < 2:
        return Growth(counts)
    moved = between(last_two[1], last_two[0])
    return Growth(counts, len(moved.entered), len(moved.left))


def days_kept(workspace_id: int, segment_key: str) -> list[date]:
    """The days of which it is still known who was in the segment, the latest first."""
    days = _of_days(workspace_id, segment_key).exclude(bitmap=b"").values_list("day", flat=True)
    return [day for day in days if day is not None]


def snapshot_of(workspace_id: int, segment_key: str, day: date) -> Snapshot:
    """The segment's snapshot of a day (UTC). Raises Missing."""
    row = _of_days(workspace_id, segment_key).filter(day=day).first()
    if row is None:
        raise governance.Missing(f"no snapshot of {day.isoformat()}")
    return row


def kept_today(workspace_id: int, released: Sequence[RevisionView], *, as_of: datetime) -> dict[str, Snapshot]:
    """The latest snapshot of each of these segments: of the rule in force, with its people, and not older than DAILY."""
    fresh = Snapshot.objects.filter(
        workspace_id=workspace_id, segment_key__in=[each.key for each in released], as_of__gt=as_of - DAILY, as_of__lte=as_of
    )
    in_force = {each.key: each.sha256 for each in released}
    latest: dict[str, Snapshot] = {}
    for row in fresh.exclude(bitmap=b"").defer("bitmap").order_by("as_of"):
        if row.revision_sha == in_force[row.segment_key]:
            latest[row.segment_key] = row
    return latest


def _of_days(workspace_id: int, segment_key: str) -> QuerySet[Snapshot]:
    """A segment's daily snapshots, the latest first."""
    return Snapshot.objects.filter(workspace_id=workspace_id, segment_key=segment_key, day__isnull=False).order_by("-day")


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
