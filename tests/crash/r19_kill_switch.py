"""R19: the kill switch is thrown at twenty random moments of a send, and released again: mails by the hundred in a request, and texts,
of which each worker has up to two hundred requests in the air."""

from __future__ import annotations

import time

from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import stage
from tests.crash.vendor import Taken

THROWS, PROCESSES, BATCH, WATCHED = 20, 2, 100, 1.5
SENDS = {"mails": 100_000, "texts": 100_000}
ANSWERS_AFTER = {"mails": 0.12, "texts": 0.08}  # seconds that the vendor takes


def run(call: Call) -> Found:
    found = Found()
    for campaign, people in SENDS.items():
        one = Found()
        _thrown(one, call, campaign, call.many(people))
        found.figures[campaign] = one.figures
        found.faults += [f"{campaign}: {fault}" for fault in one.faults]
    return found


def _thrown(found: Found, call: Call, campaign: str, people: int) -> None:
    chance, thrown, took = call.chance(), list[tuple[int, int]](), list[float]()
    mails, texts = (people, 0) if campaign == "mails" else (200, people)
    with stage(mails, texts=texts, batch=BATCH) as made, made.inside() as inside:
        made.vendor.takes(ANSWERS_AFTER[campaign])
        made.launch(campaign)
        made.worker(processes=PROCESSES)
        made.until(lambda: made.vendor.accepted() > 0, within=120)
        for _ in range(THROWS if call.scale == 1 else 4):
            sending = made.vendor.accepted()
            made.until(lambda: made.vendor.accepted() > sending, within=120)  # noqa: B023  # it goes on, so there is something to stop
            time.sleep(chance.uniform(0, 0.6))
            pressed = time.monotonic_ns()
            answered = inside.ask("kill", on=True)["at"]
            time.sleep(WATCHED)
            thrown.append((answered, time.monotonic_ns()))  # from the answer until the release was asked for
            took.append((answered - pressed) / 1e9)
            inside.ask("kill", on=False)
        found.must(made.vendor.accepted() < people, "the send was over before the throws were")
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=people)
        log = made.vendor.log()
    after = [_requests(log, since, until) for since, until in thrown]
    late = [_requests(log, since + 10**9, until) for since, until in thrown]
    found.figures |= {"throws": len(thrown), "answered after s, at most": round(max(took), 2)}
    found.figures |= {"requests after the answer, at most": max(after), "of them after 1 s": max(late)}
    found.must(max(after) <= PROCESSES, f"{max(after)} requests came after a throw was answered; there are {PROCESSES} workers")
    found.must(max(late) == 0, f"{max(late)} requests came more than a second after the answer")


def _requests(log: list[Taken], since: int, until: int) -> int:
    return len({one.request for one in log if since < one.at <= until})


PROOF = Proof(
    "R19",
    "the kill switch is thrown at 20 random moments of 100,000 mails, and of as many texts of one request each",
    "at most one request per worker after it was answered, none a second later; nothing lost or twice once it is released",
    run,
)
