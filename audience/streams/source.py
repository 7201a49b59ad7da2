"""What a stream of people or events must be able to do for its consumer. Another kind of broker is one module with these few functions.

Laws that a source keeps:
- what `read` answered is kept for this group until `done`, however its reader ends;
- entries of one source are told in the order of their ids: those of readers that ended first, then what nobody was given yet;
- `done` of what was done already, or isn't there any more, is no mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Holds = Literal["profiles", "events"]
HOLDS: tuple[Holds, ...] = ("profiles", "events")  # in the order in which they are taken: people before what they did


class SourceAway(Exception):
    """The broker can't be reached, or refuses. Its words name its host, and neither user nor password."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. id: unique in its stream; at: when the broker took it; body: JSON, as the API has it for one person or one event.

    recorder: what recorded the consents in it (for profiles; `source` of the API). body None: the entry has none.
    """

    id: str
    at: datetime
    body: bytes | None
    recorder: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """unread: given to nobody yet; unfinished: given to somebody and not done; oldest: when the broker took the first of all these."""

    unread: int
    unfinished: int
    oldest: datetime | None

    @property
    def waiting(self) -> int:
        """All that isn't done."""
        return self.unread + self.unfinished


class Source(Protocol):
    """One stream as one group reads it. Every function may raise SourceAway."""

    name: str
    holds: Holds

    def read(self, limit: int) -> list[Entry]:
        """The next entries that nobody was given yet; doesn't wait for any."""

    def left_behind(self, limit: int, *, idle: float) -> list[Entry]:
        """The first entries that some reader was given at least `idle` seconds ago and that aren't done; from now on they are ours."""

    def done(self, entries: Sequence[Entry]) -> None:
        """These are recorded, for good."""

    def anything(self) -> bool:
        """Whether there may be something to do: a cheap look."""

    def backlog(self) -> Backlog:
        """What isn't done."""

    def tidy(self, *, before: datetime) -> int:
        """Let the broker forget what every group has done and what came before that; how many entries."""

    def close(self) -> None:
        """Give back the connection; what was read and isn't done is left behind for others."""
