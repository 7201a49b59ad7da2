"""A deploy in the middle of a large send: SIGTERM ends the process in good order, wherever it is, and the next one goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni.environment import BASE_DIR
from tests.vendor_standin import StandIn, serve

TEXTS, MAILS = 400, 400
WITHIN = 120.0  # seconds until a process has started, or ended


@pytest.fixture
def vendor() -> Iterator[tuple[StandIn, str]]:
    """A vendor that takes its time: a whole batch lasts longer than a process may take to stop."""
    made = StandIn(delay=0.5)
    server = serve(0, made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Installation:
    """An instance in processes of its own, with people, routes and two approved campaigns."""

    def __init__(self, vendor: str, folder: Path, database_url: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_", "PYTEST_"))}
        self.environment = {
            **kept,
            "OMNI_ENV": "test",
            "OMNI_DATA_DIR": str(folder),
            "OMNI_DATABASE_URL": database_url,
            "OMNI_VENDOR": "routes",
            "OMNI_SENDGRID_BASE_URL": vendor,
            "OMNI_TWILIO_BASE_URL": vendor,
            "OMNI_SECRET_SENDGRID_KEY": "SG.test",
            "OMNI_SECRET_SENDGRID_WEBHOOK": StandIn().public_key(),
            "OMNI_SECRET_TWILIO_TOKEN": "token",
            "OMNI_ALLOWED_RECIPIENTS": "@example.com,+1212555",
            "OMNI_DRAIN_SECONDS": "4",
        }
        self.run("-m", "benchmarks.scene", "--mails", str(MAILS), "--texts", str(TEXTS), "--batch", "20")

    def run(self, *words: str) -> str:
        done = subprocess.run([sys.executable, *words], cwd=BASE_DIR, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2_000:]
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "manage.py", *words], cwd=BASE_DIR, env=self.environment, stderr=subprocess.DEVNULL)

    def ledger(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = json.loads(self.run("-m", "benchmarks.ledger"))
        return found


def end_in_the_middle(process: subprocess.Popen[bytes], vendor: StandIn, more: int = 40) -> None:
    """SIGTERM once the vendor has taken some more messages; the process must end by itself, and well."""
    seen, until = len(vendor.accepted), time.monotonic() + WITHIN
    while len(vendor.accepted) < seen + more and time.monotonic() < until:
        time.sleep(0.02)
    try:
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN) == 0
    finally:
        process.kill()


def judge(vendor: tuple[StandIn, str], folder: Path, database_url: str) -> None:
    standin, address = vendor
    omni = Installation(address, folder, database_url)
    for campaign in ("texts", "mails"):
        omni.run("manage.py", "send_campaign", campaign, "--yes", "--no-wait", "--as", "bo")
    end_in_the_middle(omni.start("worker"), standin)
    assert omni.ledger()["states"] == {"sent": len(standin.accepted)}, "what was begun was finished and written down"
    standin.delay = 0.0
    omni.run("manage.py", "worker", "--drain")
    assert omni.ledger()["states"] == {"sent": TEXTS + MAILS}
    assert set(standin.times().values()) == {1} and len(standin.times()) == TEXTS + MAILS


@pytest.mark.sqlite
def test_stopping_during_a_large_send_loses_and_doubles_nothing_on_sqlite(vendor: tuple[StandIn, str], tmp_path: Path) -> None:
    judge(vendor, tmp_path, "")


@pytest.mark.postgres
def test_stopping_during_a_large_send_loses_and_doubles_nothing_on_postgres(
    vendor: tuple[StandIn, str], tmp_path: Path, postgres_url: str
) -> None:
    judge(vendor, tmp_path, postgres_url)


@pytest.mark.sqlite
def test_a_launch_from_the_shell_that_is_interrupted_leaves_the_rest_to_workers(vendor: tuple[StandIn, str], tmp_path: Path) -> None:
    standin, address = vendor
    omni = Installation(address, tmp_path, "")
    end_in_the_middle(omni.start("send_campaign", "texts", "--yes", "--as", "bo"), standin)
    assert omni.ledger()["states"] == {"sent": len(standin.accepted)}
    standin.delay = 0.0
    omni.run("manage.py", "worker", "--drain")
    assert omni.ledger()["states"] == {"sent": TEXTS}
    assert set(standin.times().values()) == {1}
