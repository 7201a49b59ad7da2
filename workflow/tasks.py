"""Doorbells for Celery: each rings the same loop that `manage.py worker` runs. Losing one loses nothing."""

from __future__ import annotations

import time

from celery import shared_task
from celery.signals import worker_shutting_down

from workflow.worker import Worker

SEND_FOR = 300.0  # seconds one task may hold a Celery slot; the rest waits for the next ring or poll
IN_HAND: list[Worker] = []  # the one that sends in this process, if any


@shared_task(name="workflow.send-batches", queue="promotional", ignore_result=True)
def send_batches(**_: object) -> None:
    """Lease and send promotional batches until nothing is due."""
    _drain(Worker("celery-promotional", lanes=("promotional",), keeps_time=False))


@shared_task(name="workflow.send-transactional", queue="transactional", ignore_result=True)
def send_transactional(**_: object) -> None:
    """Lease and send transactional messages and triggered campaigns until nothing is due."""
    _drain(Worker("celery-transactional", lanes=("transactional",), keeps_time=False))


@shared_task(name="workflow.tick", queue="transactional", ignore_result=True)
def tick(**_: object) -> None:
    """Schedules, waves, evidence about requests in doubt; then transactional work. Promotional work is never sent from this queue."""
    keeper = Worker("celery-tick", lanes=("transactional",))
    keeper.keep_time()
    _drain(keeper)


@worker_shutting_down.connect
def finish(**_: object) -> None:
    """Celery was told to stop and waits for its task: finish the request in hand, and leave the rest to others."""
    for sender in IN_HAND:
        sender.stop()


def _drain(sender: Worker) -> None:
    IN_HAND.append(sender)
    try:
        sender.drain(until=time.monotonic() + SEND_FOR)
    finally:
        IN_HAND.remove(sender)
        sender.vendors.close()
