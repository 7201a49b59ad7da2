"""Whose number is n: a slice's bitmap, read by rank. Workers keep the bitmaps they use in memory, by their digest."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from pyroaring import BitMap64

from delivery.models import Slice
from delivery.work import Entry

KEPT = 8  # bitmaps per process; one of 10 million people takes about 12 MB
_kept: OrderedDict[tuple[int, int], BitMap64] = OrderedDict()
_lock = Lock()


def ids_of_batch(slice_id: int, start: int, stop: int, ranks: bytes | memoryview | None) -> list[Entry]:
    """The entries of a rank range of one slice, in order; where `ranks` is given, of those ranks."""
    first_n, ids = bitmap(slice_id)
    people = ids[start:stop]
    if ranks is None:
        return [Entry(n, profile_id) for n, profile_id in enumerate(people, first_n + start)]
    listed = list(people)
    return [Entry(first_n + rank, listed[rank - start]) for rank in BitMap64.deserialize(bytes(ranks))]


def bitmap(slice_id: int) -> tuple[int, BitMap64]:
    """The first number and the people of a slice. Not to be changed by the caller."""
    first_n, digest = Slice.objects.values_list("first_n", "digest").get(pk=slice_id)
    with _lock:
        if (slice_id, digest) in _kept:
            _kept.move_to_end((slice_id, digest))
            return first_n, _kept[slice_id, digest]
    ids = BitMap64.deserialize(bytes(Slice.objects.values_list("ids", flat=True).get(pk=slice_id)))
    with _lock:
        _kept[slice_id, digest] = ids
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return first_n, ids
