"""What a process remembers of content sources: answers for their time, who is being asked right now, and who is left alone.

Bounded in number and bytes; the oldest go first. None of it outlives the process, so nothing of it needs forgetting when a person
is forgotten beyond the longest time that a source may name.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Waited
from dataclasses import dataclass
from typing import Any

from presentation.services.answers import Told, Unanswered

MOST_ANSWERS, MOST_BYTES = 20_000, 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """What an answer told. until: by time.monotonic; size: bytes, about."""

    told: Told
    until: float
    size: int


class Answers:
    """Answers by question, for their time."""

    def __init__(self, most: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes, self._bytes = most, most_bytes, 0
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, *, at: float) -> Kept | None:
        """What is known and not too old."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found.until <= at:
                self._drop(key)
                return None
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, kept: Kept) -> None:
        """Remember; what was used longest ago makes room."""
        with self._lock:
            self._drop(key)
            self._kept[key] = kept
            self._bytes += kept.size
            while self._kept and (len(self._kept) > self._most or self._bytes > self._most_bytes):
                self._drop(next(iter(self._kept)))

    def cache_clear(self) -> None:
        """Forget everything, as whatever else a process remembers can be made to."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, key: Hashable) -> None:
        gone = self._kept.pop(key, None)
        self._bytes -= gone.size if gone is not None else 0


class Flights:
    """Whoever asks what is being asked already waits for that answer."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def share(self, key: Hashable, ask: Callable[[], Any], *, seconds: float) -> Any:
        """The answer, whoever fetched it. seconds: how long to wait for another. Raises what `ask` raises, and Unanswered."""
        with self._lock:
            flight = self._under_way.get(key)
            first = flight is None
            if flight is None:
                flight = self._under_way[key] = Future()
        if not first:
            try:
                return flight.result(timeout=max(0.0, seconds))
            except Waited:
                raise Unanswered("no answer in time", rests=False) from None
        try:
            answer = ask()
        except BaseException as error:
            flight.set_exception(error if isinstance(error, Unanswered) else Unanswered("a fault of ours", rests=False))
            raise
        else:
            flight.set_result(answer)
            return answer
        finally:
            with self._lock:
                del self._under_way[key]


class Breaker:
    """A source that fails again and again is left alone for a while; then one question tries it, and its answer decides."""

    def __init__(self, failures: int, rest: float) -> None:
        self._failures, self._rest = failures, rest
        self._in_a_row, self._closed_until, self._trying = 0, 0.0, False
        self._lock = threading.Lock()

    def lets_through(self, *, at: float) -> bool:
        """Whether to ask now. Whoever is let through says how it went, by `note`."""
        with self._lock:
            if self._in_a_row < self._failures:
                return True
            if at < self._closed_until or self._trying:
                return False
            self._trying = True
            return True

    def note(self, good: bool, *, at: float) -> None:
        """How a question went."""
        with self._lock:
            self._in_a_row = 0 if good else self._in_a_row + 1
            if self._in_a_row >= self._failures:
                self._closed_until = at + self._rest
            self._trying = False
