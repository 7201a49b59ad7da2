"""Worker processes that are killed, or told to end, in the middle of a send."""

from __future__ import annotations

import subprocess
import time
from random import Random

from tests.crash.stage import Stage, end


def marks(chance: Random, many: int, planned: int) -> list[int]:
    """At how many accepted messages something happens: drawn over the first nine tenths of a send."""
    return sorted(int(planned * chance.uniform(0.01, 0.9)) for _ in range(many))


def wait_for(made: Stage, process: subprocess.Popen[bytes], mark: int, chance: Random) -> None:
    """Until the vendor has taken so many, and a moment longer; where it had them before, a moment after the start."""
    before = made.vendor.accepted()
    if not made.until(lambda: made.vendor.accepted() > max(mark, before) or process.poll() is not None, within=120):
        raise RuntimeError(f"the vendor has {made.vendor.accepted():,} and gets no more:\n{made.words()}")
    time.sleep(chance.uniform(0, 0.15))


def kill_all(made: Stage, chance: Random, kills: int, planned: int) -> subprocess.Popen[bytes]:
    """SIGKILL to every process of the worker at so many moments, each time started again. Returns the one that is left alone."""
    process = made.worker()
    for mark in marks(chance, kills, planned):
        wait_for(made, process, mark, chance)
        end(process)
        process = made.worker()
    return process
