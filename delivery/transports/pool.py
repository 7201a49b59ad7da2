"""Connections of one account to one origin: at most so many, the warmest first, none idle or alive for long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from delivery.transports.answers import Unreached

IDLE_SECONDS = 4.0  # vendors close idle connections after five or more; a request on a closed one would be in doubt
OLDEST = 180.0  # seconds that a connection lives, so that a vendor that moved is followed


class Connection(Protocol):
    """What a pool keeps."""

    @property
    def is_open(self) -> bool:
        """Whether it can take another request."""

    @property
    def idle_for(self) -> float:
        """Seconds that it may be idle, by what its vendor said."""

    def close(self) -> None:
        """Let go of it."""


Kept = TypeVar("Kept", bound=Connection)


class Pool(Generic[Kept]):
    """`take` one, `give` it back or `drop` it; exactly one of the two for each taken."""

    def __init__(self, most: int, connect: Callable[[float], Awaitable[Kept]]) -> None:
        self._most, self._connect, self._out = most, connect, 0
        self._idle: deque[tuple[float, Kept]] = deque()
        self._born: dict[int, float] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._reaper: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def at_hand(self) -> Kept | None:
        """An idle one that is still open, if there is one."""
        while self._idle and self._out < self._most:
            since, kept = self._idle.pop()
            if kept.is_open and self._loop.time() - since < kept.idle_for:
                self._out += 1
                return kept
            self._bury(kept)
        return None

    async def take(self, until: float) -> Kept:
        """One at hand, else a new one. Raises Unreached where none is to be had in time."""
        while self._out >= self._most:
            await self._turn(until)
        if (kept := self.at_hand()) is not None:
            return kept
        self._out += 1
        try:
            made = await self._connect(until)
        except BaseException:
            self._left()
            raise
        self._born[id(made)] = self._loop.time()
        return made

    def give(self, kept: Kept) -> None:
        """It can be used again."""
        now = self._loop.time()
        if not kept.is_open or now - self._born.get(id(kept), 0.0) > OLDEST:
            self._bury(kept)
        else:
            self._idle.append((now, kept))
            if self._reaper is None:
                self._reaper = self._loop.call_later(IDLE_SECONDS / 2, self._reap)
        self._left()

    def drop(self, kept: Kept) -> None:
        """It must not be used again."""
        self._bury(kept)
        self._left()

    def close(self) -> None:
        """Close those that are idle; those in use end with their users."""
        while self._idle:
            self._bury(self._idle.pop()[1])
        if self._reaper is not None:
            self._reaper.cancel()

    def _left(self) -> None:
        self._out -= 1
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def _turn(self, until: float) -> None:
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(until):
                await turn
        except TimeoutError as error:
            raise Unreached("every connection was busy") from error

    def _bury(self, kept: Kept) -> None:
        self._born.pop(id(kept), None)
        kept.close()

    def _reap(self) -> None:
        """Close what was idle for too long: the coldest are at the left."""
        self._reaper, now = None, self._loop.time()
        while self._idle and (now - self._idle[0][0] >= IDLE_SECONDS or not self._idle[0][1].is_open):
            self._bury(self._idle.popleft()[1])
        if self._idle:
            self._reaper = self._loop.call_later(IDLE_SECONDS / 2, self._reap)
