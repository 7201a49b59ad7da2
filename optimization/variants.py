"""Who gets which variant: by weight and stable hash, so a retry or a replay never changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimization.splitting import as_ids, split


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant of an experiment. weight: relative, > 0."""

    key: str
    weight: float


def choose(salt: str, arms: Sequence[Arm], ids: Sequence[int]) -> list[int]:
    """The place in `arms` of each id's variant, in the order of `ids`. One arm or none: everybody gets the first."""
    if len(arms) < 2 or not ids:
        return [0] * len(ids)
    edges = np.cumsum([arm.weight for arm in arms], dtype=np.float64)
    places = split("variants", salt, as_ids(ids)) * edges[-1]
    return [int(place) for place in np.minimum(np.searchsorted(edges, places, side="right"), len(arms) - 1)]
