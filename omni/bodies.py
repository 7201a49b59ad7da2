"""Bodies are bounded while they arrive: Django's own ASGI handler would put any amount on the disk before anybody could object.

A body that is too large is not kept: the request goes on with its length and without its body, and `middleware.BodyLimits`
words the refusal. A body of unannounced length (`Transfer-Encoding: chunked`) gets the length that it turned out to have.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Any, Receive, Any], Awaitable[None]]
MAX_BODY = 5 * 1024 * 1024  # bytes; uploads by file have their own door
MAX_WEBHOOK = 10 * 1024 * 1024  # vendors put thousands of events into one call
MAX_MESSAGE = 10 * 1024 * 1024  # with files, in base64


def most_of(path: str) -> int:
    """The largest body that this address takes, in bytes."""
    if path.startswith("/api/v1/messages"):
        return MAX_MESSAGE
    return MAX_WEBHOOK if path.startswith("/hooks/") else MAX_BODY


def length_of(text: str) -> int | None:
    """An announced length; None for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class BoundedBodies:
    """Wraps the ASGI application."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            announced = headers.get(b"content-length")
            if announced is not None:
                length = length_of(announced.decode("latin-1"))
                if length is None or length > most_of(scope["path"]):
                    receive = _given(b"", receive)
            elif b"transfer-encoding" in headers:
                body, length = await _read(receive, most_of(scope["path"]))
                scope = {**scope, "headers": [*scope["headers"], (b"content-length", str(length).encode())]}
                receive = _given(body, receive)
        await self.application(scope, receive, send)


async def _read(receive: Receive, most: int) -> tuple[bytes, int]:
    """The whole body and its length; where it is longer than `most`, nothing and the length so far."""
    parts, length, more = [], 0, True
    while more and length <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"", most + 1  # half a body is none: refused, though nobody is there to hear it
        part, more = message.get("body", b""), message.get("more_body", False)
        length += len(part)
        parts.append(part)
    return (b"".join(parts), length) if length <= most else (b"", length)


def _given(body: bytes, receive: Receive) -> Receive:
    """Receives this body; after it only the end of the connection, whatever else arrives."""
    told = False

    async def next_message() -> Message:
        nonlocal told
        if not told:
            told = True
            return {"type": "http.request", "body": body, "more_body": False}
        while (message := await receive())["type"] != "http.disconnect":
            pass
        return message

    return next_message
