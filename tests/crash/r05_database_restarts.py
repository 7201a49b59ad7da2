"""R05: PostgreSQL is restarted without a goodbye (`pg_ctl restart -m immediate`) five times in a send."""

from __future__ import annotations

import time

from tests.crash.judging import judge
from tests.crash.killing import marks
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import Stage, restart, stage

MAILS, RESTARTS, BATCH, PROCESSES, BACK_WITHIN = 100_000, 5, 200, 2, 30.0


def run(call: Call) -> Found:
    found, mails = Found(), call.many(MAILS)
    with stage(mails, batch=BATCH) as made:
        made.vendor.takes(0.2)
        made.launch()
        made.worker(processes=PROCESSES)
        slowest = 0.0
        for mark in marks(call.chance(), RESTARTS, int(mails * 0.8)):
            made.until(lambda: made.vendor.accepted() > mark, within=120)  # noqa: B023  # asked at once
            slowest = max(slowest, _back_after_a_restart(made, mails))
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails, in_doubt_at_most=RESTARTS * PROCESSES * BATCH)
        found.figures |= {"restarts": RESTARTS, "back at half its speed after at most s": round(slowest, 1)}
        found.must(slowest <= BACK_WITHIN, f"it took {slowest:.0f} s until it sent at half its speed again")
    return found


def _back_after_a_restart(made: Stage, mails: int) -> float:
    """Seconds from the restart until a second brings half of what one brought before."""
    before = _in_a_second(made)
    began = time.monotonic()
    restart("immediate")
    while _in_a_second(made) < before / 2 and made.vendor.accepted() < mails and time.monotonic() - began < 3 * BACK_WITHIN:
        continue
    return time.monotonic() - began


def _in_a_second(made: Stage) -> int:
    before = made.vendor.accepted()
    time.sleep(1)
    return made.vendor.accepted() - before


PROOF = Proof(
    "R05",
    "PostgreSQL restarts (`immediate`) 5 times in 100,000 mails",
    "lost 0, twice 0; in doubt at most what was in flight; sends at speed again within 30 s",
    run,
)
