"""R01: everything that sends is killed twenty times while the vendor's events don't come; then they come, all at once."""

from __future__ import annotations

from tests.crash.judging import judge
from tests.crash.killing import kill_all
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import Stage, stage
from tests.crash.vendor import times

MAILS, KILLS, PROCESSES, BATCH = 100_000, 20, 2, 200
KEPT_BACK, KEPT_FOR = 100, 5  # events; turns of three seconds, more than the window of the stage


def run(call: Call) -> Found:
    found, mails, kills = Found(), call.many(MAILS), KILLS if call.scale == 1 else 3
    with stage(mails, batch=BATCH) as made:
        made.vendor.takes(0.06)  # a request is in the air for most of a worker's time
        made.launch()
        kill_all(made, call.chance(), kills, mails)
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails, in_doubt_at_most=kills * PROCESSES * BATCH)
        _page_says(found, made, ledger)
        found.figures["kills"] = kills
        _events_come(found, made, mails)
    return found


def _page_says(found: Found, made: Stage, ledger: dict[str, list[str]]) -> None:
    """The run's page lists as many as the vendor's record leaves open, or more, and exactly what the ledger has."""
    with made.inside() as people:
        shown = people.ask("run_page", run=made.query("SELECT max(id) AS id FROM workflow_run")["id"])["stats"]["In doubt"]
    unconfirmed = len(times(made.vendor.log()).keys() - set(ledger["expected"]))
    found.figures["on the run's page"] = shown
    found.must(shown == len(ledger["in_doubt"]), f"the run's page says {shown:,} in doubt, the ledger {len(ledger['in_doubt']):,}")
    found.must(shown >= unconfirmed, f"the run's page says {shown:,} in doubt; the vendor has {unconfirmed:,} that nobody confirmed")


def _events_come(found: Found, made: Stage, mails: int) -> None:
    """Late, and of everything: what was accepted is proven by them, what wasn't is sent; nothing goes twice.

    The last come a window after the others, as a vendor goes on speaking: of a heap that came at once nobody knows whether it is over.
    """
    made.omni.serve()
    told = 0
    for turn in range(60):
        count = made.vendor.accepted() - (KEPT_BACK if turn < KEPT_FOR else 0)
        if count > told:
            made.vendor.report(made.omni.url + "/hooks/sendgrid", told, count - told)
            told = count
        if not made.until(lambda: made.query(UNSETTLED)["open"] == 0, within=3):
            continue
        if made.vendor.accepted() == told:
            break
    late = Found()
    judge(late, made, ledger=made.settle(doubts=True, within=60), planned=mails)
    found.figures["once the events came"] = {name: late.figures[name] for name in ("lost", "twice", "in doubt")}
    found.faults += [f"once the events came: {fault}" for fault in late.faults]


UNSETTLED = "SELECT count(*) AS open FROM delivery_attempt WHERE state IN (10, 20)"
PROOF = Proof(
    "R01",
    "all worker processes are killed (`SIGKILL`) 20 times in 100,000 mails; the vendor's events don't come",
    "lost 0, twice 0, nothing resent; in doubt at most what was in flight, and on the run's page; settled once the events come",
    run,
)
