"""The send path before an independent judge: nothing lost, nothing twice, by the vendor's own record.

    python -m scripts.judge_lab [--mails 10000] [--texts 1000] [--database postgresql|sqlite]

Three rounds: a well-behaved vendor; one that drops connections after accepting, throttles and fails, with signed webhooks
while it sends; the same without webhooks, where every unresolved message must be listed as in doubt. They run side by side. Exit
status 1 on any finding.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.instance import Instance, Ledger, instance, last_seq, ledger

FAULTS = {
    "seed": 7,
    "rules": [
        {"kind": "accept_drop", "p": 0.10},
        {"kind": "http_429", "p": 0.05, "retry_after": 1},
        {"kind": "http_500", "p": 0.05},
    ],
}
SENDGRID_MIX = {"processed": 1, "delivered": 0.95, "bounce": 0.03, "open": 0.3, "click": 0.1}
TWILIO_MIX = {"queued": 1, "sent": 1, "delivered": 0.95, "undelivered:30003": 0.03}
PROBES = 40  # at most so many messages to the seed addresses, which prove that the vendor's events are live
PATIENCE = 300.0  # seconds until a round must have settled


class Webhooks(threading.Thread):
    """Posts the lab's signed events in rounds, each from where the last one ended."""

    def __init__(self, made: Instance) -> None:
        super().__init__(daemon=True)
        self.made, self.ended, self.rounds = made, threading.Event(), 0

    def run(self) -> None:
        seen = 0
        while not self.ended.wait(2.0):
            newest = last_seq(self.made.lab)
            if newest > seen:
                with contextlib.suppress(OSError, http.client.HTTPException):  # the lab ended with the round
                    self.post(seen, newest - seen)
                seen, self.rounds = newest, self.rounds + 1

    def post(self, seen: int, many: int) -> None:
        common: dict[str, Any] = {"from_seq": seen, "limit": many, "shuffle": True, "duplicates": 0.1, "retries": 5, "seed": 3}
        hostile = {"tampered": 0.05, "bad_signature": 0.05, "unsigned": 0.05}
        url = self.made.url + "/hooks/sendgrid"
        self.made.lab.post("/_lab/webhooks", {"vendor": "sendgrid", "url": url, "mix": SENDGRID_MIX, "batch": 100, **common, **hostile})
        self.made.lab.post("/_lab/webhooks", {"vendor": "twilio", "mix": TWILIO_MIX, **common, **hostile})


def round_of(name: str, args: argparse.Namespace, *, faults: bool, webhooks: bool) -> list[str]:
    """One round; what is wrong with it."""
    window = "5" if faults else "900"
    with instance(database=args.database, in_doubt_after=window, vendor_timeout="2" if faults else "5") as made:
        made.run("-m", "benchmarks.scene", "--mails", str(args.mails), "--texts", str(args.texts), "--batch", "100")
        made.serve()
        if faults:
            made.lab.post("/_lab/faults", FAULTS)
        posting = Webhooks(made)
        if webhooks:
            posting.start()
        started = time.monotonic()
        for campaign in ("mails", "texts"):
            made.manage("send_campaign", campaign, "--yes", "--no-wait", "--as", "bo")
        made.worker()
        found = settled(made, started, resolved=webhooks or not faults)
        posting.ended.set()
        return verdict(name, args, made, found, time.monotonic() - started, faults=faults, webhooks=webhooks)


def settled(made: Instance, started: float, *, resolved: bool) -> Ledger:
    """The ledger once nothing moves any more. resolved: nothing may be left in doubt either."""
    before: dict[str, int] | None = None
    while time.monotonic() - started < PATIENCE:
        time.sleep(4)
        found = ledger(made)
        unresolved = found.states.get("sending", 0) + (found.states.get("in_doubt", 0) if resolved else 0)
        if found.open == 0 and not unresolved:
            return found
        if not resolved and found.states == before and not found.states.get("sending"):
            return found  # what is in doubt stays in doubt: nobody vouches for it
        before = found.states
    return ledger(made)


def verdict(
    name: str, args: argparse.Namespace, made: Instance, found: Ledger, seconds: float, *, faults: bool, webhooks: bool
) -> list[str]:
    """Compare the ledger with the lab's record."""
    audit = made.lab.post("/_lab/audit", "\n".join(found.expected).encode())
    total = sum(found.states.values())
    told = [f"{name}: {total:,} messages in {seconds:.0f} s; ledger {found.states}"]
    told.append(f"   lab: accepted {audit['accepted']:,}, unique {audit['unique_message_ids']:,}, by fault {audit['accepted_by_fault']}")
    wrong = []
    if total != args.mails + args.texts:
        wrong.append(f"{total:,} messages in the ledger, {args.mails + args.texts:,} expected")
    if len(found.probes) > PROBES:
        wrong.append(f"{len(found.probes):,} probes, a few expected")
    if audit["extra_accepts"]:
        wrong.append(f"{audit['extra_accepts']:,} duplicates: {audit.get('duplicate_samples', [])[:5]}")
    if audit["expected_but_never_accepted"]:
        wrong.append(f"{audit['expected_but_never_accepted']:,} said to be sent that the vendor never accepted")
    unlisted = audit["accepted_but_not_expected"] - len(found.in_doubt) - len(found.probes)
    if unlisted > 0:
        wrong.append(f"at least {unlisted:,} accepted messages are neither sent nor in doubt in the ledger")
    if found.states.get("sending"):
        wrong.append(f"{found.states['sending']:,} messages never got an answer recorded")
    if found.in_doubt and (webhooks or not faults):
        wrong.append(f"{len(found.in_doubt):,} messages still in doubt although the vendor's events arrived")
    if faults and not webhooks and not found.in_doubt:
        wrong.append("nothing in doubt although connections were dropped: silence was taken for evidence")
    told.append(f"   lost {audit['expected_but_never_accepted']}, duplicates {audit['extra_accepts']}, in doubt {len(found.in_doubt)}")
    if wrong:
        told.append("   its processes said at last:\n" + (made.folder / "processes.log").read_text(errors="replace")[-3_000:])
    print("\n".join(told), flush=True)
    return [f"{name}: {fault}" for fault in wrong]


def main() -> None:
    """Run the rounds and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=10_000)
    parser.add_argument("--texts", type=int, default=1_000)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--only", type=int, choices=[1, 2, 3])
    args = parser.parse_args()
    rounds = [
        ("1, a well-behaved vendor", False, False),
        ("2, a faulty vendor with webhooks", True, True),
        ("3, a faulty vendor without webhooks", True, False),
    ]
    chosen = [round_ for number, round_ in enumerate(rounds, 1) if args.only in (None, number)]
    with ThreadPoolExecutor(len(chosen)) as pool:  # each has an instance, a database and a lab of its own, and mostly waits
        verdicts = [pool.submit(round_of, name, args, faults=faults, webhooks=webhooks) for name, faults, webhooks in chosen]
    wrong = [fault for verdict in verdicts for fault in verdict.result()]
    for fault in wrong:
        print("WRONG", fault)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
