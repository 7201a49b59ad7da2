"""HTTP/1.1: bounded keep-alive connections, one request at a time on each, never a second try.

A client of our own, because what was written when it broke decides whether a message may be sent again, and because it costs
a third of what the general ones do (docs/decisions/transports.md).
"""

from __future__ import annotations

import asyncio

from delivery.adapters.base import VendorRequest
from delivery.transports.answers import Answer, Impossible, Unreached, Unreadable, impossible, unanswered, unreached
from delivery.transports.http1_wire import AnswerReader, request_bytes
from delivery.transports.origins import Origin, Way, origin_of
from delivery.transports.pool import IDLE_SECONDS, Pool


class Http1:
    """One account's connections, a pool per origin (an account has one)."""

    def __init__(self, concurrency: int, way: Way) -> None:
        self._concurrency, self._way = concurrency, way
        self._pools: dict[Origin, Pool[_Connection]] = {}

    async def exchange(self, request: VendorRequest, until: float) -> Answer:
        """See Transport."""
        try:
            origin = origin_of(request.url)
            data = self._bytes(request, origin)
            pool = self._pool(origin)
            connection = await pool.take(until)
        except Impossible as error:
            return impossible(error)
        except Unreached as error:
            return unreached(error)
        try:
            answer = await connection.ask(data, until)
        except BaseException:
            pool.drop(connection)
            raise
        pool.give(connection)
        return answer

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


class _Connection(asyncio.Protocol):
    """One keep-alive connection."""

    __slots__ = ("_loop", "_reader", "_timer", "_transport", "_waiting", "idle_for")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.idle_for = IDLE_SECONDS

    @property
    def is_open(self) -> bool:
        """See Connection."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, data: bytes, until: float) -> Answer:
        """Write a request and wait for its answer. From here on what breaks is in doubt."""
        if self._transport is None or not self.is_open:
            return unreached("closed before anything was written")
        self._reader, self._waiting = AnswerReader(), self._loop.create_future()
        self._timer = self._loop.call_at(until, self._over, "the time was up")
        try:
            self._transport.write(data)
            return await self._waiting
        finally:
            self._timer.cancel()
            self._reader = self._waiting = self._timer = None

    def close(self) -> None:
        """See Connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is a Transport

    def data_received(self, data: bytes) -> None:
        """Of asyncio."""
        if self._reader is None or self._waiting is None or self._waiting.done():
            self.close()  # nobody asked: whatever this is, it must not be taken for the next answer
            return
        try:
            answer = self._reader.feed(data)
        except Unreadable as error:
            self._over(error)
            return
        if answer is not None:
            self._stay_or_go(self._reader.keeps, answer.headers.get("keep-alive", ""))
            self._waiting.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """Of asyncio."""
        if self._waiting is not None and not self._waiting.done():
            complete = self._reader.closed() if self._reader is not None and error is None else None
            self._waiting.set_result(complete or unanswered(error or "the connection was closed"))

    def _over(self, why: object) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(unanswered(why))
        self.close()

    def _stay_or_go(self, keeps: bool, wishes: str) -> None:
        assert self._transport is not None
        if not keeps or self._transport.get_write_buffer_size():  # answered before it had read everything
            self.close()
        elif "timeout=" in wishes:
            said = wishes.split("timeout=", 1)[1].split(",", 1)[0].strip()
            self.idle_for = min(IDLE_SECONDS, max(0.0, int(said) - 1.0)) if said.isdigit() and len(said) < 6 else IDLE_SECONDS
