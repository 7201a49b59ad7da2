"""R04: a sending process sleeps (SIGSTOP) past its lease, somebody else takes its work, and it wakes up (SIGCONT)."""

from __future__ import annotations

import time

import psutil

from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import family, stage
from tests.crash.vendor import Vendor

MAILS, NAPS, BATCH, LEASE, PROCESSES = 100_000, 20, 100, 3.0, 3


def run(call: Call) -> Found:
    found, chance, naps = Found(), call.chance(), NAPS if call.scale == 1 else 3
    mails = call.many(MAILS)
    with stage(mails, batch=BATCH, vendor_timeout="0.8", lease_seconds=str(LEASE)) as made:
        made.vendor.takes(0.35)  # slow enough to outlast all naps, and a request is nearly always in the air
        made.launch()
        worker = made.worker(processes=PROCESSES)
        made.until(lambda: made.vendor.accepted() > 0, within=120)
        taken_over = 0
        for _ in range(naps):
            sleeper = chance.choice([each for each in family(worker) if each.pid != worker.pid])
            time.sleep(chance.uniform(0, 0.5))
            taken_over += _nap(made.vendor, sleeper)
            found.must(made.vendor.accepted() < mails, "the send was over before the naps were")
        made.vendor.takes(0)
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails, in_doubt_at_most=naps * BATCH)
        found.figures |= {"naps": naps, "lease s": LEASE, "nap s": 2 * LEASE, "naps during which others sent": taken_over}
    return found


def _nap(vendor: Vendor, sleeper: psutil.Process) -> bool:
    """Twice as long as a lease; whether the vendor took anything meanwhile."""
    before = vendor.accepted()
    sleeper.suspend()
    time.sleep(2 * LEASE)
    sleeper.resume()
    return vendor.accepted() > before


PROOF = Proof(
    "R04",
    "a sending process sleeps past its lease (`SIGSTOP`, `SIGCONT`), 20 times in a send",
    "lost 0, twice 0; in doubt at most the one request that each held",
    run,
)
