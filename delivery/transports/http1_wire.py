"""HTTP/1.1 as bytes (RFC 9110, RFC 9112): a request written, an answer read strictly.

What isn't exactly an answer raises Unreadable; the request it belongs to is in doubt then, never sent again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from delivery.adapters.base import VendorRequest, VendorResponse
from delivery.transports.answers import MAX_ANSWER, Impossible, Unreadable
from delivery.transports.origins import Origin

MAX_HEAD = 65_536  # bytes
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?", re.ASCII)
_UNWRITABLE: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
BODYLESS = frozenset({204, 304})


def target_of(url: str, *, absolute: bool = False) -> str:
    """What a request asks for: path and query, or the whole URL without a user. Raises Impossible."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}" if absolute else path
    if not target.isascii() or any(char <= " " or char == "\x7f" for char in target):
        raise Impossible("a URL that isn't plain ASCII")
    return target


def request_bytes(request: VendorRequest, origin: Origin, *, absolute: bool = False, more: tuple[str, ...] = ()) -> bytes:
    """The request, head and body. absolute: as a proxy wants to be asked. Raises Impossible: no header or target may hold what
    would end its line."""
    head = _head(request.method, request.url, tuple(request.headers.items()), origin, absolute, more)
    return b"%s%d\r\n\r\n%s" % (head, len(request.body), request.body)


@lru_cache(maxsize=256)
def _head(method: str, url: str, headers: tuple[tuple[str, str], ...], origin: Origin, absolute: bool, more: tuple[str, ...]) -> bytes:
    """All but the length, which is the same for many requests of an account."""
    _check(method, headers)
    lines = [f"{method} {target_of(url, absolute=absolute)} HTTP/1.1", f"host: {origin.authority}", *more]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers), "content-length: "]).encode("latin-1")


def header_fields(request: VendorRequest) -> list[tuple[str, str]]:
    """The request's headers. Raises Impossible where one of them, or the method, can't be written."""
    fields = tuple(request.headers.items())
    _check(request.method, fields)
    return list(fields)


def _check(method: str, headers: tuple[tuple[str, str], ...]) -> None:
    if not _TOKEN.fullmatch(method):
        raise Impossible("not a method")
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or _UNWRITABLE.search(value):
            raise Impossible("a header that can't be written")


@lru_cache(maxsize=64)
def _status_of(line: bytes) -> tuple[int, bool]:
    """The status, and whether it is HTTP/1.0 that is spoken. Raises Unreadable."""
    found = _STATUS.fullmatch(line)
    if found is None:
        raise Unreadable("not HTTP")
    return int(found.group(2)), found.group(1) == b"0"


@lru_cache(maxsize=2048)
def _field_of(line: bytes) -> tuple[str, str]:
    """Name and value of one header, most of which a vendor sends with every answer. Raises Unreadable."""
    name, colon, value = line.decode("latin-1").partition(":")
    if not colon or not _TOKEN.fullmatch(name):
        raise Unreadable("a header that isn't one")
    return name.lower(), value.strip(" \t")


class AnswerReader:
    """One answer as it comes. keeps: whether the connection may carry another request once it is complete."""

    __slots__ = ("_body", "_chunked", "_got", "_headers", "_in_body", "_left", "_status", "_until_closed", "keeps")

    def __init__(self) -> None:
        self._got, self._in_body = bytearray(), False
        self._status, self._headers, self._body = 0, dict[str, str](), bytearray()
        self._left, self._chunked, self._until_closed, self.keeps = 0, False, False, True

    def feed(self, data: bytes | memoryview) -> VendorResponse | None:
        """More bytes; the answer once it is complete. Raises Unreadable."""
        if not self._got and not self._in_body and (answer := self._at_once(bytes(data))) is not None:
            return answer
        self._got += data
        while not self._in_body:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                if len(self._got) > MAX_HEAD:
                    raise Unreadable("a head without an end")
                return None
            head = bytes(self._got[:end])
            del self._got[: end + 4]
            self._head(head)
        complete = self._chunks() if self._chunked else self._plain()
        if len(self._body) > MAX_ANSWER:
            raise Unreadable("an answer that is too long")
        if not complete:
            return None
        self.keeps = self.keeps and not self._got  # bytes that nobody asked for
        return self._answer()

    def _at_once(self, data: bytes) -> VendorResponse | None:
        """An answer that came in one piece, as nearly all do: nothing of it is copied twice. None: something else, and nothing of it was
        taken. Raises Unreadable."""
        end = data.find(b"\r\n\r\n")
        if end < 0 or _status_of(data[: data.find(b"\r\n")])[0] < 200:
            return None
        self._head(data[:end])
        if self._chunked or self._until_closed or len(data) - end - 4 != self._left:
            self._in_body, self._chunked, self._until_closed, self._left = False, False, False, 0  # and is read anew, in pieces
            return None
        return VendorResponse(self._status, self._headers, data[end + 4 :])

    def closed(self) -> VendorResponse | None:
        """The vendor closed the connection: the answer where that is what ends it, else None."""
        return self._answer() if self._in_body and self._until_closed else None

    def _answer(self) -> VendorResponse:
        return VendorResponse(self._status, self._headers, bytes(self._body))

    def _head(self, head: bytes) -> None:
        lines = head.split(b"\r\n")
        (status, is_old), headers = _status_of(lines[0]), dict[str, str]()
        for line in lines[1:]:
            name, value = _field_of(line)
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if status < 200:
            if status == 101:
                raise Unreadable("another protocol")
            return  # on the way to the answer
        self._status, self._headers, self._in_body = status, headers, True
        self._frame(headers, is_old=is_old)

    def _frame(self, headers: dict[str, str], *, is_old: bool) -> None:
        """How long the body is, and whether the connection stays."""
        wishes = headers.get("connection", "").lower()
        self.keeps = "keep-alive" in wishes if is_old else "close" not in wishes
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if self._status in BODYLESS:
            return
        if coding is not None:
            if coding.lower() != "chunked":
                raise Unreadable("a transfer coding nobody asked for")
            self._chunked = True
            self.keeps = self.keeps and length is None
        elif length is not None:
            lengths = {each.strip() for each in length.split(",")}
            if len(lengths) != 1 or not (only := lengths.pop()).isascii() or not only.isdigit() or len(only) > 15:
                raise Unreadable("a length that isn't one")
            self._left = int(only)
            if self._left > MAX_ANSWER:
                raise Unreadable("an answer that is too long")
        else:
            self._until_closed, self.keeps = True, False

    def _plain(self) -> bool:
        if self._until_closed:
            self._body += self._got
            self._got.clear()
            return False
        take = self._got[: self._left]
        self._body += take
        self._left -= len(take)
        del self._got[: len(take)]
        return self._left == 0

    def _chunks(self) -> bool:
        """Whole chunks are taken, the rest waits. True after the last one and its trailers."""
        while len(self._body) <= MAX_ANSWER:
            end = self._got.find(b"\r\n")
            if end < 0:
                if len(self._got) > 1024:
                    raise Unreadable("a chunk without a size")
                return False
            found = _CHUNK.fullmatch(self._got[:end])
            if found is None:
                raise Unreadable("a chunk without a size")
            size = int(found.group(1), 16)
            if size > MAX_ANSWER:
                raise Unreadable("an answer that is too long")
            if size == 0:
                return self._trailers(end)
            if len(self._got) < end + 2 + size + 2:
                return False
            if self._got[end + 2 + size : end + 4 + size] != b"\r\n":
                raise Unreadable("a chunk that doesn't end")
            self._body += self._got[end + 2 : end + 2 + size]
            del self._got[: end + 4 + size]
        return False

    def _trailers(self, end: int) -> bool:
        stop = end if self._got[end : end + 4] == b"\r\n\r\n" else self._got.find(b"\r\n\r\n", end + 2)
        if stop < 0:
            if len(self._got) > MAX_HEAD:
                raise Unreadable("trailers without an end")
            return False
        del self._got[: stop + 4]
        return True
