"""The worker: schedules, events, sending, evidence, in one process, until told to stop."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connection

from delivery.door import LaneName
from governance.door import DoorCommand, Refused, Report
from workflow import sole_worker
from workflow.worker import LANES, Worker, ending_on_signals


class Command(DoorCommand):
    """`worker`: on PostgreSQL as many as you like; on SQLite one, because it has one writer."""

    help = "Send what is due until stopped (SIGTERM finishes the request in hand, within OMNI_DRAIN_SECONDS)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--threads", type=int, default=2, help="senders in this process (default: %(default)s; SQLite: 1)")
        parser.add_argument("--lane", choices=LANES, help="serve one lane only")
        parser.add_argument("--drain", action="store_true", help="stop when nothing is due")

    def act(self, **options: Any) -> Report:
        alone = connection.vendor == "sqlite" or options["drain"]  # a drain is one sender for all lanes
        threads = 1 if alone else int(options["threads"])
        if not 1 <= threads <= 32:
            raise Refused("--threads: 1 to 32 are expected")
        if (other := sole_worker.other()) is not None:
            raise Refused(f"process {other} sends from this SQLite file already, and it takes one: stop that one, or move to PostgreSQL")
        name = f"{socket.gethostname()}:{os.getpid()}"
        workers = [Worker(f"{name}:{n}", lanes=_lanes(options["lane"], n, threads), keeps_time=n == 0) for n in range(threads)]
        if options["drain"]:
            with ending_on_signals(workers[:1]):
                done = workers[0].drain()
            return Report((f"{done} pieces of work done",))
        return self._run(workers)

    def _run(self, workers: list[Worker]) -> Report:
        _collect_rarely()
        threads = [threading.Thread(target=each.run, name=each.name) for each in workers]
        with ending_on_signals(workers):
            for thread in threads:
                thread.start()
            for each in workers:
                each.stopping.wait()
            over = time.monotonic() + settings.OMNI.drain_seconds
            for thread in threads:
                thread.join(timeout=max(over - time.monotonic(), 0.0))
        if any(thread.is_alive() for thread in threads):
            os._exit(1)  # the lease runs out and another worker takes the batch; nothing is lost
        return Report(("stopped; nothing was left half-done",))


def _lanes(only: LaneName | None, n: int, threads: int) -> tuple[LaneName, ...]:
    """With several threads the first serves transactional messages alone, so that no promotional batch is ever before them."""
    if only:
        return (only,)
    return ("transactional",) if n == 0 and threads > 1 else LANES


def _collect_rarely() -> None:
    """A batch makes a hundred thousand short-lived objects without cycles: looking through all of them for garbage costs a third
    of the send (41 against 57 microseconds a mail when measured)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
