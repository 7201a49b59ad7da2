"""The socket that our own vendors answer on: HTTP/1.1 and, where the client begins with its preface, HTTP/2."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from tests.adapters.vendors.contract import Asked, Contract

ACCEPTED_ANYWAY = {"accept_drop", "accept_500", "malformed", "garbage"}
Say = Callable[[int, dict[str, str], bytes], None]


class Vendors:
    """All of them at one address. fault: "" or what becomes of every request but those for a token: http_NNN, reset, hang,
    accept_drop, accept_500, malformed (a success that can't be read), garbage (no HTTP at all)."""

    def __init__(self, contracts: Sequence[Contract]) -> None:
        self.contracts, self.fault, self.number = contracts, "", 0
        self.accepted: list[tuple[str, str, str]] = []
        self.asked: list[Asked] = []
        self._lock, self._lines = threading.Lock(), list[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for line in self._lines:
            line.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                self._lines.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError):
            start = line.recv(3, socket.MSG_PEEK | socket.MSG_WAITALL)
            _http2(line, self.answer) if start == b"PRI" else _http1(line, self.answer)

    def answer(self, asked: Asked, line: socket.socket, say: Say) -> None:
        """Accept or not, then answer or not, as the fault wants it."""
        contract = next(one for one in self.contracts if one.matches(asked))
        with self._lock:
            self.number += 1
            self.asked.append(asked)
            answered = contract.answer(asked, self.number)
            fault = self.fault if answered.accepted else ""
            if answered.accepted and (not fault or fault in ACCEPTED_ANYWAY):
                self.accepted += [(contract.NAME, address, message_id) for address, message_id in answered.accepted]
                answered.then()
        if fault in ("reset", "accept_drop"):
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
        elif fault == "garbage":
            line.sendall(b"\x16\x03\x01 nothing that anybody could read\r\n\r\n")
            line.close()
        elif fault == "malformed":
            say(answered.status, {}, b'{"name":')
        elif fault != "hang":
            found = contract.error(int(fault.rsplit("_", 1)[1])) if fault else answered
            say(found.status, {**found.headers, **({"retry-after": "2"} if fault == "http_429" else {})}, found.body)


def _http1(line: socket.socket, answer: Callable[[Asked, socket.socket, Say], None]) -> None:
    got = b""
    while True:
        while b"\r\n\r\n" not in got:
            got += _more(line)
        head, _, got = got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        while len(got) < (length := int(headers.get("content-length", 0))):
            got += _more(line)
        body, got = got[:length], got[length:]
        method, target, _ = first.split(" ")

        def say(status: int, more: dict[str, str], content: bytes) -> None:
            lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in more.items()), f"content-length: {len(content)}"]
            line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

        answer(_asked(method, target, headers, body), line, say)


def _http2(line: socket.socket, answer: Callable[[Asked, socket.socket, Say], None]) -> None:
    talk = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    talk.initiate_connection()
    line.sendall(talk.data_to_send())
    heads: dict[int, dict[str, str]] = {}
    bodies: dict[int, bytes] = {}
    while True:
        for event in talk.receive_data(_more(line)):
            if isinstance(event, RequestReceived):
                heads[event.stream_id], bodies[event.stream_id] = dict(event.headers), b""
            elif isinstance(event, DataReceived):
                bodies[event.stream_id] += event.data
                talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                stream, head = event.stream_id, heads.pop(event.stream_id)

                def say(status: int, more: dict[str, str], content: bytes, stream: int = stream) -> None:
                    talk.send_headers(stream, [(":status", str(status)), *more.items()], end_stream=not content)
                    if content:
                        talk.send_data(stream, content, end_stream=True)

                answer(_asked(head[":method"], head[":path"], {**head, "version": "2"}, bodies.pop(stream)), line, say)
        line.sendall(talk.data_to_send())


def _more(line: socket.socket) -> bytes:
    data = line.recv(65_536)
    if not data:
        raise OSError("the client has closed")
    return data


def _asked(method: str, target: str, headers: dict[str, str], body: bytes) -> Asked:
    parts = urlsplit(target)
    return Asked(method, parts.path, dict(parse_qsl(parts.query)), headers, body)
