"""R06: Celery's broker forgets everything three times in a send; the database is the queue, so nothing happens but a pause."""

from __future__ import annotations

import time

from celery import Celery

from tests import engines
from tests.crash.judging import judge
from tests.crash.killing import marks
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import Stage, stage

MAILS, WIPES, POLL = 100_000, 3, 5.0
SEND_FOR = 15.0  # seconds that one task sends before it rings for the next (workflow/tasks.py)


def run(call: Call) -> Found:
    found, mails, broker = Found(), call.many(MAILS), engines.valkey()
    wiping = Celery(broker=broker).connection().default_channel.client
    with stage(mails, texts=50, bell="celery", broker_url=broker) as made:
        made.vendor.takes(0.2)
        celery = ("-m", "celery", "-A", "omni.celery")
        made.omni.start(*celery, "worker", "-Q", "transactional,promotional", "-c", "2", "-l", "warning")
        made.omni.start(*celery, "beat", "-l", "warning")
        made.launch()
        longest, most = 0.0, int(mails * 0.9)
        for mark in marks(call.chance(), WIPES, most):
            made.until(lambda: made.vendor.accepted() > mark, within=120)  # noqa: B023  # asked at once
            wiping.flushall()
            longest = max(longest, _stillness(made, mails))
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails)
        _rings_once_more(found, made, broker)
        found.figures |= {"wipes": WIPES, "longest pause s": round(longest, 1)}
        found.must(longest <= 2 * POLL, f"nothing was sent for {longest:.0f} s after a wipe")
    return found


def _stillness(made: Stage, mails: int) -> float:
    """The longest pause between two accepted requests, watched for as long as a task may hold out without the next ring."""
    until, last, count, longest = time.monotonic() + SEND_FOR + 2 * POLL, time.monotonic(), made.vendor.accepted(), 0.0
    while time.monotonic() < until and count < mails:
        time.sleep(0.05)
        now = made.vendor.accepted()
        longest = max(longest, time.monotonic() - last)
        if now > count:
            last, count = time.monotonic(), now
    return longest


def _rings_once_more(found: Found, made: Stage, broker: str) -> None:
    """Whoever rings after a wipe isn't punished for it, and what they rang for is sent."""
    Celery(broker=broker).connection().default_channel.client.flushall()
    before = made.vendor.accepted()
    made.omni.manage("send_campaign", "texts", "--yes", "--no-wait", "--as", "bo")
    sent = made.until(lambda: made.vendor.accepted() > before, within=6 * POLL)
    found.must(sent, "a campaign that was launched right after a wipe isn't sent")


PROOF = Proof(
    "R06",
    "Celery's broker is wiped (`FLUSHALL`) 3 times in 100,000 mails",
    "lost 0, twice 0, in doubt 0; a pause of at most two polls (10 s)",
    run,
)
