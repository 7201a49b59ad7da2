"""`worker` sends with several processes: whichever of them is killed, nothing is lost and none is left behind."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.vendor_standin import StandIn
from tests.workflow.test_stopping_a_large_send import TEXTS, WITHIN, Installation, vendor

__all__ = ["vendor"]
pytestmark = pytest.mark.postgres
SOON = {"OMNI_VENDOR_TIMEOUT": "1", "OMNI_LEASE_SECONDS": "4"}


@contextlib.contextmanager
def working(omni: Installation, processes: int) -> Iterator[subprocess.Popen[bytes]]:
    process, family = omni.start("worker", "--processes", str(processes)), set[psutil.Process]()
    try:
        until(lambda: len(senders(process)) == processes)
        family |= set(senders(process))
        yield process
    finally:
        for each in family | set(senders(process)):
            with contextlib.suppress(psutil.Error):
                each.kill()
        process.kill()
        process.wait()


def senders(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children()
    except psutil.Error:
        return []


def until(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def settled(omni: Installation) -> int:
    """Messages of which somebody knows what became of them, or that nobody will."""
    return sum(number for state, number in omni.ledger()["states"].items() if state != "sending")


def launch(omni: Installation, campaign: str) -> None:
    omni.run("manage.py", "send_campaign", campaign, "--yes", "--no-wait", "--as", "bo")


def test_whoever_is_killed_nothing_is_lost_doubled_or_left_behind(vendor: tuple[StandIn, str], tmp_path: Path, postgres_url: str) -> None:
    standin, address = vendor
    omni = Installation(address, tmp_path, postgres_url)
    omni.environment |= SOON
    launch(omni, "texts")
    with working(omni, 3) as process:
        until(lambda: len(standin.accepted) > 10)
        standin.delay = 0.0
        victim = senders(process)[-1]
        victim.kill()
        until(lambda: len(senders(process)) == 3 and victim not in senders(process))
        until(lambda: settled(omni) == TEXTS)  # what the victim held, too, once the lease has run out
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN) == 0
    states = omni.ledger()["states"]
    assert set(states) <= {"sent", "in_doubt"}
    assert states["sent"] <= len(standin.accepted) <= TEXTS, "what the victim was told of nobody is in doubt, and not sent again"

    launch(omni, "mails")
    standin.delay = 0.5
    with working(omni, 2) as process:
        before, left = len(standin.accepted), senders(process)
        until(lambda: len(standin.accepted) > before)
        process.kill()
        until(lambda: all(map(gone, left)))
    more = omni.ledger()["states"]
    assert more["sent"] - states["sent"] == len(standin.accepted) - before, "each finished what it had in hand and wrote it down"
    assert more.get("in_doubt", 0) == states.get("in_doubt", 0)
    assert set(standin.times().values()) == {1}
