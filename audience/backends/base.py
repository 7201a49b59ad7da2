"""What the planner knows of an engine: what it answers exactly, how much at once, and two questions."""

from __future__ import annotations

from typing import Protocol

from pyroaring import BitMap64

from audience.rules.bound import Bound, Leaf


class EngineUnavailable(Exception):
    """The engine can't answer now, or only in part: its answer must not be used. The words go into the resolution's note."""


class Engine(Protocol):
    """An engine answers any tree of conditions that it can answer one by one, within its bounds, in one query."""

    @property
    def name(self) -> str:
        """As the capability table and resolutions call it."""
        ...

    @property
    def max_conditions(self) -> int:
        """How many conditions one query may hold."""
        ...

    @property
    def max_depth(self) -> int:
        """How many groups inside each other one query may hold."""
        ...

    def answers(self, leaf: Leaf) -> bool:
        """Whether the engine answers this condition exactly (see capabilities.py)."""
        ...

    def ids(self, workspace_id: int, node: Bound, *, within: BitMap64 | None = None) -> BitMap64:
        """The profiles that match; with `within`, only those of these ids. Raises EngineUnavailable."""
        ...

    def count(self, workspace_id: int, node: Bound) -> int:
        """How many match. Raises EngineUnavailable."""
        ...
