"""One event loop in a thread of its own: what waits for vendors waits there, and whoever sends waits for the whole window."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

Made = TypeVar("Made")


class LoopThread:
    """Started by its first use, and anew in a process that was forked since: a loop doesn't outlive a fork."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0

    @property
    def is_ours(self) -> bool:
        """Whether it runs, in this process."""
        return self._loop is not None and self._pid == os.getpid()

    def start(self, work: Coroutine[Any, Any, Made]) -> Future[Made]:
        """Have it done there, and go on here. Raises RuntimeError, OSError or MemoryError where the machine has no thread or no file
        handle left for it: then nothing of it was begun."""
        if not self.is_ours:
            self._start()
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """End the loop and its thread."""
        if self.is_ours and self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)
        self._loop = self._thread = None

    def _start(self) -> None:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=_run, args=(loop,), name="vendors", daemon=True)
        try:
            thread.start()
        except BaseException:
            loop.close()
            raise
        self._loop, self._thread, self._pid = loop, thread, os.getpid()  # only now: a loop that nobody runs answers nobody


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
