"""Doorbells for Celery, one per queue: each rings the same loop that `manage.py worker` runs. Losing one loses nothing."""

from __future__ import annotations

import threading
import time

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from delivery import door as delivery
from delivery.door import LaneName
from workflow import bells
from workflow.worker import Worker

SEND_FOR = 15.0  # seconds one task may hold a Celery slot: what a worker that is told to stop needs to end; then it rings for the next
_kept = threading.local()
_every: list[Worker] = []  # of all threads of this process


@shared_task(name="workflow.send-batches", queue="promotional", ignore_result=True)
def send_batches(**_: object) -> None:
    """Keep time, then lease and send promotional batches until nothing is due. Celery beat rings it, too."""
    _drain("promotional")


@shared_task(name="workflow.send-transactional", queue="transactional", ignore_result=True)
def send_transactional(**_: object) -> None:
    """Lease and send transactional messages and triggered campaigns until nothing is due. Celery beat rings it, too."""
    _drain("transactional")


@worker_shutting_down.connect
def finish(**_: object) -> None:
    """Celery was told to stop and waits for its task: finish the request in hand, and leave the rest to others."""
    for sender in _every:
        sender.stop()


def _drain(lane: LaneName) -> None:
    sender = _worker(lane)
    sender.drain(until=time.monotonic() + SEND_FOR)
    if sender.is_over() and delivery.due(timezone.now()):
        bells.ring(lane=lane)


def _worker(lane: LaneName) -> Worker:
    """This thread's own, kept from ring to ring: one message must not cost one connection to its vendor."""
    known: dict[str, Worker] = _kept.__dict__.setdefault("workers", {})
    if lane not in known:
        # Schedules and snapshots resolve audiences, which takes seconds: only where no transactional message waits behind them.
        known[lane] = Worker(f"celery-{lane}", lanes=(lane,), keeps_time=lane == "promotional")
        _every.append(known[lane])
    return known[lane]
