"""HTTP/2 (RFC 9113): many streams on one connection, by TLS or, for a stand-in without it, by prior knowledge.

Here a vendor can say what it surely has not touched: streams beyond a GOAWAY's last one and refused streams may be sent again.
Before its settings have arrived nothing of a message is written, so whoever doesn't speak HTTP/2 has surely accepted nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from delivery.adapters.base import VendorRequest, VendorResponse
from delivery.permits import Permit, withheld
from delivery.transports.answers import MAX_ANSWER, Answer, Impossible, Unreached, impossible, one_by_one, unanswered, unreached
from delivery.transports.http1_wire import MAX_HEAD, header_fields, target_of
from delivery.transports.origins import CONNECT_SECONDS, Origin, Way, origin_of

IDLE_SECONDS = 60.0  # a closing vendor says which streams it has not seen, so an idle connection may be kept longer
OLDEST = 900.0  # seconds
_CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"})
Field = tuple[str, str]


class Http2:
    """One account's connection to each origin; another takes its place when it goes away or grows old."""

    def __init__(self, concurrency: int, way: Way) -> None:
        self._concurrency, self._way = concurrency, way
        self._open: dict[Origin, _Connection] = {}
        self._opening: dict[Origin, asyncio.Lock] = {}

    async def window(self, requests: Sequence[VendorRequest], until: float, permit: Permit) -> list[Answer]:
        """See Transport."""
        return await one_by_one(self._exchange, requests, until, permit)

    def close(self) -> None:
        """See Transport."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    async def _exchange(self, request: VendorRequest, until: float, permit: Permit) -> Answer:
        try:
            origin = origin_of(request.url)
            fields = _fields(request, origin)
            connection = await self._connection(origin, until)
            await connection.turn(until)
        except Impossible as error:
            return impossible(error)
        except Unreached as error:
            return unreached(error)
        if not permit.holds():
            connection.pass_on()
            return withheld()
        return await connection.ask(fields, request.body, until)

    async def _connection(self, origin: Origin, until: float) -> _Connection:
        if self._way.proxy and not origin.tls:
            raise Impossible("HTTP/2 through a proxy needs TLS")
        known = self._open.get(origin)
        if known is not None and known.is_open:
            return known
        try:
            async with asyncio.timeout_at(until), self._opening.setdefault(origin, asyncio.Lock()):
                known = self._open.get(origin)
                if known is None or not known.is_open:
                    self._open[origin] = known = await self._connect(origin, until)
                return known
        except TimeoutError as error:
            raise Unreached("no connection in time") from error

    async def _connect(self, origin: Origin, until: float) -> _Connection:
        made: _Connection = await self._way.connect(origin, lambda: _Connection(self._concurrency, origin.tls), until, protocols=("h2",))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if await made.ready:
                    return made
        except TimeoutError:
            pass
        made.close()
        raise Unreached("no HTTP/2 is spoken there")


class _Stream:
    """One question and its answer so far."""

    __slots__ = ("answer", "body", "got", "headers", "status", "timer")

    def __init__(self, body: bytes, answer: asyncio.Future[Answer], timer: asyncio.TimerHandle) -> None:
        self.body, self.answer, self.timer = memoryview(body), answer, timer
        self.status, self.headers, self.got = 0, dict[str, str](), bytearray()


class _Connection(asyncio.Protocol):
    """One connection with its streams. ready: whether the other side has said that it speaks HTTP/2."""

    def __init__(self, concurrency: int, tls: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._concurrency, self._tls = concurrency, tls
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, _Stream] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turns, self._leaving, self._flushing = 0, False, False
        self._born = self._used = self._loop.time()
        self._idle: asyncio.TimerHandle | None = None
        self.ready: asyncio.Future[bool] = self._loop.create_future()

    @property
    def is_open(self) -> bool:
        """Whether it takes new streams."""
        there = self._transport is not None and not self._transport.is_closing()
        return there and not self._leaving and self._loop.time() - self._born < OLDEST

    async def turn(self, until: float) -> None:
        """Wait until the vendor takes one more stream. Raises Unreached."""
        while self._turns >= min(self._concurrency, self._http.remote_settings.max_concurrent_streams):
            turn: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append(turn)
            try:
                async with asyncio.timeout_at(until):
                    await turn
            except TimeoutError as error:
                raise Unreached("every stream was busy") from error
        if self._transport is None or self._transport.is_closing() or self._leaving:
            self._next_turn()
            raise Unreached("closed before anything was written")
        self._turns += 1

    def pass_on(self) -> None:
        """Use a turn for nothing."""
        self._end_turn()

    async def ask(self, fields: list[Field], body: bytes, until: float) -> Answer:
        """Open a stream, write, wait. From here on what breaks is in doubt, unless the vendor says that it hasn't touched it."""
        try:
            number = self._http.get_next_available_stream_id()
            self._http.send_headers(number, fields, end_stream=not body)
        except h2.exceptions.H2Error as error:  # nothing has been written yet
            self._end_turn()
            self.close()
            return unreached(error)
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._streams[number] = _Stream(body, answer, self._loop.call_at(until, self._over, number))
        self._write_body(number)
        self._flush_soon()
        return await answer

    def close(self) -> None:
        """Say goodbye and let go."""
        if self._transport is not None and not self._transport.is_closing():
            try:
                if self.ready.done() and self.ready.result():
                    self._http.close_connection()
                self._transport.write(self._http.data_to_send())
            except h2.exceptions.H2Error:
                pass
            self._transport.close()

    # ── asyncio ───────────────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is a Transport
        spoken = transport.get_extra_info("ssl_object")
        if self._tls and (spoken is None or spoken.selected_alpn_protocol() != "h2"):
            self.ready.set_result(False)
            return
        wanted = {h2.settings.SettingCodes.ENABLE_PUSH: 0, h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEAD}
        self._http.local_settings = h2.settings.Settings(client=True, initial_values=wanted)
        self._http.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Of asyncio."""
        try:
            events = self._http.receive_data(data)
        except h2.exceptions.H2Error as error:
            self._lost(error)
            if self._transport is not None:
                self._transport.abort()
            return
        for event in events:
            self._heard(event)
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """Of asyncio."""
        self._lost(error or "the connection was closed")

    # ── what the vendor says ──────────────────────────────────────────────────────────────────────────────────────

    def _heard(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            if (stream := self._streams.get(event.stream_id or 0)) is not None:
                for name, value in ((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers or []):
                    if name == ":status":
                        stream.status = int(value) if value.isdigit() else 0
                    else:
                        stream.headers[name] = f"{stream.headers[name]}, {value}" if name in stream.headers else value
        elif isinstance(event, h2.events.DataReceived):
            self._data(event)
        elif isinstance(event, h2.events.StreamEnded):
            if (stream := self._streams.get(event.stream_id or 0)) is not None:
                self._done(event.stream_id or 0, VendorResponse(stream.status, stream.headers, bytes(stream.got)))
        elif isinstance(event, h2.events.StreamReset):
            untouched = event.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
            self._done(
                event.stream_id or 0, unreached("the vendor refused the stream") if untouched else unanswered("the stream was reset")
            )
        elif isinstance(event, h2.events.ConnectionTerminated):
            self._going_away(event.last_stream_id or 0)
        elif isinstance(event, h2.events.WindowUpdated):
            for number in [event.stream_id] if event.stream_id else list(self._streams):
                self._write_body(number)
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            if not self.ready.done():
                self.ready.set_result(True)
            self._next_turn()
            for number in list(self._streams):
                self._write_body(number)

    def _data(self, event: h2.events.DataReceived) -> None:
        number, stream = event.stream_id or 0, self._streams.get(event.stream_id or 0)
        self._http.acknowledge_received_data(event.flow_controlled_length or 0, number)
        if stream is None:
            return
        stream.got += event.data or b""
        if len(stream.got) > MAX_ANSWER:
            self._cancel(number, "an answer that is too long")

    def _going_away(self, last: int) -> None:
        """What the vendor has begun it may finish; the rest it has surely not touched."""
        self._leaving = True
        for number in [number for number in self._streams if number > last]:
            self._done(number, unreached("the vendor was closing"))
        self._wake_all()
        if not self._streams and self._transport is not None:
            self._transport.close()

    def _lost(self, why: object) -> None:
        self._leaving = True
        if not self.ready.done():
            self.ready.set_result(False)
        for number in list(self._streams):
            self._done(number, unanswered(why))
        self._wake_all()

    def _over(self, number: int) -> None:
        self._cancel(number, "the time was up")
        self._flush()

    def _cancel(self, number: int, why: str) -> None:
        try:
            self._http.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
        except h2.exceptions.H2Error:
            pass
        self._done(number, unanswered(why))

    def _done(self, number: int, answer: Answer) -> None:
        stream = self._streams.pop(number, None)
        if stream is None:
            return
        stream.timer.cancel()
        if not stream.answer.done():
            stream.answer.set_result(answer)
        self._end_turn()
        if self._leaving and not self._streams and self._transport is not None:
            self._transport.close()

    # ── turns and writing ─────────────────────────────────────────────────────────────────────────────────────────

    def _end_turn(self) -> None:
        self._turns, self._used = self._turns - 1, self._loop.time()
        self._next_turn()
        if not self._turns and self._idle is None:
            self._idle = self._loop.call_later(IDLE_SECONDS, self._rest)

    def _rest(self) -> None:
        self._idle = None
        left = IDLE_SECONDS - (self._loop.time() - self._used)
        if self._turns or left > 0.01:
            self._idle = self._loop.call_later(max(left, IDLE_SECONDS / 4), self._rest)
        else:
            self._leaving = True
            self.close()

    def _next_turn(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _wake_all(self) -> None:
        while self._waiting:
            self._next_turn()

    def _write_body(self, number: int) -> None:
        """As much as the vendor's windows allow; the rest follows when they open."""
        stream = self._streams.get(number)
        if stream is None or not stream.body:
            return
        try:
            while stream.body:
                size = min(self._http.local_flow_control_window(number), self._http.max_outbound_frame_size, len(stream.body))
                if size <= 0:
                    return
                self._http.send_data(number, bytes(stream.body[:size]), end_stream=size == len(stream.body))
                stream.body = stream.body[size:]
        except h2.exceptions.H2Error as error:
            self._done(number, unanswered(error))

    def _flush_soon(self) -> None:
        """One write for all that is asked in this turn of the loop."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        data = self._http.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _fields(request: VendorRequest, origin: Origin) -> list[Field]:
    """Pseudo-headers first, names in lower case, none that belongs to a connection. Raises Impossible."""
    named = [(name.lower(), value) for name, value in header_fields(request)]
    fields = [(name, value) for name, value in named if name not in _CONNECTION_FIELDS]
    return [
        (":method", request.method),
        (":scheme", origin.scheme),
        (":authority", origin.authority),
        (":path", target_of(request.url)),
        *fields,
        ("content-length", str(len(request.body))),
    ]
