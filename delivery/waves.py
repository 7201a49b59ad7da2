"""In which wave of a ramp a person travels: by keyed stable hash, so that a canary is a fair sample of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap64

_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64's finaliser


def waves_of(ids: BitMap64, shares: Sequence[float], salt: str) -> list[BitMap64]:
    """The people of each wave, disjoint, together all of `ids`; the same for the same (ids, shares, salt) everywhere.

    shares: cumulative, ascending, the last one counts as 1 whatever it says; none: one wave. A wave may be empty.
    """
    if len(shares) < 2 or not ids:
        return [ids]
    people = as_array(ids)
    edges = np.asarray(shares[:-1], dtype=np.float64)
    wave = np.searchsorted(edges, _places(people, salt), side="right")
    return [BitMap64(people[wave == number]) for number in range(len(shares))]


def as_array(ids: BitMap64) -> NDArray[np.uint64]:
    """The ids in ascending order."""
    return np.frombuffer(ids.to_array(), dtype=np.uint64)


def _places(ids: NDArray[np.uint64], salt: str) -> NDArray[np.float64]:
    """Each id's place in [0, 1)."""
    seed = np.frombuffer(blake2b(salt.encode(), digest_size=16, person=b"omni.waves").digest(), dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = ids * np.uint64(0x9E3779B97F4A7C15) + seed[0]
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27)) ^ seed[1]) * _MIX_2
        mixed ^= mixed >> np.uint64(31)
    places: NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)
    return places
