"""Where a vendor is, and the way there: names, TCP, TLS, a proxy where one is set.

Environment proxies are not trusted: only `OMNI_VENDOR_PROXY` counts. Each new connection goes by names that are at most half
a minute old, so that a vendor that moves is followed.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi

from delivery.transports.answers import Impossible, Unreached

CONNECT_SECONDS = 5.0  # for names, TCP, proxy and TLS together
NAMES_LAST = 30.0  # seconds
PORTS = {"http": 80, "https": 443, "smtp": 587, "smtps": 465}
Address = tuple[Any, ...]
_names: dict[tuple[str, int], tuple[float, list[tuple[Any, ...]]]] = {}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL. tls: from the first byte on."""

    scheme: str
    host: str
    port: int

    @property
    def tls(self) -> bool:
        """Whether the connection begins with a TLS handshake."""
        return self.scheme in ("https", "smtps")

    @property
    def authority(self) -> str:
        """Host and port as a Host header names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@lru_cache(maxsize=1024)
def origin_of(url: str) -> Origin:
    """Raises Impossible for what no transport speaks."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError as error:
        raise Impossible("not a URL") from error
    if parts.scheme not in PORTS or not host or any(ord(char) <= 32 for char in url):
        raise Impossible(f"a URL of scheme {parts.scheme[:20]!r}" if parts.scheme not in PORTS else "not a URL")
    return Origin(parts.scheme, host, PORTS[parts.scheme] if port is None else port)


@lru_cache(maxsize=16)
def tls_context(authorities: str, protocols: tuple[str, ...]) -> ssl.SSLContext:
    """Certificates are always checked. authorities: a PEM file with more of them than the usual ones, or ""."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities:
        context.load_verify_locations(authorities)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


@dataclass(frozen=True, slots=True)
class Way:
    """How this installation reaches vendors. proxy: `http://[user:password@]host:port`, or ""; authorities: see tls_context."""

    proxy: str = ""
    authorities: str = ""

    async def connect(self, origin: Origin, made: Callable[[], Any], until: float, *, protocols: tuple[str, ...] = ()) -> Any:
        """A connected protocol of the kind that `made` makes. Raises Unreached: not a byte was written."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(until, loop.time() + CONNECT_SECONDS)):
                context = tls_context(self.authorities, protocols) if origin.tls else None
                if not self.proxy:
                    return await _dial(origin, made, context)
                if origin.scheme == "http":
                    return await _dial(origin_of(self.proxy), made, None)
                return await self._through(origin, made, context)
        except Unreached:
            raise
        except TimeoutError as error:
            raise Unreached("no connection in time") from error
        except (OSError, ValueError, EOFError, Impossible) as error:
            raise Unreached(type(error).__name__) from error

    async def _through(self, origin: Origin, made: Callable[[], Any], context: ssl.SSLContext | None) -> Any:
        """Have the proxy connect, then go on as if it weren't there."""
        loop = asyncio.get_running_loop()
        tunnel: _Tunnel = await _dial(origin_of(self.proxy), _Tunnel, None)
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        try:
            lines = [f"CONNECT {host}:{origin.port} HTTP/1.1", f"Host: {host}:{origin.port}", *self.credentials(), "", ""]
            tunnel.transport.write("\r\n".join(lines).encode())
            if not await tunnel.opened:
                raise Unreached("the proxy refused")
            protocol = made()
            if context is not None:
                transport = await loop.start_tls(tunnel.transport, protocol, context, server_hostname=origin.host)
                protocol.connection_made(transport)
            else:
                tunnel.transport.set_protocol(protocol)
                protocol.connection_made(tunnel.transport)
                tunnel.transport.resume_reading()
            return protocol
        except BaseException:
            tunnel.transport.abort()
            raise

    def credentials(self) -> list[str]:
        """The proxy's header where its URL holds a user."""
        parts = urlsplit(self.proxy)
        if parts.username is None:
            return []
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return [f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}"]


class _Tunnel(asyncio.Protocol):
    """What talks to a proxy until the tunnel is open."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport is a Transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        if b"\r\n\r\n" in self._got or len(self._got) > 16_384:
            self.transport.pause_reading()  # whatever follows is for the next protocol
            status = self._got.split(b"\r\n", 1)[0].split(b" ")
            if not self.opened.done():
                self.opened.set_result(status[1:2] == [b"200"] and self._got.endswith(b"\r\n\r\n"))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(False)


async def _dial(origin: Origin, made: Callable[[], Any], context: ssl.SSLContext | None) -> Any:
    """Try the host's addresses one after the other."""
    loop, trouble = asyncio.get_running_loop(), OSError("no address")
    for family, _, number, _, address in await _addresses(origin.host, origin.port):
        try:
            _, protocol = await loop.create_connection(
                made, address[0], address[1], family=family, proto=number, ssl=context, server_hostname=origin.host if context else None
            )
            return protocol
        except OSError as error:
            trouble = error
            _names.pop((origin.host, origin.port), None)
    raise trouble


async def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    """Resolved at most half a minute ago."""
    known = _names.get((host, port))
    if known is not None and time.monotonic() - known[0] < NAMES_LAST:
        return known[1]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    _names[host, port] = (time.monotonic(), found)
    return found
