"""The network of a test run ends at this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

NAMES = {"", "localhost", "ip6-localhost", socket.gethostname()}


class NetworkForbidden(OSError):
    """A test tried to reach another machine."""


@contextmanager
def loopback_only() -> Iterator[None]:
    """Until it ends, a socket of this process connects to loopback addresses and Unix sockets only, and no other name resolves."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(real: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            if self.family in {socket.AF_INET, socket.AF_INET6}:
                _check(address[0])
            return real(self, address)

        return call

    def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
        if host is not None:
            _check(host.decode() if isinstance(host, bytes) else host)
        return look_up(host, *rest, **named)

    with (
        mock.patch.object(socket.socket, "connect", guarded(connect)),
        mock.patch.object(socket.socket, "connect_ex", guarded(connect_ex)),
        mock.patch.object(socket, "getaddrinfo", guarded_look_up),
    ):
        yield


def _check(host: str) -> None:
    if host in NAMES:
        return
    try:
        here = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        raise NetworkForbidden(f"tests reach this machine only, not {host!r}") from None
    if not (here.is_loopback or here.is_unspecified):
        raise NetworkForbidden(f"tests reach this machine only, not {host!r}")
