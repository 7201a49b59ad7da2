"""Console, API and worker in one process: what `manage.py serve` and `make demo` run.

Told to stop (SIGTERM, SIGINT), it takes no new work, lets requests and the batch in hand finish, and ends within
`OMNI_DRAIN_SECONDS`. A batch that is not finished by then is taken again by the next worker: its lease runs out.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from types import FrameType

import structlog
import uvicorn
from django.conf import settings

from omni import health
from omni.environment import Environment
from workflow.worker import Worker

log = structlog.get_logger(__name__)
TAKEN = {errno.EADDRINUSE, errno.EACCES}
BACKLOG = 2048  # connections that wait to be taken, as many as uvicorn lets wait
PORTS_TRIED = 20  # the wanted one and those after it; then any free one


class Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: stopping is one decision for requests and worker together."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer. What is loaded by now stays, so that looking for garbage never goes through all of it again: that took longer
        than many requests together."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 50)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`."""
        yield


def reserve(host: str, port: int) -> socket.socket:
    """A listening socket on the wanted port, else on the next free one. Whoever asks first has it; nobody can take it meanwhile."""
    for wanted in [*range(port, min(port + PORTS_TRIED, 65536)), 0] if port else [0]:
        # Named as TCP on purpose: only then does asyncio turn Nagle's delay off, which would cost 40 ms on every small answer.
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, wanted))
        except OSError as error:
            listener.close()
            if wanted == 0 or error.errno not in TAKEN:
                raise SystemExit(f"OMNI can't listen on {host}: {error.strerror}") from None
            continue
        return listener
    raise SystemExit(f"OMNI found no free port on {host}")


def address_of(listener: socket.socket) -> str:
    """`http://127.0.0.1:8000`, as a person on this machine would type it."""
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def adopt(address: str) -> None:
    """Where no public address was configured, make links point to where this process really listens."""
    if settings.OMNI.public_url == Environment.model_fields["public_url"].default:
        settings.OMNI = settings.OMNI.model_copy(update={"public_url": address})


def serve(listener: socket.socket, *, worker: bool = True, ready: Callable[[], None] = lambda: None) -> int:
    """Answer requests on `listener` and send what is due until told to stop. Returns the exit status: 0 if everything was finished."""
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume")  # style sheets and scripts, each read in one go
    sender = Worker("embedded") if worker else None
    thread = threading.Thread(target=sender.run, name="worker", daemon=True) if sender else None
    server = Server(_configuration())
    told = _stop_on_signals(server, sender)
    if thread:
        thread.start()
    listener.listen(BACKLOG)  # from here on nobody is refused: who comes before the application is loaded waits
    ready()
    try:
        server.run(sockets=[listener])
    finally:
        if sender:
            sender.stop()
    return _join(thread, told)


def _configuration() -> uvicorn.Config:
    return uvicorn.Config(
        "omni.asgi:application",
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=max(1, int(settings.OMNI.drain_seconds)),
    )


def _stop_on_signals(server: Server, sender: Worker | None) -> list[float]:
    """Handle SIGTERM and SIGINT. The returned list gets the moment (monotonic) of the first one."""
    told: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if told:  # a second signal: somebody is in a hurry
            server.force_exit = True
        told.append(time.monotonic())
        health.draining.set()
        server.should_exit = True
        if sender:
            sender.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return told


def _join(thread: threading.Thread | None, told: list[float]) -> int:
    if thread is None:
        return 0
    left = settings.OMNI.drain_seconds - (time.monotonic() - told[0] if told else 0.0)
    thread.join(max(0.0, left))
    if thread.is_alive():
        log.warning("worker.not_drained", seconds=settings.OMNI.drain_seconds)
        return 1
    log.info("process.drained", seconds=round(time.monotonic() - told[0], 3) if told else 0.0)
    return 0
