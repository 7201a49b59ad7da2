"""The processes that one `worker` command sends with, each with one Worker.

Processes and not threads: checking and filling messages is the interpreter's own work, and of the threads of one process it runs
one at a time (docs/figures.md has both). They are forked from a parent that has loaded everything, so they share that memory.
The parent starts anew whichever dies and frees what it held: a crash in one costs the others nothing, and a piece of work that keeps
crashing is isolated by the claims it is counted (delivery/leases.py).
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from delivery import door as delivery
from delivery.door import LaneName
from workflow.told import TO_END, calling_when_told
from workflow.worker import LANES, Worker

log = structlog.get_logger(__name__)
STARTS_ANEW_AFTER = 1.0  # seconds: what dies at once, every time, must not fill the machine with starts
LOOKS_FOR_PARENT = 1.0  # seconds
CAMPAIGNS_YIELD = 10  # of niceness: beside a campaign on two cores the p99 of transactional messages fell from 146 to 123 ms
Lanes = tuple[LaneName, ...]


def run(processes: int, lane: LaneName | None = None) -> bool:
    """Send until told to stop; False where something in hand was not finished within OMNI_DRAIN_SECONDS.

    lane: serve this one only. Otherwise the first of several processes serves transactional messages alone, so that no promotional
    batch is ever before them, and the others serve both, and let the first go before them on a busy machine.
    """
    _collect_rarely()
    served: list[Lanes] = [(lane,) if lane else LANES for _ in range(processes)]
    if processes == 1:
        _send(served[0], heeds=served[0], keeps_time=True)
        return True
    if lane is None:
        served[0] = ("transactional",)
    return _Parent(served).watch()


class _Parent:
    """Starts the processes, starts anew whichever dies, and ends them all."""

    def __init__(self, served: Sequence[Lanes]) -> None:
        self._served, self._children = served, dict[int, BaseProcess]()
        self._over, self._turn = threading.Event(), threading.Lock()

    def watch(self) -> bool:
        """Until every process has ended because this one was told to stop. Whether all ended in good order."""
        good = True
        with calling_when_told(self._end):
            for place in range(len(self._served)):
                self._start(place)
            while self._children:
                wait([child.sentinel for child in self._children.values()])
                for place, child in list(self._children.items()):
                    if child.exitcode is None:
                        continue
                    with self._turn:
                        del self._children[place]
                    if self._over.is_set():
                        good = good and child.exitcode == 0
                        continue
                    log.error("worker.died", process=child.pid, exit=child.exitcode)
                    _free(_name(child.pid))
                    self._over.wait(STARTS_ANEW_AFTER)
                    self._start(place)
        return good

    def _start(self, place: int) -> None:
        _let_go_of_the_database()
        lanes, first = self._served[place], self._served[0]
        niceness = CAMPAIGNS_YIELD if lanes != first else 0
        heeds = lanes if lanes == first else tuple(lane for lane in lanes if lane not in first)
        child = multiprocessing.get_context("fork").Process(target=_child, args=(lanes, heeds, place == 0, niceness, os.getpid()))
        with self._turn:
            if self._over.is_set():
                return
            signal.pthread_sigmask(signal.SIG_BLOCK, TO_END)  # until it can hear them (workflow/told.py)
            child.start()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, TO_END)
            self._children[place] = child

    def _end(self) -> None:
        self._over.set()
        with self._turn:
            for child in self._children.values():
                child.terminate()


def _name(process: int | None) -> str:
    """What a sending process calls itself in the ledger."""
    return f"{socket.gethostname()}:{process}"


def _free(dead: str) -> None:
    """Whatever it held is taken up at once: without this, each crash of one poisoned message would hold up its batch for a lease."""
    try:
        delivery.let_go(dead, now=timezone.now())
    except (OperationalError, InterfaceError) as error:  # then the lease runs out
        log.warning("worker.database_away", worker=dead, error=type(error).__name__)


def _let_go_of_the_database() -> None:
    """Two processes on one connection would read each other's answers."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has it


def _child(lanes: Lanes, heeds: Lanes, keeps_time: bool, niceness: int, parent: int) -> None:
    os.nice(niceness)
    threading.Thread(target=_follow, args=(parent,), name="follows", daemon=True).start()
    _send(lanes, heeds=heeds, keeps_time=keeps_time)


def _follow(parent: int) -> None:
    """A parent that was killed can't tell its processes to stop: each sees for itself that it is gone."""
    while os.getppid() == parent:
        time.sleep(LOOKS_FOR_PARENT)
    os.kill(os.getpid(), signal.SIGTERM)


def _send(lanes: Lanes, *, heeds: Lanes, keeps_time: bool) -> None:
    """One Worker in this process, until it is told to stop; the process ends with status 1 where that takes too long. heeds: the lanes
    whose ring wakes it at once; what the first process serves alone, the others take up where it doesn't come to it."""
    worker = Worker(_name(os.getpid()), lanes=lanes, heeds=heeds, keeps_time=keeps_time)

    def stop() -> None:
        worker.stop()
        late = threading.Timer(settings.OMNI.drain_seconds, os._exit, (1,))  # the lease runs out and another worker takes the batch
        late.daemon = True
        late.start()

    with calling_when_told(stop):
        worker.run()


def _collect_rarely() -> None:
    """A batch makes a hundred thousand short-lived objects without cycles: looking through all of them for garbage costs a third
    of the send (41 against 57 microseconds a mail when measured). What is frozen is also shared by the processes for longer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
