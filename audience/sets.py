"""Sets of people and what they have in common: segments, drafts and kept snapshots, by their bitmaps.

A segment is resolved once however often it is named, and every set of one call is as of one moment; a snapshot is as it was kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap64

from audience import profiles
from audience.bitmaps import draw
from audience.documents import SEGMENT, SegmentBody
from audience.models import Snapshot
from audience.resolve import Drafts, Segment, resolve
from audience.snapshots import Change, change, kept_today, snapshot_ids
from governance import door as governance
from governance.door import DoorError, Finding, Invalid, Missing, RevisionView

Part = Segment | Snapshot | BitMap64  # a segment's key (its released revision) or body, who was in one, or ids at hand
MOST = 50  # sets of one call
ASKED = 12  # segments without a snapshot of today that `beside` resolves; the others wait for theirs


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far some sets are the same people. counts[a][b]: how many are in both; counts[a][a]: how many are in a."""

    counts: tuple[tuple[int, ...], ...]

    def share(self, of: int, also: int) -> float:
        """Which part of the one set is in the other, too: 0.0 to 1.0; 0.0 of an empty one."""
        return self.counts[of][also] / self.counts[of][of] if self.counts[of][of] else 0.0


@dataclass(frozen=True, slots=True)
class Beside:
    """Another segment, and what a set shares with it. count: how many are in it; as_of: when it was counted; both None while it
    can't be asked, and `why` says why."""

    released: RevisionView
    count: int | None = None
    both: int = 0
    as_of: datetime | None = None
    why: str = ""


def union(workspace_id: int, parts: Sequence[Part], *, as_of: datetime, drafts: bool = False) -> BitMap64:
    """Who is in at least one of the sets. Raises Missing and Invalid, like all of these."""
    return BitMap64.union(BitMap64(), *sets_of(workspace_id, parts, as_of=as_of, drafts=drafts))


def intersection(workspace_id: int, parts: Sequence[Part], *, as_of: datetime, drafts: bool = False) -> BitMap64:
    """Who is in every one of the sets, of which there must be one at least."""
    if not parts:
        raise Invalid([Finding("error", "", "no set", "one set or more: what is in all of none is not said")])
    first, *others = sets_of(workspace_id, parts, as_of=as_of, drafts=drafts)
    return BitMap64.intersection(first, *others) if others else first


def difference(workspace_id: int, first: Part, others: Sequence[Part], *, as_of: datetime, drafts: bool = False) -> BitMap64:
    """Who is in the first set and in none of the others."""
    whole, *without = sets_of(workspace_id, [first, *others], as_of=as_of, drafts=drafts)
    return BitMap64.difference(whole, *without) if without else whole


def overlap(workspace_id: int, parts: Sequence[Part], *, as_of: datetime, drafts: bool = False) -> Overlap:
    """How many people every two of the sets share."""
    found = sets_of(workspace_id, parts, as_of=as_of, drafts=drafts)
    rows = [[0] * len(found) for _ in found]
    for a, one in enumerate(found):
        for b, other in enumerate(found[: a + 1]):
            rows[a][b] = rows[b][a] = one.intersection_cardinality(other)
    return Overlap(tuple(map(tuple, rows)))


def sets_of(workspace_id: int, parts: Sequence[Part], *, as_of: datetime, drafts: bool = False) -> list[BitMap64]:
    """Each part's people, in the order of the parts. drafts: as `resolve` reads it."""
    if len(parts) > MOST:
        raise Invalid([Finding("error", "", f"{len(parts)} sets", f"at most {MOST} at once")])
    known: dict[str, BitMap64] = {}
    found = []
    for part in parts:
        if isinstance(part, BitMap64):
            found.append(part)
        elif isinstance(part, Snapshot):
            if part.workspace_id != workspace_id:
                raise Missing("a snapshot of another workspace")
            found.append(snapshot_ids(part))
        elif isinstance(part, str):
            if part not in known:
                known[part] = resolve(workspace_id, part, as_of=as_of, drafts=drafts).ids
            found.append(known[part])
        else:
            found.append(resolve(workspace_id, part, as_of=as_of, drafts=drafts).ids)
    return found


def if_released(
    workspace_id: int, segment_key: str, *, as_of: datetime, draft: SegmentBody | None = None, drafts: Drafts = True
) -> Change | None:
    """Who would enter and who would leave if the draft, with the drafts that it uses, were released; None where nothing is released
    yet, so that everybody would be new. draft: one that isn't saved, or isn't the last, in the place of the last; drafts: as `resolve`
    reads it. Raises Missing and Invalid."""
    view = governance.document(workspace_id, SEGMENT, segment_key)
    if view.released is None:
        return None
    now = resolve(workspace_id, segment_key, as_of=as_of).ids
    return change(now, resolve(workspace_id, draft or view.latest.model, as_of=as_of, drafts=drafts).ids)


def beside(workspace_id: int, mine: BitMap64, *, without: str, as_of: datetime) -> list[Beside]:
    """What these people share with every other released segment, the largest part first.

    A segment that was counted today is taken as it was then, so that a page with many of them stays quick. without: the segment that
    isn't meant.
    """
    others = [each for each in governance.all_released(workspace_id, SEGMENT) if each.key != without]
    kept, asked, found = kept_today(workspace_id, others, as_of=as_of), 0, []
    for each in others:
        try:
            if each.key in kept:
                theirs, when = snapshot_ids(kept[each.key]), kept[each.key].as_of
            elif asked < ASKED:
                asked += 1
                theirs, when = resolve(workspace_id, each.key, as_of=as_of).ids, as_of
            else:
                found.append(Beside(each, why="the worker hasn’t counted it today"))
                continue
        except DoorError as error:
            found.append(Beside(each, why=error.reason))
            continue
        found.append(Beside(each, len(theirs), mine.intersection_cardinality(theirs), when))
    return sorted(found, key=lambda one: (one.count is None, -one.both, one.released.key))


def some_of(workspace_id: int, ids: BitMap64, many: int) -> list[profiles.Person]:
    """Some of these people, drawn as if by chance but the same at every look; without those who are gone since."""
    return profiles.load(workspace_id, draw(ids, many, salt=workspace_id))
