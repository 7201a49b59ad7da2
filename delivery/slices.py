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


def ids_of_batch(key: tuple[int, int], first_n: int, start: int, stop: int, ranks: bytes | memoryview | None) -> list[Entry]:
    """The entries of a rank range of one slice, in order; where `ranks` is given, of those ranks. key: the slice's id and digest."""
    people = bitmap(key)[start:stop]
    if ranks is None:
        return [Entry(n, profile_id) for n, profile_id in enumerate(people, first_n + start)]
    listed = list(people)
    return [Entry(first_n + rank, listed[rank - start]) for rank in BitMap64.deserialize(bytes(ranks))]


def bitmap(key: tuple[int, int]) -> BitMap64:
    """The people of the slice with this id and digest. Not to be changed by the caller."""
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    ids = BitMap64.deserialize(bytes(Slice.objects.values_list("ids", flat=True).get(pk=key[0], digest=key[1])))
    with _lock:
        _kept[key] = ids
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return ids
