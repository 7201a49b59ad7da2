"""The vendor's record against the instance's ledger: the record is the truth."""

from __future__ import annotations

from typing import Any

from tests.crash.proof import Found
from tests.crash.stage import Stage
from tests.crash.vendor import times


def judge(found: Found, made: Stage, *, ledger: dict[str, Any], planned: int, in_doubt_at_most: int = 0) -> None:
    """Count what was lost, what came twice and what is in doubt; whatever is not as it must be is a fault.

    Lost is what neither the vendor has nor the ledger lists as in doubt, whatever the ledger says of it.
    """
    accepted, probes = times(made.vendor.log()), set(ledger["probes"])
    doubtful, known = set(ledger["in_doubt"]), set(ledger["expected"])
    settled_otherwise = sum(ledger["states"].get(word, 0) for word in ("skipped", "failed"))
    lost = planned - settled_otherwise - len(known | doubtful) + len(known - accepted.keys())
    twice = sum(many - 1 for many in accepted.values())
    unlisted = accepted.keys() - known - doubtful - probes
    found.figures |= {"messages": planned, "lost": lost, "twice": twice, "in doubt": len(doubtful)}
    if probes:
        found.figures["probes"] = len(probes)
    if doubtful:
        found.figures["of them accepted"] = len(doubtful & accepted.keys())
    found.must(lost == 0, f"{lost:,} messages are lost: {sorted(known - accepted.keys())[:3]}")
    found.must(twice == 0, f"{twice:,} messages came twice: {[one for one, many in accepted.items() if many > 1][:3]}")
    found.must(not unlisted, f"the vendor has {len(unlisted):,} messages that the ledger doesn't know to be sent or in doubt")
    found.must(len(doubtful) <= in_doubt_at_most, f"{len(doubtful):,} are in doubt, at most {in_doubt_at_most:,} may be")
    found.must(not ledger["states"].get("sending"), f"{ledger['states'].get('sending')} messages hang in the air")
    found.must(ledger["open"] == 0, "the run never ended")
    if found.faults:
        found.figures["ledger"] = ledger["states"]
        found.figures["said"] = made.words()[-600:]
