"""R10: rendering one person's message crashes the process (SIGSEGV), every time; everybody else gets theirs."""

from __future__ import annotations

import time

from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import stage

MAILS, BATCH, WITHIN, DEFAULT_LEASE = 20_000, 1_000, 60.0, "60"


def run(call: Call) -> Found:
    found, mails = Found(), call.many(MAILS)
    poison = f"person{mails // 2}@example.com"
    with stage(
        mails, batch=BATCH, lease_seconds=DEFAULT_LEASE, vendor_timeout="10", in_doubt_after="900"
    ) as made:  # as nobody has set them
        made.launch()
        made.omni.start("-m", "tests.crash.poisoned", poison, "worker", "--lane", "promotional", "--processes", "2")
        made.until(lambda: made.vendor.accepted() > 0, within=120)
        began = time.monotonic()
        made.until(lambda: made.vendor.accepted() >= mails - BATCH, within=300)
        other_batches = time.monotonic() - began
        made.until(lambda: made.vendor.accepted() >= mails - 1, within=1_800)
        everybody_else = time.monotonic() - began
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails)
        crashes = made.words_counted("worker.died")
        found.figures |= {
            "parked": ledger["states"].get("failed", 0),
            "crashes": crashes,
            "other batches sent after s": round(other_batches, 1),
            "everybody else after s": round(everybody_else, 1),
        }
        received = sum(one.to == poison for one in made.vendor.log())
    found.must(ledger["states"] == {"sent": mails - 1, "failed": 1}, f"the ledger says {ledger['states']}")
    found.must(received == 0, "the poisoned message was sent")
    found.must(everybody_else <= WITHIN, f"it took {everybody_else:.0f} s until everybody else had theirs")
    return found


PROOF = Proof(
    "R10",
    "one message of 20,000 crashes whoever renders it (`SIGSEGV`), with the settings nobody has changed",
    "everybody else's is sent within 60 s; the one is parked as failed(poison), and never sent",
    run,
)
