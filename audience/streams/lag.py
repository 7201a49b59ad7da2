"""How far the consumers of streams are behind, for whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings

from audience.streams.consuming import sources
from audience.streams.source import Backlog, Holds, Source, SourceAway
from governance.door import Workspace

PATIENCE = 1.0  # seconds that a page waits for the broker
READER = "watching"  # it reads nothing


@dataclass(frozen=True, slots=True)
class StreamState:
    """unread: given to no consumer yet; unfinished: given to one and not recorded; age: seconds the oldest of them has waited.

    trouble: what is wrong, "" where all is well; away: whether that is that nothing can be known.
    """

    name: str
    holds: Holds
    unread: int = 0
    unfinished: int = 0
    age: float = 0.0
    trouble: str = ""
    away: bool = False

    @property
    def waiting(self) -> int:
        """All that isn't recorded."""
        return self.unread + self.unfinished


def stream_states(workspace_key: str, *, now: datetime) -> list[StreamState]:
    """Each stream of a workspace; none without OMNI_STREAM_URL. Asks the broker, for a second at most until it answers."""
    found = list[StreamState]()
    try:
        streams = _watched(settings.OMNI, workspace_key)
    except SourceAway as away:
        return [StreamState("", "events", trouble=str(away), away=True)]
    for source in streams:
        try:
            if found and found[-1].away:  # it isn't waited for twice
                raise SourceAway
            found.append(_state(source.name, source.holds, source.backlog(), now))
        except SourceAway:
            found.append(StreamState(source.name, source.holds, trouble="the broker doesn’t answer", away=True))
    return found


@lru_cache(maxsize=64)
def _watched(omni: Any, workspace_key: str) -> tuple[Source, ...]:
    """One connection for all looks. omni: the settings by which they were found."""
    return tuple(sources(workspace_key, reader=READER, patience=PATIENCE))


def _state(name: str, holds: Holds, backlog: Backlog, now: datetime) -> StreamState:
    age = max(0.0, (now - backlog.oldest).total_seconds()) if backlog.oldest else 0.0
    late = age > settings.OMNI.stream_max_lag
    trouble = f"the oldest entry has waited {age:,.0f} s: does consume_stream run?" if late else ""
    return StreamState(name, holds, backlog.unread, backlog.unfinished, age, trouble)


def longest_waits(*, now: datetime) -> list[tuple[str, StreamState]]:
    """(workspace, stream) of all workspaces, for metrics."""
    if not settings.OMNI.stream_url:
        return []
    found = list[tuple[str, StreamState]]()
    for key in Workspace.objects.order_by("pk").values_list("key", flat=True):
        found += [(key, state) for state in stream_states(key, now=now)]
        if found and found[-1][1].away:
            break
    return found
