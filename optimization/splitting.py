"""A keyed, stable, vectorised hash: the same person falls on the same side on every machine, on every replay."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64's finaliser


def split(key: str, salt: str, ids: Ids) -> NDArray[np.float64]:
    """Place each id uniformly in [0, 1), independently for every (key, salt). O(n), no table read.

    key: what is being split ("holdout", "variants"); salt: of which campaign.
    """
    seed = np.frombuffer(blake2b(f"{key}\x00{salt}".encode(), digest_size=16).digest(), dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + seed[0]
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27)) ^ seed[1]) * _MIX_2
        mixed ^= mixed >> np.uint64(31)
    places: NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)
    return places


def as_ids(ids: Any) -> Ids:
    """Ids as an array, from a bitmap, a list or an array."""
    return np.fromiter(ids, dtype=np.uint64, count=len(ids))
