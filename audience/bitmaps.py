"""Sets of profile ids: kept compressed, drawn from fairly."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap64


def pack(ids: BitMap64) -> bytes:
    """The set as it is stored: Roaring's portable form, zlib level 1."""
    return zlib.compress(ids.serialize(), 1)


def unpack(stored: bytes | memoryview) -> BitMap64:
    """The set that `pack` stored."""
    return BitMap64.deserialize(zlib.decompress(bytes(stored)))


def draw(ids: BitMap64, many: int, salt: int) -> list[int]:
    """`many` ids as if by chance, the same for the same set and salt; one that leaves the set moves no other. O(n)."""
    members = np.fromiter(ids, np.uint64, len(ids))
    return [int(one) for one in members[np.argsort(_mixed(members, salt), kind="stable")[:many]]]


def _mixed(ids: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """A 64-bit mix (splitmix64's finish): neighbours end far apart."""
    mixed = ids + np.uint64(salt & 0xFFFF_FFFF_FFFF_FFFF)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
