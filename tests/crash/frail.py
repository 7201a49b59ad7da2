"""A way to a vendor that can be cut: what dies is the way, so that the vendor's own record can still be read."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

CHUNK = 1 << 16


class Frail:
    """Forwards every connection to where it leads, until it dies."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self._there = ("127.0.0.1", 0)
        self._silent = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def leads_to(self, port: int) -> None:
        """Where its connections go from now on."""
        self._there = ("127.0.0.1", port)

    def die(self, *, silently: bool) -> None:
        """All its connections are reset at once and nobody listens any more; silently: nothing is said or passed on from now on."""
        self._silent = silently
        if not silently:
            self._end()

    def __enter__(self) -> Frail:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def _serve(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            try:
                theirs = socket.create_connection(self._there, timeout=10)
                theirs.settimeout(None)
            except OSError:
                ours.close()
                continue
            with self._lock:
                self._open |= {ours, theirs}
            for one, other in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(CHUNK):
                if not self._silent:
                    other.sendall(data)
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
            with self._lock:
                self._open.discard(each)

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
