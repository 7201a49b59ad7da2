"""`kill -9`, for real: worker processes die at random instants while a vendor misbehaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vendor_standin import StandIn, faults_by_chance, serve

MAILS, KILLS = 2_000, 4


@pytest.fixture
def lab() -> Iterator[tuple[StandIn, str]]:
    made = StandIn(fault=faults_by_chance({"accept_drop": 0.08, "429": 0.05, "accept_500": 0.04, "drop": 0.03}))
    server = serve(0, made)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.sqlite
def test_killed_workers_lose_nothing_and_double_nothing_on_sqlite(lab: tuple[StandIn, str], tmp_path: Path) -> None:
    judge(lab, tmp_path, "")


@pytest.mark.postgres
def test_killed_workers_lose_nothing_and_double_nothing_on_postgres(lab: tuple[StandIn, str], tmp_path: Path, postgres_url: str) -> None:
    judge(lab, tmp_path, postgres_url)


def judge(lab: tuple[StandIn, str], folder: Path, database_url: str) -> None:
    vendor, url = lab
    process = killing(url, folder, database_url)
    assert process.stdin is not None and process.stdout is not None
    try:
        found = json.loads(process.stdout.readline())
        # Without a word from the vendor: everybody once at most, and whoever may have been missed is listed.
        states, times = found["states"], vendor.times()
        assert len(states) == MAILS and set(states.values()) <= {"sent", "in doubt"}
        assert max(times.values()) == 1
        assert {token for token, state in states.items() if state == "sent"} <= set(times)
        assert found["listed"] == Counter(states.values())["in doubt"] > 0

        vendor.fault = lambda number: "ok"
        seen = send_events(process.stdin, vendor, 0)
        assert process.stdout.readline() == "probed\n"
        send_events(process.stdin, vendor, seen)
        states = json.loads(process.stdout.readline())["states"]
        # With its events: everybody exactly once.
        assert set(states.values()) == {"sent"}
        assert all(vendor.times()[token] == 1 for token in states)
    finally:
        process.kill()
        process.communicate()


def send_events(pipe: object, vendor: StandIn, start: int) -> int:
    accepted = vendor.accepted[start:]
    lines = [json.dumps([one.vendor, one.message_id, one.address, one.vendor_id]) + "\n" for one in accepted]
    pipe.write("".join(lines) + "\n")  # type: ignore[attr-defined]
    pipe.flush()  # type: ignore[attr-defined]
    return start + len(accepted)


def killing(url: str, folder: Path, database_url: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_", "PYTEST_"))}
    environment = {
        **kept,
        "OMNI_ENV": "test",
        "OMNI_DATA_DIR": str(folder),
        "OMNI_DATABASE_URL": database_url,
        "OMNI_VENDOR": "routes",
        "OMNI_SENDGRID_BASE_URL": url,
        "OMNI_SECRET_SENDGRID_KEY": "SG.test",
        "OMNI_ALLOWED_RECIPIENTS": "@example.com",
        "OMNI_LEASE_SECONDS": "3",
        "OMNI_VENDOR_TIMEOUT": "0.7",
        "OMNI_IN_DOUBT_AFTER": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.killing", str(MAILS), str(KILLS), "1"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
