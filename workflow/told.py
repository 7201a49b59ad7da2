"""Hearing SIGTERM and SIGINT without a handler that runs in the middle of something: a thread reads them from a pipe.

A handler interrupts the main thread wherever it is, a lock in hand or not; what it calls may want that lock. And a signal may
reach any thread, those of libraries too, so waiting for it with its delivery blocked is no way either.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TO_END = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def calling_when_told(act: Callable[[], None]) -> Iterator[None]:
    """Within, `act` is called once this process is told to end, in a thread of its own. Nothing is heard outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, written = os.pipe()
    os.set_blocking(written, False)

    def listen() -> None:
        if os.read(heard, 1):
            act()

    listener = threading.Thread(target=listen, name="told", daemon=True)
    listener.start()
    before = {number: signal.signal(number, lambda number, frame: None) for number in TO_END}
    written_before = signal.set_wakeup_fd(written)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TO_END)  # a process just forked was spared them until it could hear
    try:
        yield
    finally:
        signal.set_wakeup_fd(written_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(written)
        listener.join()
        os.close(heard)
