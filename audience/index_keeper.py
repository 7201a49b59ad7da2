"""The worker's part in keeping the index: some rounds at every look, and patience with a server that is away."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog

from audience.backends.base import EngineUnavailable
from audience.index_feed import AT_ONCE, feed_configured

log = structlog.get_logger(__name__)
ROUNDS = 20  # bulk requests at one look: sending waits no longer than these take
REST = 30.0  # seconds for which a server that failed is left alone; the changes wait in the feed


@dataclass(slots=True)
class IndexKeeper:
    """Feeds the configured index, or empties the feed where none is configured. One per worker."""

    _resting_until: float = float("-inf")

    def keep(self) -> int:
        """Tell the index what waits; answers how many changes. Never raises for a server that is away."""
        if time.monotonic() < self._resting_until:
            return 0
        told = 0
        try:
            for _ in range(ROUNDS):
                done = feed_configured()
                told += done
                if done < AT_ONCE:
                    break
        except EngineUnavailable as unavailable:
            self._resting_until = time.monotonic() + REST
            log.warning("audience.index_away", reason=str(unavailable), told=told)
        return told
