"""Celery as the bell: a task is a doorbell to the same loop, and a broker that forgets everything loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from audience import door as audience
from delivery import door as delivery
from omni.celery import app
from omni.environment import BASE_DIR
from tests import engines, factories
from workflow import pipeline

WITHIN = 60.0  # seconds until a started process has sent what is due
pytestmark = [pytest.mark.postgres, pytest.mark.valkey, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("celery")]


@pytest.fixture
def celery(valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """This process rings Valkey; the environment of processes that listen there, on this test's database."""
    monkeypatch.setattr(settings, "OMNI", settings.OMNI.model_copy(update={"bell": "celery", "broker_url": valkey_url}))
    monkeypatch.setattr(app.conf, "broker_url", valkey_url)
    redis.from_url(valkey_url).flushall()
    url = engines.database_url(engines.postgres(), str(connection.settings_dict["NAME"]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    yield {**kept, "OMNI_DATABASE_URL": url, "OMNI_BELL": "celery", "OMNI_BROKER_URL": valkey_url, "OMNI_LOG_FORMAT": "json"}


def start(given: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "omni.celery", *words],
        cwd=BASE_DIR,
        env=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def sent(run: pipeline.Run) -> int:
    view = delivery.facts(run.workspace_id, run.dispatch_id)
    return sum(number for state, number in view.states.items() if state in {"sent", "delivered"})


def wait_until_sent(run: pipeline.Run, number: int) -> None:
    wait_until(lambda: sent(run) >= number)
    assert sent(run) == number


def launch(people: int, **changes: Any) -> pipeline.Run:
    now = timezone.now()
    factories.profiles(people, now=now)
    key = factories.spring_sale(now=now, reentry=True, **changes)
    return pipeline.launch(factories.person("ben", now=now), key, now=timezone.now())


def ask_for_a_reset() -> str:
    """A transactional message's id, accepted."""
    now = timezone.now()
    words = {"en": {"subject": "Your code", "blocks": [{"type": "text", "id": "code", "text": "It is 424242."}]}}
    body = factories.template(message_class="transactional", topic=None, variables={}, locales=words)
    factories.in_force("template", "reset", body, now=now)
    asked = pipeline.MessageRequest.model_validate({"type": "reset", "to": {"external_id": "ada", "email": "ada@example.com"}})
    return pipeline.send_now(factories.person("ben", now=now), asked, idempotency_key=None, now=timezone.now()).message_id


def state_of(message_id: str) -> str:
    return delivery.timeline(factories.workspace().pk, message_id).state


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.2)
    assert held


def test_a_launch_rings_a_celery_worker_that_sends_and_ends_tidily(celery: dict[str, str]) -> None:
    worker = start(celery, "worker", "--pool", "solo", "-Q", "promotional,transactional", "--without-mingle", "--without-gossip")
    try:
        run = launch(12)
        wait_until_sent(run, 12)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WITHIN) == 0
    finally:
        worker.kill()


def test_a_broker_that_was_emptied_loses_nothing_and_beat_keeps_time(celery: dict[str, str], valkey_url: str) -> None:
    run, reset = launch(12), ask_for_a_reset()
    redis.from_url(valkey_url).flushall()  # the rings are gone
    assert sent(run) == 0 and state_of(reset) == "accepted"
    worker = start(celery, "worker", "--pool", "solo", "-Q", "promotional,transactional", "--without-mingle", "--without-gossip")
    beat = start(celery, "beat", "--schedule", celery["OMNI_DATA_DIR"] + "/beat", "--pidfile=")
    try:
        wait_until_sent(run, 12)
        wait_until(lambda: state_of(reset) == "sent")
        wait_until(lambda: bool(audience.growth(run.workspace_id, "everyone").days))  # kept by whoever keeps time
    finally:
        worker.kill()
        beat.kill()


def test_a_broker_that_is_down_does_not_hold_up_a_launch(celery: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1")
    run = launch(3)
    assert run.considered == 3


def test_a_password_reset_rings_the_queue_that_is_kept_free_for_it(celery: dict[str, str]) -> None:
    worker = start(celery, "worker", "--pool", "solo", "-Q", "transactional", "--without-mingle", "--without-gossip")
    try:
        reset = ask_for_a_reset()
        wait_until(lambda: state_of(reset) == "sent")
    finally:
        worker.kill()


def test_a_celery_worker_told_to_stop_leaves_the_rest_of_a_campaign(celery: dict[str, str]) -> None:
    worker = start(celery, "worker", "--pool", "solo", "-Q", "promotional", "--without-mingle", "--without-gossip")
    try:
        run = launch(2000, batch_size=10)
        until = time.monotonic() + WITHIN
        while not sent(run) and time.monotonic() < until:
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WITHIN) == 0
        view = delivery.facts(run.workspace_id, run.dispatch_id)
        assert 0 < sent(run) < 2000 and view.in_doubt == 0 and not view.states.get("sending")
    finally:
        worker.kill()
