"""What wakes a worker early. The database is the queue; a lost ring costs at most one poll, never a message."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import Protocol

import structlog
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from governance.door import prepared_cursor

log = structlog.get_logger(__name__)
CHANNEL = "omni_work"
DOORBELLS = {"promotional": "workflow.send-batches", "transactional": "workflow.send-transactional"}  # Celery tasks, workflow/tasks.py
OTHERS_FIRST = 0.25  # seconds
POLL = {"poll": 0.25, "postgres": 5.0, "celery": 5.0}  # seconds between looks when nothing rings


class Bell(Protocol):
    """Something a worker can wait on."""

    def wait(self, seconds: float) -> None:
        """Return when rung, or after `seconds`."""

    def close(self) -> None:
        """Give back what waiting holds."""


class InProcessBell:
    """Wakes workers of this process; others find the work at their next poll."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """Wake whoever waits, or the next who does."""
        self._rung.set()

    def wait(self, seconds: float) -> None:
        """Return when rung, or after `seconds`."""
        self._rung.wait(seconds)
        self._rung.clear()

    def close(self) -> None:
        """Nothing is held."""


class PostgresBell:
    """LISTEN on a connection of its own: a pooled one would lose the LISTEN without an error.

    heeds: the lanes whose ring wakes at once. At another lane's, whoever serves that lane is given `OTHERS_FIRST` seconds.
    """

    def __init__(self, heeds: Collection[str]) -> None:
        self._connection: object | None = None
        self._heeds = frozenset(heeds)

    def wait(self, seconds: float) -> None:
        """Return at the first notification, after `seconds`, or at once when the connection had to be made anew (a ring may be lost)."""
        import psycopg  # an optional engine: only this bell needs it

        try:
            if self._connection is None:
                listening = psycopg.connect(**connection.get_connection_params(), autocommit=True)
                listening.execute(f"LISTEN {CHANNEL}")
                self._connection = listening
                return
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                for ring in self._connection.notifies(timeout=left, stop_after=1):  # type: ignore[attr-defined]
                    if ring.payload in self._heeds:
                        return
                    until = min(until, time.monotonic() + OTHERS_FIRST)
        except psycopg.OperationalError as error:
            log.warning("bell.reconnects", error=type(error).__name__)
            self._connection = None
            threading.Event().wait(min(seconds, 0.25))

    def close(self) -> None:
        """Close the listening connection."""
        if self._connection is not None:
            self._connection.close()  # type: ignore[attr-defined]
            self._connection = None


LOCAL = InProcessBell()


def make_bell(heeds: Collection[str] = tuple(DOORBELLS)) -> Bell:
    """The bell this process waits on, by the `OMNI_BELL` setting."""
    return PostgresBell(heeds) if settings.OMNI.bell == "postgres" else LOCAL


def notification(lane: str) -> tuple[str, str] | None:
    """Channel and word of the NOTIFY that rings for a lane; None where bells are rung otherwise."""
    return (CHANNEL, lane) if settings.OMNI.bell == "postgres" and connection.vendor == "postgresql" else None


def ring(*, lane: str = "promotional", notified: bool = False) -> None:
    """Say that there is work, once the caller's transaction has committed. notified: its `notification` is on the way with something
    else."""
    word = None if notified else notification(lane)
    if word is not None:
        with prepared_cursor() as cursor:  # NOTIFY is itself transactional
            cursor.execute("SELECT pg_notify(%s, %s)", word)
    elif settings.OMNI.bell == "celery":
        transaction.on_commit(lambda: _ring_celery(lane))
    transaction.on_commit(LOCAL.ring)


def _ring_celery(lane: str) -> None:
    try:
        current_app.send_task(DOORBELLS[lane], queue=lane, ignore_result=True)  # a task sent by name doesn't know its own queue
    except OperationalError as error:  # the broker is down: the poll finds the work
        log.warning("bell.broker_down", error=type(error).__name__)
