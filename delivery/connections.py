"""The way out of the house: bounded connections per vendor account and process, and what their failures mean.

Nothing here retries: whether a request may be repeated is the ledger's to say. Only what failed before a byte of the request
was written is surely not accepted; everything after that is in doubt.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType

import structlog
from django.conf import settings

from delivery import mailbox
from delivery.adapters.base import Limits, VendorRequest
from delivery.breaker import Breaker
from delivery.transports.answers import Answer, Transport, impossible, unanswered
from delivery.transports.http1 import Http1
from delivery.transports.loop import LoopThread
from delivery.transports.origins import Way

log = structlog.get_logger(__name__)
GRACE = 5.0  # seconds past a window's end after which the loop that serves it is given up
TRANSPORTS: dict[str, Callable[[int, Way], Transport]] = {"http": Http1, "https": Http1}
Exchange = Callable[[VendorRequest], Answer]


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
        if not requests:
            return []
        if requests[0].url.startswith("outbox://"):
            return list(mailbox.receive(workspace_id, requests, now=now))
        if self._instead is not None:
            return [self._instead(request) for request in requests]
        if not self._thread.is_ours:
            self._transports.clear()  # of the process that this one was forked from
        seconds = settings.OMNI.vendor_timeout
        try:
            return self._thread.run(self._window(workspace_id, account, requests, limits, seconds), timeout=seconds + GRACE)
        except Exception as error:  # a fault of ours, or a loop that hangs: something may have been written
            log.exception("vendor.window_failed", account=account, requests=len(requests))
            return [unanswered(error)] * len(requests)

    def close(self) -> None:
        """Let go of every connection."""
        if self._thread.is_ours:
            self._thread.run(self._close(), timeout=GRACE)
            self._thread.stop()

    async def _window(
        self, workspace_id: int, account: str, requests: Sequence[VendorRequest], limits: Limits, seconds: float
    ) -> list[Answer]:
        until = asyncio.get_running_loop().time() + seconds
        return list(await asyncio.gather(*(self._one(workspace_id, account, request, limits, until) for request in requests)))

    async def _one(self, workspace_id: int, account: str, request: VendorRequest, limits: Limits, until: float) -> Answer:
        kind = request.url.partition("://")[0].lower()
        key = (workspace_id, account, kind)
        transport = self._transports.get(key)
        if transport is None:
            if kind not in TRANSPORTS:
                return impossible(f"a URL of scheme {kind[:20]!r}")
            way = Way(settings.OMNI.vendor_proxy, settings.OMNI.vendor_authorities)
            transport = self._transports[key] = TRANSPORTS[kind](limits.concurrency, way)
        try:
            return await transport.exchange(request, until)
        except Exception as error:  # a fault of ours: this message is in doubt, the others are not
            log.exception("vendor.exchange_failed", account=account)
            return unanswered(error)

    async def _close(self) -> None:
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()
        await asyncio.sleep(0)  # asyncio closes sockets in its next turn

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
