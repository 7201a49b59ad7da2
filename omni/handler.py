"""Django answers requests in a fixed set of threads: one hop there, one back.

Every view and middleware here is synchronous. Django's own ASGI handler starts threads for each such request and changes between
them and the event loop several times; measured on small requests that took three times as long as all that the view did.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, cast

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from omni.bodies import Message, Receive, length_of

# Requests answered at once, together as many as a pool has connections by default; whoever comes next waits for a thread. Messages have
# threads of their own, so that no page or import is before them: few, since more only take the interpreter from each other (16 callers
# got 154 messages a second through twenty threads, 205 through four).
THREADS, FOR_MESSAGES = 16, 4
MESSAGES = "/api/v1/messages"
IN_ONE = 1024 * 1024  # bytes of a file that are read at once, so that a slow reader of style sheets holds no thread
Send = Callable[[Message], Awaitable[None]]


class ThreadedHandler(ASGIHandler):
    """The ASGI application. A body is complete before its request gets a thread, so that a slow sender holds none either."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._for_messages = ThreadPoolExecutor(FOR_MESSAGES, thread_name_prefix="message")

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:  # type: ignore[override]
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is answered here, not {scope['type']}")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        loop = asyncio.get_running_loop()

        def tell(message: Message) -> None:
            asyncio.run_coroutine_threadsafe(_awaited(send(message)), loop).result()

        context = contextvars.copy_context()
        threads = self._for_messages if scope["method"] == "POST" and scope["path"] == MESSAGES else self._threads
        for message in await loop.run_in_executor(threads, context.run, self._answer, scope, body, tell):
            await send(message)

    def _answer(self, scope: Any, body: IO[bytes], tell: Callable[[Message], None]) -> list[Message]:
        """Answer one request in this thread. What is left to be sent; of an endless or large answer, all but its end is told already."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, fault = self.create_request(scope, body)
        response = self.get_response(request) if request is not None else fault
        assert response is not None  # one of the two is always made
        response._handler_class = self.__class__  # type: ignore[attr-defined]  # who is said to have finished when the response is closed
        try:
            start: Message = {"type": "http.response.start", "status": response.status_code, "headers": _headers(response)}
            if isinstance(response, HttpResponse):
                if not response.has_header("Content-Length"):
                    start["headers"].append((b"Content-Length", str(len(response.content)).encode()))
                return [start, {"type": "http.response.body", "body": response.content}]
            if isinstance(response, FileResponse):
                response.block_size = self.chunk_size
            length = length_of(response.headers.get("Content-Length", ""))
            parts = cast("Iterable[bytes]", response)
            if length is not None and length <= IN_ONE:
                return [start, {"type": "http.response.body", "body": b"".join(parts)}]
            tell(start)
            for part in parts:
                tell({"type": "http.response.body", "body": part, "more_body": True})
            return [{"type": "http.response.body"}]
        finally:
            response.close()
            body.close()


async def _awaited(sending: Awaitable[None]) -> None:
    await sending


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    named = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    return named + [(b"Set-Cookie", morsel.OutputString().encode("ascii")) for morsel in response.cookies.values()]
