"""The way out of the house: bounded connections per vendor account and process, and what their failures mean.

Nothing here retries: whether a request may be repeated is the ledger's to say. Only what failed before a byte of the request
was written is surely not accepted; everything after that is in doubt.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from datetime import datetime
from types import TracebackType

import structlog
from django.conf import settings

from delivery import mailbox
from delivery.adapters.base import Limits, VendorRequest
from delivery.breaker import Breaker
from delivery.permits import ALWAYS, RENEWED, Permit, withheld
from delivery.transports.answers import Answer, Transport, impossible, unanswered, unreached
from delivery.transports.http1 import Http1
from delivery.transports.http2 import Http2
from delivery.transports.loop import LoopThread
from delivery.transports.origins import Way
from delivery.transports.smtp import SmtpTransport

log = structlog.get_logger(__name__)
GRACE = 5.0  # seconds past a window's end after which the loop that serves it is given up
TRANSPORTS: dict[str, Callable[[int, Way], Transport]] = {
    "http": Http1,
    "https": Http1,
    "http+2": Http2,
    "https+2": Http2,
    "smtp": SmtpTransport,
    "smtps": SmtpTransport,
}
Exchange = Callable[[VendorRequest], Answer]


class Posting:
    """Requests that are on their way, or their answers where those are known at once."""

    def __init__(
        self,
        known: list[Answer] | None = None,
        *,
        account: str = "",
        size: int = 0,
        coming: Future[list[Answer]] | None = None,
        seconds: float = 0,
    ) -> None:
        self._known, self._account, self._size, self._coming, self._seconds = known, account, size, coming, seconds

    def answers(self, meanwhile: Callable[[], object] = lambda: None) -> list[Answer]:
        """Wait for them, in the order of the requests. Never raises. meanwhile: called every now and then, must not raise."""
        if self._known is None:
            assert self._coming is not None
            until = time.monotonic() + self._seconds
            while not wait([self._coming], min(RENEWED, max(until - time.monotonic(), 0.0))).done and time.monotonic() < until:
                meanwhile()
            try:
                self._known = self._coming.result(0)
            except Exception as error:  # a fault of ours, or a loop that hangs: something may have been written
                log.exception("vendor.window_failed", account=self._account, requests=self._size)
                self._known = [unanswered(error)] * self._size
        return self._known


class Connections:
    """What one process (or one worker thread) has open towards vendors. Close it when the worker ends.

    transport: stands for the network in tests. wait: how to sleep for the rate's sake. stopping: whether whoever uses them was
    told to stop; asked before each window, so that a long piece of work ends in good order too.
    """

    def __init__(
        self,
        *,
        transport: Exchange | None = None,
        wait: Callable[[float], object] = time.sleep,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._instead, self.wait, self.stopping = transport, wait, stopping
        self.breaker = Breaker()
        self._transports: dict[tuple[int, str, str], Transport] = {}
        self._thread = LoopThread()

    def post(self, workspace_id: int, account: str, requests: Sequence[VendorRequest], *, limits: Limits, now: datetime) -> list[Answer]:
        """Post these requests at once, over at most `limits.concurrency` connections; answers in the same order, never an
        exception. No answer takes longer than the vendor's time-out."""
        return self.begin(workspace_id, account, requests, limits=limits, now=now).answers()

    def begin(
        self,
        workspace_id: int,
        account: str,
        requests: Sequence[VendorRequest],
        *,
        limits: Limits,
        now: datetime,
        permit: Permit = ALWAYS,
    ) -> Posting:
        """The same without waiting for the answers. What begins to be sent does so while the permit holds."""
        if not permit.holds():
            return Posting([withheld()] * len(requests))
        if not requests:
            return Posting([])
        if requests[0].url.startswith("outbox://"):
            return Posting(list(mailbox.receive(workspace_id, requests, now=now)))
        if self._instead is not None:
            return Posting([self._instead(request) for request in requests])
        if not self._thread.is_ours:
            self._transports.clear()  # of the process that this one was forked from
        seconds = settings.OMNI.vendor_timeout
        window = self._window(workspace_id, account, requests, limits, seconds, permit)
        try:
            coming = self._thread.start(window)
        except (RuntimeError, OSError, MemoryError) as error:  # no thread or file handle is left: nothing has been written
            window.close()
            log.error("vendor.no_way_out", account=account, error=type(error).__name__)
            return Posting([unreached(error)] * len(requests))
        return Posting(account=account, size=len(requests), coming=coming, seconds=seconds + GRACE)

    def close(self) -> None:
        """Let go of every connection."""
        if self._thread.is_ours:
            self._thread.start(self._close()).result(GRACE)
            self._thread.stop()

    async def _window(
        self, workspace_id: int, account: str, requests: Sequence[VendorRequest], limits: Limits, seconds: float, permit: Permit
    ) -> list[Answer]:
        """By the first request's protocol: an account has one."""
        until = asyncio.get_running_loop().time() + seconds
        kind = requests[0].url.partition("://")[0].lower() + ("+2" if requests[0].http2 else "")
        if kind not in TRANSPORTS:
            return [impossible(f"a URL of scheme {kind[:20]!r}")] * len(requests)
        key = (workspace_id, account, kind)
        if key not in self._transports:
            way = Way(settings.OMNI.vendor_proxy, settings.OMNI.vendor_authorities)
            self._transports[key] = TRANSPORTS[kind](limits.concurrency, way)
        return await self._transports[key].window(requests, until, permit)

    async def _close(self) -> None:
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()
        await asyncio.sleep(0)  # asyncio closes sockets in its next turn

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
