"""`manage.py serve`: one process that answers, sends, and ends tidily when it is told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omni.embedded import reserve
from omni.environment import BASE_DIR

WITHIN = 120.0  # seconds until a process has started or ended, on a machine with much else to do


def environment(folder: Path, **variables: str) -> dict[str, str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_"))}
    return {**outside, "OMNI_DATA_DIR": str(folder), "OMNI_LOG_FORMAT": "json", "OMNI_PORT": "0", **variables}


def manage(*words: str, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "manage.py", *words], cwd=BASE_DIR, env=given, capture_output=True, text=True, check=True)


@contextmanager
def serving(given: dict[str, str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A serving process and its address."""
    with open(log, "wb") as written:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], cwd=BASE_DIR, env={**given, "PYTHONUNBUFFERED": "1"}, stdout=written, stderr=written
        )
    try:
        yield process, _address(process, log)
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + WITHIN
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("OMNI is at "):
                return line.removeprefix("OMNI is at ").removesuffix("/console/")
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def get(url: str) -> tuple[int, bytes]:
    until = time.monotonic() + WITHIN
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@pytest.mark.sqlite
def test_it_serves_and_ends_tidily_on_sigterm(tmp_path: Path) -> None:
    given = environment(tmp_path)
    manage("migrate", "--verbosity", "0", given=given)
    with serving(given, tmp_path / "log") as (process, address):
        assert get(f"{address}/healthz") == (200, b'{"status": "ok"}')
        assert get(f"{address}/readyz")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN) == 0
    events = [json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    assert {"worker.started", "worker.stopped", "process.drained"} <= set(events)


@pytest.mark.sqlite
def test_it_is_not_ready_before_the_migrations(tmp_path: Path) -> None:
    with serving(environment(tmp_path), tmp_path / "log") as (_, address):
        status, body = get(f"{address}/readyz")
    assert status == 503 and json.loads(body)["migrations"] == "behind"


@pytest.mark.sqlite
def test_a_taken_port_means_the_next_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(environment(tmp_path, OMNI_PORT=str(port)), tmp_path / "log") as (_, address):
            assert get(f"{address}/healthz")[0] == 200
    assert not address.endswith(f":{port}")


@pytest.mark.postgres
def test_it_serves_on_postgresql_with_its_bell(tmp_path: Path, postgres_url: str) -> None:
    given = environment(tmp_path, OMNI_DATABASE_URL=postgres_url, OMNI_BELL="postgres")
    manage("migrate", "--verbosity", "0", given=given)
    with serving(given, tmp_path / "log") as (process, address):
        assert get(f"{address}/readyz") == (200, b'{"status": "ready", "database": "ok", "migrations": "ok", "bell": "ok"}')
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN) == 0


@pytest.mark.sqlite
def test_nobody_is_refused_once_the_address_is_said(tmp_path: Path) -> None:
    with serving(environment(tmp_path), tmp_path / "log") as (_, address):
        host, port = address.removeprefix("http://").split(":")
        socket.create_connection((host, int(port)), timeout=WITHIN).close()


def test_small_answers_do_not_wait_for_an_acknowledgement() -> None:
    with reserve("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP, "asyncio turns Nagle's delay off only for sockets that say they are TCP"
