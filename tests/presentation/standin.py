"""Services of the tests' own on loopback: one that answers as it is told, one that answers byte by byte, and traps that count."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HERE = "127.0.0.2"  # an address of this machine that nothing else uses
WAY = f"{HERE}/32"


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: Any
    port: int = 0


@dataclass
class Service:
    """port: where it listens on HERE; asked: what it was asked; most: how many it answered side by side at most."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    most: int = 0

    def url(self, path: str = "/", host: str = HERE) -> str:
        return f"http://{host}:{self.port}{path}"


Reply = tuple[int, dict[str, str], bytes]


def as_json(value: Any, status: int = 200) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def service(answer: Callable[[Asked], Reply], *, tls: ssl.SSLContext | None = None, host: str = HERE) -> Iterator[Service]:
    """A service, until the block ends."""
    told, lock, busy = Service(), threading.Lock(), [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            told.connections += 1

        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body, self.client_address[1])
            with lock:
                told.asked.append(asked)
                busy[0] += 1
                told.most = max(told.most, busy[0])
            try:
                status, headers, content = answer(asked)
            finally:
                with lock:
                    busy[0] -= 1
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: Any) -> None:
            return

    server = Server((host, 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def raw(pieces: Sequence[bytes], *, pause: float = 0.0) -> Iterator[Service]:
    """Whoever connects gets these bytes, with a pause after each, and then nothing until the block ends."""
    told, over = Service(), threading.Event()
    listening = socket.create_server((HERE, 0), backlog=16)
    told.port = listening.getsockname()[1]

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65_536)
                for piece in pieces:
                    connection.sendall(piece)
                    if over.wait(pause):
                        return
                over.wait(20)
            except OSError:
                return

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            told.connections += 1
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield told
    finally:
        over.set()
        listening.close()


class Traps:
    """Sockets on every address of this machine that a forged address may lead to; whoever connects is counted."""

    def __init__(self) -> None:
        first = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = first.getsockname()[1]
        self._listening = [first]
        for family, host in ((socket.AF_INET, "127.0.0.3"), (socket.AF_INET6, "::1")):
            try:
                self._listening.append(socket.create_server((host, self.port), family=family, backlog=16))
            except OSError:  # a machine without IPv6
                continue
        for each in self._listening:
            each.setblocking(False)

    def caught(self) -> int:
        """Connections so far."""
        time.sleep(0.05)
        found = 0
        for each in self._listening:
            while True:
                try:
                    each.accept()[0].close()
                    found += 1
                except BlockingIOError:
                    break
        return found

    def close(self) -> None:
        for each in self._listening:
            each.close()
