"""R18: a rolling deploy, ten times in a send: of two worker commands one is told to end (SIGTERM), and another takes its place."""

from __future__ import annotations

import signal
import time

from tests.crash.judging import judge
from tests.crash.killing import marks
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import end, family, stage

MAILS, DEPLOYS, PROCESSES, DRAIN = 100_000, 10, 2, 30.0


def run(call: Call) -> Found:
    found, mails, chance = Found(), call.many(MAILS), call.chance()
    with stage(mails, drain_seconds=str(DRAIN)) as made:
        made.vendor.takes(0.15)
        made.launch()
        workers, slowest, bad = [made.worker(), made.worker()], 0.0, 0
        for mark in marks(chance, DEPLOYS, mails):
            made.until(lambda: made.vendor.accepted() > mark, within=120)  # noqa: B023  # asked at once
            old = workers.pop(0)
            made.until(lambda: len(family(old)) > PROCESSES, within=60)  # noqa: B023  # it has begun: before that it holds nothing
            began = time.monotonic()
            old.send_signal(signal.SIGTERM)
            workers.append(made.worker())
            if not made.until(lambda: old.poll() is not None, within=2 * DRAIN):  # noqa: B023
                end(old)
            slowest, bad = max(slowest, time.monotonic() - began), bad + (old.returncode != 0)
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails)
        found.figures |= {"deploys": DEPLOYS, "slowest drain s": round(slowest, 1)}
        found.must(slowest <= DRAIN, f"a worker took {slowest:.0f} s to end")
        found.must(bad == 0, f"{bad} workers ended badly")
    return found


PROOF = Proof(
    "R18",
    "a rolling restart (`SIGTERM`) 10 times in 100,000 mails",
    "lost 0, twice 0, in doubt 0; each drained within 30 s",
    run,
)
