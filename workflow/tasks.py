"""Doorbells for Celery: each rings the same loop that `manage.py worker` runs. Losing one loses nothing."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from delivery.door import LaneName
from workflow import worker

SEND_FOR = 300.0  # seconds one task may hold a Celery slot; the rest waits for the next ring or poll


@shared_task(name="workflow.send-batches", queue="promotional", ignore_result=True)
def send_batches(**_: object) -> None:
    """Lease and send promotional batches until nothing is due."""
    _drain("promotional")


@shared_task(name="workflow.send-transactional", queue="transactional", ignore_result=True)
def send_transactional(**_: object) -> None:
    """Lease and send transactional messages and triggered campaigns until nothing is due."""
    _drain("transactional")


@shared_task(name="workflow.tick", queue="transactional", ignore_result=True)
def tick(**_: object) -> None:
    """Schedules, waves, evidence about requests in doubt; then whatever became due. Celery beat rings it."""
    keeper = worker.Worker("celery-tick", clock=timezone.now)
    try:
        keeper.keep_time()
        keeper.drain(until=time.monotonic() + SEND_FOR)
    finally:
        keeper.vendors.close()


def _drain(lane: LaneName) -> None:
    sender = worker.Worker(f"celery-{lane}", lanes=(lane,), keeps_time=False)
    try:
        sender.drain(until=time.monotonic() + SEND_FOR)
    finally:
        sender.vendors.close()
