"""Does the index hold what the database would write? Everybody is looked for in both, a sample is compared field by field.

Both go on changing meanwhile. Whoever waits in the feed is not judged, and who differs is looked at again: a change that was on its
way has arrived by then, drift stays. Nothing here tells values, only how many people and which fields.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pyroaring import BitMap64

from audience.backends import mapping
from audience.backends.client import reachable
from audience.backends.database import Database
from audience.backends.elasticsearch import Cluster, Index, whole
from audience.backends.index_documents import Indexed, indexed
from audience.bitmaps import draw
from audience.index_feed import FIRST
from audience.models import Profile, ProfileFeed
from audience.rules.bound import Constant

LOOKS = 3  # at whoever differs
PAUSE = 1.5  # seconds between them: longer than a bulk request under way
AT_ONCE = 1_000
FOREVER = float("inf")


@dataclass(slots=True)
class Drift:
    """What a comparison found.

    people, indexed: how many each side has; missing: in the database only; extra: in the index only, erased or never known here;
    compared: how many were compared field by field, without those who wait; different: who differs; fields: in which fields, and
    how many do; waiting: changes in the feed.
    """

    people: int
    indexed: int
    missing: BitMap64
    extra: BitMap64
    compared: int
    different: BitMap64 = field(default_factory=BitMap64)
    fields: Counter[str] = field(default_factory=Counter)
    waiting: int = 0

    @property
    def everyone(self) -> BitMap64:
        """All people about whom the two sides disagree."""
        return self.missing | self.extra | self.different


def drift(cluster: Cluster, workspace_id: int, *, sample: int | None, seed: int, now: datetime) -> Drift:
    """Compare the index in use with the database. sample: how many people field by field, all where None; the same seed draws the same.

    Raises EngineUnavailable where there is no index that could be asked.
    """
    index = cluster.fresh(workspace_id, as_of=now, max_lag=FOREVER)
    here, there = _both(index, workspace_id)
    chosen = here & there if sample is None else BitMap64(draw(here & there, sample, seed))
    found = Drift(len(here), len(there), here - there, there - here, len(chosen))
    suspects, differing = found.missing | found.extra | chosen, dict[int, set[str]]()
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE)
            _refresh(index)
        differing = _differing(index, workspace_id, suspects)
        waiting = _waiting(workspace_id, differing)
        if not look:
            found.compared -= len(_waiting(workspace_id, chosen))
        suspects = BitMap64(differing) - waiting
        if not suspects:
            break
    found.missing, found.extra = found.missing & suspects, found.extra & suspects
    found.different = suspects - found.missing - found.extra
    found.fields = Counter(name for each in found.different for name in differing[each])
    found.waiting = ProfileFeed.objects.filter(workspace_id=workspace_id).count()
    return found


def repair(workspace_id: int, ids: Iterable[int], *, now: datetime) -> int:
    """Let the feed tell the index of these people once more. Returns the lowest number among the new feed rows."""
    rows = [ProfileFeed(workspace_id=workspace_id, profile_id=each, at=now) for each in ids]
    return min(row.pk for row in ProfileFeed.objects.bulk_create(rows, batch_size=AT_ONCE))


def out_of_reach(cluster: Cluster, workspace_id: int, ids: BitMap64, number: int) -> int:
    """How many of these people the index has under a version that this feed row wouldn't beat: it was fed by a database further on,
    of which this one is an older copy. Only a rebuild helps them."""
    index = Index(cluster.client, cluster.in_use(workspace_id)[0], {})
    return sum(one.version > number + FIRST for one in indexed(index, ids).values())


def _both(index: Index, workspace_id: int) -> tuple[BitMap64, BitMap64]:
    everyone = Constant(True)
    return Database().ids(workspace_id, everyone), index.ids(workspace_id, everyone)


def _refresh(index: Index) -> None:
    with reachable():
        whole(index.client.indices.refresh(index=index.index).body)


def _differing(index: Index, workspace_id: int, ids: BitMap64) -> dict[int, set[str]]:
    """Who is not alike on both sides, and in which fields; in none where one side hasn't got them."""
    found: dict[int, set[str]] = {}
    numbers = list(ids)
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        there = indexed(index, some)
        people = Profile.objects.filter(workspace_id=workspace_id, pk__in=some, gone_at__isnull=True)
        here = people.only("pk", "created_at", "folded", *mapping.FIELDS.values()).in_bulk()
        for each in some:
            differs = _fields(here.get(each), there.get(each), index)
            if differs is not None:
                found[each] = differs
    return found


def _fields(person: Profile | None, one: Indexed | None, index: Index) -> set[str] | None:
    if person is None or one is None:
        return None if person is None and one is None else set()
    expected = mapping.flat(mapping.document(person, index.types))
    return {name for name in expected.keys() | one.values.keys() if expected.get(name) != one.values.get(name)} or None


def _waiting(workspace_id: int, ids: Iterable[int]) -> BitMap64:
    """Those of these people of whom a change waits in the feed."""
    numbers, found = list(ids), BitMap64()
    for start in range(0, len(numbers), AT_ONCE):
        rows = ProfileFeed.objects.filter(workspace_id=workspace_id, profile_id__in=numbers[start : start + AT_ONCE])
        found |= BitMap64(rows.values_list("profile_id", flat=True))
    return found
