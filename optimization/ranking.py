"""Which of several eligible campaigns wins one person's attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A campaign that an event could trigger. priority: 0..100, higher first."""

    key: str
    priority: int


def rank(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first: by priority, then by key, so that the order never depends on when rows were read."""
    return sorted(candidates, key=lambda candidate: (-candidate.priority, candidate.key))
