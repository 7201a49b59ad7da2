"""Servers that misbehave byte by byte, on real sockets: what a vendor, a proxy or a network can do to a request."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


def deaf_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Wire:
    """A server. behave: what it does with one connection; its sockets are closed afterwards."""

    behave: Callable[[Line], None]
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Line:
    """One accepted connection."""

    def __init__(self, server: Wire, sock: socket.socket) -> None:
        self.server, self.sock, self.got = server, sock, b""

    def request(self) -> bytes:
        """The next whole request, b"" where the client has closed. Written down before anything is answered."""
        while b"\r\n\r\n" not in self.got:
            if not self._more():
                return b""
        head, _, rest = self.got.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        while len(rest) < length:
            if not self._more():
                return b""
            rest = self.got.partition(b"\r\n\r\n")[2]
        whole, self.got = head + b"\r\n\r\n" + rest[:length], rest[length:]
        with self.server.lock:
            self.server.requests.append(whole)
        return whole

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ok(self, body: bytes = b"fine", head: bytes = b"") -> None:
        self.say(b"HTTP/1.1 200 OK\r\n" + head + b"content-length: %d\r\n\r\n" % len(body) + body)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def until_closed(self) -> None:
        """Say nothing more; return when the client has closed."""
        while self._more():
            pass

    def _more(self) -> bool:
        try:
            data = self.sock.recv(65_536)
        except OSError:
            return False
        self.got += data
        return bool(data)


@contextmanager
def serving(behave: Callable[[Line], None], *, tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """The server, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    wire = Wire(behave, listener.getsockname()[1])
    lines: list[socket.socket] = []

    def one(sock: socket.socket) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                sock = tls.wrap_socket(sock, server_side=True)
            line = Line(wire, sock)
            behave(line)
            sock = line.sock
        except OSError:
            pass
        finally:
            with wire.lock:
                wire.open -= 1
            sock.close()

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with wire.lock:
                wire.connections += 1
                wire.open += 1
                wire.most_open = max(wire.most_open, wire.open)
            lines.append(sock)
            threading.Thread(target=one, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in lines:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def answering(line: Line) -> None:
    """A vendor as it should be."""
    while line.request():
        line.ok()
