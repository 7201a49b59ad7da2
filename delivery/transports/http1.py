"""HTTP/1.1: bounded keep-alive connections, one request at a time on each, never a second try.

A client of our own, because what was written when it broke decides whether a message may be sent again, and because it costs
a third of what the general ones do (docs/decisions/transports.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from delivery.adapters.base import VendorRequest
from delivery.permits import Permit, withheld
from delivery.transports.answers import Answer, Impossible, Unreached, Unreadable, impossible, unanswered, unreached
from delivery.transports.http1_wire import AnswerReader, request_bytes
from delivery.transports.origins import Origin, Way, origin_of
from delivery.transports.pool import IDLE_SECONDS, Pool

log = structlog.get_logger(__name__)
NOTHING = unanswered("not asked")
BUFFER = 16_384  # bytes read at once


class Http1:
    """One account's connections, a pool per origin (an account has one)."""

    def __init__(self, concurrency: int, way: Way) -> None:
        self._concurrency, self._way = concurrency, way
        self._pools: dict[Origin, Pool[_Connection]] = {}

    async def window(self, requests: Sequence[VendorRequest], until: float, permit: Permit) -> list[Answer]:
        """See Transport. What finds a connection waiting is written at once, the rest waits for one; one timer serves all."""
        window = _Window(len(requests), until, permit)
        others = []
        for place, request in enumerate(requests):
            try:
                origin = origin_of(request.url)
                data = self._bytes(request, origin)
            except Impossible as error:
                window.answer(place, impossible(error))
                continue
            pool = self._pool(origin)
            connection = pool.at_hand()
            if connection is not None:
                connection.ask(data, window, place, pool)
            else:
                others.append(asyncio.ensure_future(_fetch(pool, data, window, place)))
        answers = await window.all
        for other in others:
            await other
        return answers

    def close(self) -> None:
        """See Transport."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _bytes(self, request: VendorRequest, origin: Origin) -> bytes:
        if self._way.proxy and not origin.tls:
            return request_bytes(request, origin, absolute=True, more=tuple(self._way.credentials()))
        return request_bytes(request, origin)

    def _pool(self, origin: Origin) -> Pool[_Connection]:
        if origin not in self._pools:

            async def connect(until: float) -> _Connection:
                made: _Connection = await self._way.connect(origin, _Connection, until, protocols=("http/1.1",))
                return made

            self._pools[origin] = Pool(self._concurrency, connect)
        return self._pools[origin]


async def _fetch(pool: Pool[_Connection], data: bytes, window: _Window, place: int) -> None:
    """Wait for a connection, then ask."""
    try:
        connection = await pool.take(window.until)
    except Unreached as error:
        window.answer(place, unreached(error))
    except Exception as error:  # a fault of ours, before anything was written
        log.exception("vendor.connect_failed")
        window.answer(place, unreached(error))
    else:
        if asyncio.get_running_loop().time() < window.until:
            connection.ask(data, window, place, pool)
        else:  # nobody would end it any more
            pool.give(connection)
            window.answer(place, unreached("the time was up"))


class _Window:
    """The answers that are still missing. all: done when none is."""

    def __init__(self, size: int, until: float, permit: Permit) -> None:
        loop = asyncio.get_running_loop()
        self.until, self.permit = until, permit
        self.all: asyncio.Future[list[Answer]] = loop.create_future()
        self._answers: list[Answer] = [NOTHING] * size
        self._missing, self._asked = size, set[_Connection]()
        self._timer = loop.call_at(until, self._over)

    def asked(self, connection: _Connection) -> None:
        """This connection now owes an answer."""
        self._asked.add(connection)

    def answer(self, place: int, answer: Answer, by: _Connection | None = None) -> None:
        """One answer; each place has exactly one."""
        if by is not None:
            self._asked.discard(by)
        self._answers[place] = answer
        self._missing -= 1
        if not self._missing:
            self._timer.cancel()
            self.all.set_result(self._answers)

    def _over(self) -> None:
        for connection in list(self._asked):
            connection.give_up("the time was up")


class _Connection(asyncio.BufferedProtocol):
    """One keep-alive connection, and at most one question on it."""

    __slots__ = ("_buffer", "_place", "_pool", "_reader", "_transport", "_view", "_window", "idle_for")

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._window: _Window | None = None
        self._pool: Pool[_Connection] | None = None
        self._place, self._buffer, self.idle_for = 0, bytearray(BUFFER), IDLE_SECONDS
        self._view = memoryview(self._buffer)

    @property
    def is_open(self) -> bool:
        """See Connection."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, data: bytes, window: _Window, place: int, pool: Pool[_Connection]) -> None:
        """Write a request; its answer goes to the window and the connection back to the pool. From here on what breaks is in doubt."""
        if self._transport is None or not self.is_open:
            pool.drop(self)
            window.answer(place, unreached("closed before anything was written"))
            return
        if not window.permit.holds():
            pool.give(self)
            window.answer(place, withheld())
            return
        self._reader, self._window, self._place, self._pool = AnswerReader(), window, place, pool
        window.asked(self)
        self._transport.write(data)

    def give_up(self, why: object) -> None:
        """No answer will be believed any more."""
        self._done(unanswered(why), keeps=False)

    def close(self) -> None:
        """See Connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is a Transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Of asyncio. One buffer for all reads: a new one for each costs more than the reading."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Of asyncio."""
        if self._reader is None:
            self.close()  # nobody asked: whatever this is, it must not be taken for the next answer
            return
        try:
            answer = self._reader.feed(self._view[:nbytes])
        except Unreadable as error:
            self.give_up(error)
            return
        if answer is not None:
            keeps = self._reader.keeps and not self._written_only_in_part()
            if "keep-alive" in answer.headers:
                self.idle_for = idle_seconds(answer.headers["keep-alive"])
            self._done(answer, keeps=keeps)

    def connection_lost(self, error: Exception | None) -> None:
        """Of asyncio."""
        if self._reader is not None:
            complete = self._reader.closed() if error is None else None
            self._done(complete or unanswered(error or "the connection was closed"), keeps=False)

    def _done(self, answer: Answer, *, keeps: bool) -> None:
        pool, window = self._pool, self._window
        self._reader = self._window = self._pool = None
        if pool is not None:
            pool.give(self) if keeps else pool.drop(self)
        if window is not None:
            window.answer(self._place, answer, by=self)

    def _written_only_in_part(self) -> bool:
        """Answered before the whole request was read."""
        return self._transport is None or self._transport.get_write_buffer_size() > 0


def idle_seconds(wishes: str) -> float:
    """What a Keep-Alive header means for us: a second less than the vendor says, and never longer than our own limit."""
    said = wishes.partition("timeout=")[2].partition(",")[0].strip()
    return min(IDLE_SECONDS, max(0.0, int(said) - 1.0)) if said.isascii() and said.isdigit() and len(said) < 6 else IDLE_SECONDS
