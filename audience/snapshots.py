"""A segment's people at one moment, kept."""

from __future__ import annotations

from datetime import datetime

from pyroaring import BitMap64

from audience.bitmaps import pack, unpack
from audience.documents import SEGMENT
from audience.models import Snapshot
from audience.resolve import resolve
from governance import door as governance


def take_snapshot(workspace_id: int, segment_key: str, *, as_of: datetime) -> Snapshot:
    """Resolve the released segment and keep who is in it. Raises Missing and Invalid."""
    released = governance.released(workspace_id, SEGMENT, segment_key)
    found = resolve(workspace_id, released.model, as_of=as_of)
    return Snapshot.objects.create(
        workspace_id=workspace_id,
        segment_key=segment_key,
        revision_sha=released.sha256,
        as_of=as_of,
        count=found.count,
        bitmap=pack(found.ids),
        engine=found.engine,
        note=found.note[:300],
    )


def snapshot_ids(snapshot: Snapshot) -> BitMap64:
    """Who was in the segment then; some of them may be gone since."""
    return unpack(snapshot.bitmap)
