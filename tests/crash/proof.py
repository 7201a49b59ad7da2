"""What a proof is, and what it came to."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class NotHere(Exception):
    """This machine can't run the proof; the words say why."""


@dataclass
class Found:
    """What one proof saw. figures: what was counted, in the order it is told; faults: what should not have been."""

    figures: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def must(self, holds: bool, otherwise: str) -> None:
        """One thing that has to be true, and what is to be said where it isn't."""
        if not holds:
            self.faults.append(otherwise)


@dataclass(frozen=True)
class Call:
    """How a proof was asked for. scale: 1, or a share of everybody for a quick look, which proves nothing and is not kept."""

    scale: float = 1.0
    seed: int = 1

    def many(self, number: int) -> int:
        """So many people, or fewer in a quick look."""
        return max(200, int(number * self.scale))

    def chance(self) -> random.Random:
        """What is drawn is drawn again with the same seed."""
        return random.Random(self.seed)


@dataclass(frozen=True)
class Proof:
    """id: of the test plan; wrong: what is broken; holds: what must then be true; by_hand: judged by the tests' stand-in whatever
    OMNI_VENDORLAB says, because its faults or events are made by hand."""

    id: str
    wrong: str
    holds: str
    run: Callable[[Call], Found]
    by_hand: bool = False
