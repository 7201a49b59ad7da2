"""One question to a service over HTTP, bounded in time and size, to an address that was looked at.

Laws: a connection is made to an address that `addresses_of` gave for this very connection, whatever the name leads to a moment
later, and TLS asks it for the name. Every redirect is a connection like any other. No question takes longer than its time, however
slowly it is answered, and no answer is larger than MAX_ANSWER, packed or not.

httpcore and not httpx around it: the way out is a part of its public face (NetworkBackend), and of httpx's isn't.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import certifi
import httpcore
import orjson

from governance.door import Unreachable, addresses_of, is_inside, networks_of, plain_host
from presentation.services.answers import NOTHING, Unanswered

MAX_ANSWER = 1024 * 1024  # bytes, before and after unpacking
MAX_REDIRECTS = 3
PORTS = {"http": 80, "https": 443}
CONNECTIONS, IDLE_SECONDS = 32, 30.0
NOT_THERE = frozenset({204, 404, 410})
TROUBLED = frozenset({401, 403, 408, 425, 429})  # and whatever begins with a 5: not about whom it was asked about
SAME_AGAIN = frozenset({301, 302, 303, 307, 308})
_errand = threading.local()  # until: when this thread's question must be over, by time.monotonic; plain: whether it goes without TLS
_pools: dict[tuple[int, Way], httpcore.ConnectionPool] = {}  # a process of its own has connections of its own
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Way:
    """How this installation reaches services. networks: those inside that may be reached; servers: who is asked for names, ""
    the system's; authorities: a PEM file with more of them than the usual, or ""."""

    networks: str = ""
    servers: str = ""
    authorities: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent. secret: a header that goes to the first host only; body: JSON that is posted, None to get."""

    url: str
    secret: tuple[str, str] | None = None
    body: bytes | None = None


def ask(question: Question, way: Way, *, until: float) -> Any:
    """What the service answers: JSON as Python has it, or NOTHING. until: by time.monotonic. Raises Unanswered."""
    url, secret = question.url, question.secret
    for _ in range(MAX_REDIRECTS + 1):
        target = _target(url)
        try:
            status, headers, body = _exchange(target, question.body, secret, way, until)
        except Unreachable as error:
            raise Unanswered(str(error)) from None
        except httpcore.TimeoutException:
            raise Unanswered("no answer in time") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            raise Unanswered(f"no connection that holds ({type(error).__name__})") from None
        if status not in SAME_AGAIN:
            return _read(status, headers, body)
        after = urljoin(url, headers.get("location", ""))
        if question.body is not None and status not in (307, 308):
            raise Unanswered("a redirect that loses the question", rests=False)
        if _origin(_target(after)) != _origin(target):
            secret = None
            if target.scheme == b"https" and _target(after).scheme != b"https":
                raise Unanswered("a redirect to where there is no TLS", rests=False)
        url = after
    raise Unanswered(f"more than {MAX_REDIRECTS} redirects", rests=False)


def _target(url: str) -> httpcore.URL:
    """A URL taken apart once, so that nobody reads it differently later. Raises Unanswered."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = plain_host(parts.hostname or "")
    except (ValueError, Unreachable):
        raise Unanswered("an address that can't be read", rests=False) from None
    if parts.scheme not in PORTS or "@" in parts.netloc or port == 0 or not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url):
        raise Unanswered("an address that can't be read", rests=False)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(scheme=parts.scheme, host=host, port=port, target=path)


def _origin(target: httpcore.URL) -> tuple[bytes, bytes, int]:
    return target.scheme, target.host, target.port or PORTS[target.scheme.decode()]


def _exchange(
    target: httpcore.URL, body: bytes | None, secret: tuple[str, str] | None, way: Way, until: float
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and unpacked body of one exchange, on a kept connection or a new one."""
    scheme, name, port = (part.decode() if isinstance(part, bytes) else part for part in _origin(target))
    host = f"[{name}]" if ":" in str(name) else str(name)
    sent = [("Host", host if port == PORTS[str(scheme)] else f"{host}:{port}"), ("Accept", "application/json"), ("Accept-Encoding", "gzip")]
    sent += [("User-Agent", "OMNI"), *([secret] if secret else []), *([("Content-Type", "application/json")] if body is not None else [])]
    sent += [("Content-Length", str(len(body)))] if body is not None else []
    with _in_time(until, plain=scheme == "http"):
        for tries_left in (1, 0):
            try:
                return _once("GET" if body is None else "POST", target, sent, body or b"", way, until)
            except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
                if not tries_left:  # a kept connection may have been closed meanwhile; questions change nothing, so they may be repeated
                    raise
    raise AssertionError("the second try returns or raises")


def _once(
    method: str, target: httpcore.URL, headers: list[tuple[str, str]], body: bytes, way: Way, until: float
) -> tuple[int, dict[str, str], bytes]:
    left = max(0.01, until - time.monotonic())
    limits = {"connect": left, "read": left, "write": left, "pool": left}
    with _pool(way).stream(method, target, headers=headers, content=body, extensions={"timeout": limits}) as answer:
        said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        if answer.status in SAME_AGAIN:
            return answer.status, said, b""
        return answer.status, said, _bounded(answer.iter_stream(), said.get("content-encoding", ""))


def _bounded(chunks: Iterable[bytes], coding: str) -> bytes:
    """The body, unpacked. Raises Unanswered for what is too large or packed otherwise."""
    coding = coding.strip().lower()
    if coding not in ("", "identity", "gzip"):
        raise Unanswered("an answer in a coding nobody asked for")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if coding == "gzip" else None
    body, packed = bytearray(), 0
    for chunk in chunks:
        packed += len(chunk)
        try:
            body += unpack.decompress(chunk, MAX_ANSWER + 1 - len(body)) if unpack else chunk
        except zlib.error:
            raise Unanswered("an answer that can't be unpacked") from None
        if max(packed, len(body)) > MAX_ANSWER:
            raise Unanswered("an answer of more than 1 MiB")
    if unpack is not None and packed and not unpack.eof:
        raise Unanswered("an answer that can't be unpacked")
    return bytes(body)


def _read(status: int, headers: dict[str, str], body: bytes) -> Any:
    if status in NOT_THERE:
        return NOTHING
    if not 200 <= status < 300:
        raise Unanswered(f"it answered {status}", rests=status in TROUBLED or status >= 500)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Unanswered("an answer that isn't JSON")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unanswered("an answer that isn't JSON") from None
    return NOTHING if found is None else found


# ── the way out ───────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _in_time(until: float, *, plain: bool) -> Iterator[None]:
    _errand.until, _errand.plain = until, plain
    try:
        yield
    finally:
        del _errand.until, _errand.plain


def _left() -> float:
    """Seconds this thread's question may still take. Raises ReadTimeout where there are none."""
    left: float = _errand.until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time was up")
    return left


def _pool(way: Way) -> httpcore.ConnectionPool:
    key = os.getpid(), way
    with _making:
        if key not in _pools:
            _pools[key] = httpcore.ConnectionPool(
                ssl_context=_tls(way.authorities),
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=_Guarded(way),
            )
        return _pools[key]


@lru_cache(maxsize=8)
def _tls(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities:
        context.load_verify_locations(authorities)
    return context


class _Guarded(httpcore.NetworkBackend):
    """Connects to addresses that were looked at, and to no name."""

    def __init__(self, way: Way) -> None:
        self._allowed, self._servers = networks_of(way.networks), way.servers
        self._below = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Of httpcore."""
        trouble: Exception = httpcore.ConnectError("no address")
        for address in addresses_of(host, allowed=self._allowed, servers=self._servers, seconds=_left()):
            if _errand.plain and not is_inside(address, self._allowed):
                raise Unreachable("an address outside without TLS")
            try:
                return _InTime(self._below.connect_tcp(str(address), port, _left(), None, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None) -> Any:
        """Of httpcore: never."""
        raise Unreachable("no host")


class _InTime(httpcore.NetworkStream):
    """A connection on which each step may take what is left of its question's time, and not a time of its own."""

    def __init__(self, below: httpcore.NetworkStream) -> None:
        self._below = below

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Of httpcore."""
        return self._below.read(max_bytes, _left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Of httpcore."""
        self._below.write(buffer, _left())

    def close(self) -> None:
        """Of httpcore."""
        self._below.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> _InTime:
        """Of httpcore."""
        return _InTime(self._below.start_tls(ssl_context, server_hostname, _left()))

    def get_extra_info(self, info: str) -> Any:
        """Of httpcore."""
        return self._below.get_extra_info(info)
