"""The Celery app and its queues, nothing else: tasks live in the rooms' `tasks.py` and are doorbells.

Start it with `celery -A omni.celery worker -Q transactional,promotional` and, once per installation,
`celery -A omni.celery beat`.
"""

from __future__ import annotations

import os
from enum import StrEnum

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

from celery import Celery
from django.conf import settings
from kombu.entity import Exchange
from kombu.entity import Queue as Declared

TICK_EVERY = 5.0  # seconds between looks at schedules, waves and evidence
RUNG = ("send-batches", "send-transactional")  # by beat, each in its own queue: it keeps time, and finds what a lost ring left lying
CONNECT_WITHIN = 2.0  # seconds; a broker that is down must not hold up whoever rings


class Queue(StrEnum):
    """Queues are named by what waits in them."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"


app = Celery("omni")
app.conf.update(
    broker_url=settings.OMNI.broker_url or None,
    broker_connection_timeout=CONNECT_WITHIN,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_connect_timeout": CONNECT_WITHIN, "socket_timeout": 30.0},
    task_queues=[Declared(queue.value, Exchange(queue.value), routing_key=queue.value) for queue in Queue],  # type: ignore[no-untyped-call]
    task_default_queue=Queue.PROMOTIONAL.value,
    task_ignore_result=True,
    task_publish_retry=False,  # the poll finds the work; ringing must not wait for a broker
    task_acks_late=False,  # a doorbell that is lost costs one poll
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    timezone="UTC",
    beat_schedule={name: {"task": f"workflow.{name}", "schedule": TICK_EVERY, "options": {"expires": TICK_EVERY}} for name in RUNG},
    beat_schedule_filename=str(settings.OMNI.data_dir / "celerybeat-schedule"),
)
app.set_default()
app.autodiscover_tasks(["audience", "delivery", "workflow"])
