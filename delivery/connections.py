"""The way out of the house: one bounded, pooled client per vendor account and process, and what its failures mean.

Nothing here retries: whether a request may be repeated is the ledger's to say. Only what failed before a byte of the request
was written is surely not accepted; everything after that is in doubt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import TracebackType

import httpx
from django.conf import settings

from delivery import mailbox
from delivery.adapters.base import Fate, Limits, VendorRequest, VendorResponse
from delivery.breaker import Breaker

IDLE_SECONDS = 4.0  # vendors close idle connections after five or more; a request on a closed one would be in doubt
MAX_ANSWER = 1_000_000  # bytes of an answer that are read
Answer = VendorResponse | Fate


class Connections:
    """Pooled clients of one process (or of one worker thread). Close it when the worker ends.

    transport: replaces the network in tests. wait: how to sleep for the rate's sake. stopping: whether whoever uses them was told
    to stop; asked before each window, so that a long piece of work ends in good order too.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], object] = time.sleep,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._transport, self.wait, self.stopping = transport, wait, stopping
        self.breaker = Breaker()
        self._clients: dict[tuple[int, str], httpx.Client] = {}
        self._threads: ThreadPoolExecutor | None = None

    def post(self, workspace_id: int, account: str, requests: Sequence[VendorRequest], *, limits: Limits, now: datetime) -> list[Answer]:
        """Post these requests at once, at most `limits.concurrency` of them; answers in the same order, never an exception."""
        if requests and requests[0].url.startswith("outbox://"):
            return list(mailbox.receive(workspace_id, requests, now=now))
        client = self._client(workspace_id, account, limits)
        if len(requests) == 1:
            return [_exchange(client, requests[0])]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(max_workers=limits.concurrency, thread_name_prefix="vendor")
        return list(self._threads.map(lambda request: _exchange(client, request), requests))

    def close(self) -> None:
        """Let go of every connection."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def _client(self, workspace_id: int, account: str, limits: Limits) -> httpx.Client:
        key = (workspace_id, account)
        if key not in self._clients:
            pool = httpx.Limits(
                max_connections=limits.concurrency, max_keepalive_connections=limits.concurrency, keepalive_expiry=IDLE_SECONDS
            )
            self._clients[key] = httpx.Client(
                timeout=settings.OMNI.vendor_timeout, limits=pool, transport=self._transport, follow_redirects=False, trust_env=False
            )
        return self._clients[key]

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _exchange(client: httpx.Client, request: VendorRequest) -> Answer:
    """One request and its answer, or what its failure means."""
    until = time.monotonic() + settings.OMNI.vendor_timeout
    try:
        with client.stream(request.method, request.url, headers=dict(request.headers), content=request.body) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER or time.monotonic() > until:
                    return Fate("ambiguous", detail="the answer came too slowly or was too long")
            return VendorResponse(response.status_code, {name.lower(): value for name, value in response.headers.items()}, bytes(body))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:  # name, route, port or TLS: nothing was written
        return Fate("transient", detail=f"no connection ({type(error).__name__})")
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
        return Fate("misconfigured", detail=f"the request can't be made ({type(error).__name__})")
    except (httpx.HTTPError, httpx.StreamError, OSError) as error:
        return Fate("ambiguous", detail=f"no answer ({type(error).__name__})")
