"""A second pair of hands for the ledger: what a window's answers say is written down while the next window has its last look.

Both wait for PostgreSQL most of the time, each on a connection of its own, so neither keeps the other waiting. It takes one thing at a
time and nothing is left to it unasked: whoever gave it something collects it before it gives the next, and before its work ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, connections

Made = TypeVar("Made")


class Scribe:
    """One thread, started by its first use, and anew in a process that was forked since."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._pid = 0

    @staticmethod
    def can_write() -> bool:
        """Not on SQLite, where one writes at a time, nor inside a transaction of the caller's, which no other connection sees."""
        return connection.vendor == "postgresql" and not connection.in_atomic_block

    def write(self, what: Callable[[], Made]) -> Future[Made] | None:
        """Begin it there; None where the machine has no thread left for it: then nothing of it was begun."""
        if self._thread is None or self._pid != os.getpid():
            self._thread, self._pid = ThreadPoolExecutor(1, "scribe"), os.getpid()
        try:
            return self._thread.submit(what)
        except (RuntimeError, MemoryError):
            self._thread = None
            return None

    def close(self) -> None:
        """Let go of the thread and its connection."""
        if self._thread is not None and self._pid == os.getpid():
            self._thread.submit(connections.close_all)
            self._thread.shutdown()
        self._thread = None
