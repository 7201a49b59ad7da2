"""The one loop everywhere: take what is due, send it, else wait for the bell."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from audience import door as audience
from delivery import door as delivery
from delivery.door import LaneName
from workflow import bells, pipeline, sole_worker
from workflow.told import calling_when_told

log = structlog.get_logger(__name__)
LANES: tuple[LaneName, ...] = ("transactional", "promotional")
TICK_EVERY = 5.0  # seconds between looks at schedules, evidence and waves
FEED_EVERY = 1.0  # seconds between looks at what the audience's index hasn't been told: rules see a change a second after that
RAISE_EVERY = 60.0  # seconds between two raises of the epoch, by which a restored backup is known (delivery/instance.py)
WATCH_EVERY = 0.2  # seconds between looks at what another process sends
GATHERS = 0.025  # seconds from one few messages to the next: under load more of them share a walk, and a lone one never waits
MANY = 50  # messages that are no few: others wait already
ASKS_EVERY = 1.0  # seconds between looks at who is to confirm something: a person waits for the question, but not for a part of a second
EVENTS_WAIT = timedelta(seconds=0.05)  # at most, while messages are sent
LOOKS_AT_CONNECTION = 1.0  # seconds that a busy worker keeps its connection without asking whether it is still good
STAND_BY = 1.0  # seconds between looks whether the other process of one SQLite file has ended
Clock = Callable[[], datetime]


class Worker:
    """Leases and sends until told to stop. One per thread; connections to vendors are kept between batches."""

    def __init__(
        self,
        name: str,
        *,
        lanes: Sequence[LaneName] = LANES,
        heeds: Sequence[LaneName] | None = None,
        clock: Clock = timezone.now,
        keeps_time: bool = True,
    ) -> None:
        """heeds: the lanes whose ring wakes it at once, None: all; of its others it takes what nobody else comes to."""
        self.name, self.lanes, self.clock, self.keeps_time = name, tuple(lanes), clock, keeps_time
        self.heeds = self.lanes if heeds is None else tuple(heeds)
        self._others = [lane for lane in self.lanes if lane not in self.heeds]
        self.vendors = delivery.Connections(wait=lambda seconds: self.stopping.wait(seconds), stopping=self.is_over)
        self.index, self.snapshots, self.letters = audience.IndexKeeper(), audience.SnapshotKeeper(), audience.DeadLetterKeeper()
        self.facts = audience.FactsKeeper()
        self.stopping = threading.Event()
        self._ticked, self._until, self._raised = float("-inf"), float("inf"), time.monotonic()
        self._fed = float("-inf")
        self._looked, self._busy, self._few = clock(), False, False
        self._asked = float("-inf")

    def step(self) -> bool:
        """Do one piece of work; False if there was none."""
        if self.keeps_time and time.monotonic() - self._ticked >= TICK_EVERY:
            self.keep_time()
        elif self.keeps_time and time.monotonic() - self._fed >= FEED_EVERY:
            self._feed()
        heard = delivery.draw_events(now=self.clock()) if "promotional" in self.lanes else 0  # else a transactional message would wait
        decided = self._look_at_events() if "transactional" in self.lanes else 0
        work = delivery.lease(lanes=self.lanes, worker=self.name, now=self.clock(), left_to_others=self._others)
        if work is not None:
            pipeline.send_batch(work, vendors=self.vendors, clock=self.clock)
        self._busy = bool(heard or decided) or work is not None
        self._few = work is not None and work.source == "decisions" and len(work.entries) < MANY
        return self._busy

    def _look_at_events(self) -> int:
        """What people's events trigger, and who is to confirm something; in the midst of sending not before each piece of work."""
        now = self.clock()
        if self._busy and timedelta() <= now - self._looked < EVENTS_WAIT:
            return 0
        self._looked = now
        asked = 0
        if time.monotonic() - self._asked >= ASKS_EVERY:
            asked = pipeline.ask_for_confirmations(now=now)
            self._asked = time.monotonic()
        return asked + pipeline.on_events(now=now)

    def keep_time(self) -> None:
        """Schedules, waves, evidence about requests in doubt, housekeeping; the audience's computed attributes, index, dead letters,
        daily snapshots."""
        now = self.clock()
        if time.monotonic() - self._raised >= RAISE_EVERY:
            self._raised = time.monotonic()
            delivery.raise_instance(now=now)
        pipeline.tick(now=now)
        pipeline.fall_back(now=now)
        delivery.reconcile(now=now, vendors=self.vendors)
        delivery.housekeeping(now=now)
        audience.keep_computed(now=now)
        self._feed()
        self.letters.keep(now=now)
        if "promotional" in self.lanes:  # a large segment takes seconds, and a transactional message must not wait for them
            self.snapshots.keep(now=now)
            self.facts.keep(now=now)
            delivery.look_up_next_domain(now=now)  # a silent name server takes seconds, too
            delivery.fetch_next_prices(now=now, vendors=self.vendors)
            delivery.keep_history(now)
        self._ticked = time.monotonic()

    def _feed(self) -> None:
        self.index.keep()
        self._fed = time.monotonic()

    def drain(self, *, until: float = float("inf"), each: Callable[[], None] = lambda: None) -> int:
        """Work until nothing is due or the monotonic time `until`; how many pieces were done. `each` is called after every one.

        Nothing where another process has the turn (SQLite): it does the work.
        """
        done, self._until = 0, until
        with sole_worker.turn() as mine:
            while mine and not self.is_over() and self.step():
                done += 1
                each()
        return done

    def run(self) -> None:
        """Work until `stop`. A database that goes away is waited for; any other error stops this piece of work, never the loop.

        On SQLite only while no other process does: until then it stands by.
        """
        with sole_worker.turn() as mine:
            if mine:
                return self._run()
        log.warning("worker.stands_by", worker=self.name, other=sole_worker.other())
        while not self.stopping.wait(STAND_BY):
            with sole_worker.turn() as mine:
                if mine:
                    return self._run()

    def _run(self) -> None:
        bell = bells.make_bell(self.heeds)
        pause, kept = bells.POLL[settings.OMNI.bell], time.monotonic()
        if self.keeps_time and settings.OMNI.elasticsearch_url:
            pause = min(pause, FEED_EVERY)
        log.info("worker.started", worker=self.name, lanes=self.lanes)
        while not self.stopping.is_set():
            try:
                began = time.monotonic()
                idle = not self.step()
                if idle or time.monotonic() - kept >= LOOKS_AT_CONNECTION:
                    close_old_connections()
                    kept = time.monotonic()
                if idle:
                    bell.wait(pause)
                elif self._few and (spare := began + GATHERS - time.monotonic()) > 0:
                    self.stopping.wait(spare)
            except (OperationalError, InterfaceError) as error:
                why = type(error.__cause__ or error).__name__  # the driver's own word: DiskFull, AdminShutdown
                log.error("worker.database_away", worker=self.name, error=why)
                connection.close()
                delivery.doubt_instance()
                self.stopping.wait(0.5)
            except (
                Exception
            ):  # the outermost loop: the lease runs out and the batch is taken again, counted, and split when it keeps failing
                log.exception("worker.piece_failed", worker=self.name)
                close_old_connections()
                self.stopping.wait(0.2)
        close_old_connections()
        bell.close()
        self.vendors.close()
        log.info("worker.stopped", worker=self.name)

    def stop(self) -> None:
        """Finish the requests in hand, give back the rest of the piece of work, then end `run` or `drain`."""
        self.stopping.set()
        bells.LOCAL.ring()

    def is_over(self) -> bool:
        """Whether it was told to stop, or its time is up."""
        return self.stopping.is_set() or time.monotonic() >= self._until


@contextmanager
def _passing(*, lanes: Sequence[LaneName] = LANES, clock: Clock = timezone.now, keeps_time: bool = False) -> Iterator[Worker]:
    """A worker of this thread, for as long as the block lasts."""
    worker = Worker(f"{socket.gethostname()}:{os.getpid()}", lanes=lanes, clock=clock, keeps_time=keeps_time)
    try:
        with calling_when_told(worker.stop):
            yield worker
    finally:
        worker.vendors.close()


def drain(
    *,
    lanes: Sequence[LaneName] = LANES,
    now: Clock = timezone.now,
    seconds: float = float("inf"),
    each: Callable[[], None] = lambda: None,
    keeps_time: bool = False,
) -> int:
    """Send everything that is due, in this thread, and return how many pieces of work that was. SIGTERM and SIGINT end it in good order."""
    with _passing(lanes=lanes, clock=now, keeps_time=keeps_time) as worker:
        return worker.drain(until=time.monotonic() + seconds, each=each)


def see_through(workspace_id: int, dispatch_id: int, *, each: Callable[[], None] = lambda: None) -> bool:
    """Send what is due in this thread until nothing is; on SQLite, where another process has the turn, watch it do so.

    Returns when nothing of this dispatch is due now: it may soak between waves, wait for quiet hours, or be paused. False: told to
    stop before that.
    """
    with _passing() as worker:
        worker.drain(each=each)
        while not worker.is_over() and delivery.at_work(workspace_id, dispatch_id, now=timezone.now()):
            each()
            worker.stopping.wait(WATCH_EVERY)
            worker.drain(each=each)
        return not worker.is_over()
