"""The next chunk is made while the database writes this one."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")
SWITCH = 0.0005  # seconds: whoever hears from the database waits that long for the interpreter, a dozen times a chunk
GARBAGE = (100_000, 20, 100)  # rows hold each other in no circle: looking for such after every 700 objects took a fifth of the time
_LOOK_UP = 0.2  # seconds after which a waiting thread looks whether anybody wants more


def ahead(source: Iterator[T], *, depth: int = 1) -> Generator[T, None, None]:
    """The same, made by a thread of its own that is at most `depth` things ahead; what it raises is raised here.

    Close the generator (or exhaust it) before anything that `source` reads is closed: the thread has ended then.
    """
    made: Queue[tuple[T | None, BaseException | None, bool]] = Queue(depth)
    unwanted = threading.Event()

    def put(item: tuple[T | None, BaseException | None, bool]) -> None:
        while not unwanted.is_set():
            try:
                return made.put(item, timeout=_LOOK_UP)
            except Full:
                continue

    def work() -> None:
        try:
            for one in source:
                put((one, None, False))
                if unwanted.is_set():
                    return
            put((None, None, True))
        except BaseException as error:  # whatever it is, it belongs to whoever asked
            put((None, error, True))

    thread = threading.Thread(target=work, name="import-ahead", daemon=True)
    thread.start()
    try:
        while True:
            one, error, last = made.get()
            if error is not None:
                raise error
            if last:
                return
            yield one  # type: ignore[misc]  # None only at the end
    finally:
        unwanted.set()
        try:
            made.get_nowait()
        except Empty:
            pass
        thread.join()


@contextmanager
def in_bulk() -> Iterator[None]:
    """The interpreter's habits for a thread that makes very many small objects beside one that waits for the database."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH)
    gc.set_threshold(*GARBAGE)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
