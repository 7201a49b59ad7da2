"""One process at a time sends from a SQLite file; the next takes over when it ends, however it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import connection

from delivery.models import OutboxMail
from tests import factories as make
from workflow import pipeline, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]
HOLD = """
import fcntl, os, sys, time
turn = open(sys.argv[1], "a+")
fcntl.flock(turn, fcntl.LOCK_EX)
turn.truncate(0); turn.write(str(os.getpid())); turn.flush()
print("held", flush=True)
time.sleep(120)
"""


@contextmanager
def another_process_sends() -> Iterator[subprocess.Popen[str]]:
    path = f"{connection.settings_dict['NAME']}.worker"
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def launched(now: datetime) -> pipeline.Run:
    make.profiles(3, now=now)
    return pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now), now=now)


def test_a_second_worker_process_is_refused_and_told_who_sends(capsys: pytest.CaptureFixture[str]) -> None:
    with another_process_sends() as other, pytest.raises(SystemExit, match="3"):
        call_command("worker", "--drain")
    assert f"process {other.pid} sends from this SQLite file already" in capsys.readouterr().err


def test_who_drains_leaves_the_sending_to_the_other_process(now: datetime) -> None:
    launched(now)
    with another_process_sends():
        assert worker.drain(now=lambda: now) == 0
    assert OutboxMail.objects.count() == 0
    assert worker.drain(now=lambda: now) > 0
    assert OutboxMail.objects.count() == 3


def test_a_worker_that_stands_by_takes_over_from_one_that_was_killed(now: datetime) -> None:
    launched(now)
    standing_by = worker.Worker("second", clock=lambda: now)
    thread = threading.Thread(target=standing_by.run)
    with another_process_sends() as first:
        thread.start()
        time.sleep(0.3)
        assert OutboxMail.objects.count() == 0
        first.kill()
        until = time.monotonic() + 30
        while OutboxMail.objects.count() < 3 and time.monotonic() < until:
            time.sleep(0.05)
    standing_by.stop()
    thread.join(timeout=30)
    assert OutboxMail.objects.count() == 3 and not thread.is_alive()
