"""R19: the kill switch is thrown at twenty random moments of a send, and released again."""

from __future__ import annotations

import time

from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import stage
from tests.crash.vendor import Taken

MAILS, THROWS, PROCESSES, BATCH, WATCHED = 100_000, 20, 2, 100, 1.5


def run(call: Call) -> Found:
    found, mails, chance = Found(), call.many(MAILS), call.chance()
    thrown: list[tuple[int, int]] = []  # from the answer until the release was asked for
    with stage(mails, batch=BATCH) as made, made.inside() as people:
        made.vendor.takes(0.12)
        made.launch()
        made.worker(processes=PROCESSES)
        made.until(lambda: made.vendor.accepted() > 0, within=120)
        for _ in range(THROWS if call.scale == 1 else 4):
            sending = made.vendor.accepted()
            made.until(lambda: made.vendor.accepted() > sending, within=120)  # noqa: B023  # it goes on, so there is something to stop
            time.sleep(chance.uniform(0, 0.6))
            answered = people.ask("kill", on=True)["at"]
            time.sleep(WATCHED)
            thrown.append((answered, time.monotonic_ns()))
            people.ask("kill", on=False)
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails)
        log = made.vendor.log()
    after = [_requests(log, since, until) for since, until in thrown]
    late = [_requests(log, since + 10**9, until) for since, until in thrown]
    found.figures |= {"throws": len(thrown), "requests after the answer, at most": max(after), "of them after 1 s": max(late)}
    found.must(max(after) <= PROCESSES, f"{max(after)} requests came after a throw was answered; there are {PROCESSES} workers")
    found.must(max(late) == 0, f"{max(late)} requests came more than a second after the answer")
    return found


def _requests(log: list[Taken], since: int, until: int) -> int:
    return len({one.request for one in log if since < one.at <= until})


PROOF = Proof(
    "R19",
    "the kill switch is thrown at 20 random moments of 100,000 mails",
    "at most one request per worker after it was answered, none a second later; nothing lost or twice once it is released",
    run,
)
