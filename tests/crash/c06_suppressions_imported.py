"""C06: two million addresses are imported as suppressed between a launch and its send; none of them is written to."""

from __future__ import annotations

import time

from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import stage

ROWS, MAILS, WITHIN = 2_000_000, 20_000, 600.0


def run(call: Call) -> Found:
    found, mails, rows = Found(), call.many(MAILS), max(2_000, int(ROWS * call.scale))
    with stage(mails, batch=1_000) as made:
        made.launch()  # everybody is planned: only the last look can keep them from it
        file = made.omni.folder / "suppressed.csv"
        with file.open("w") as out:
            out.write("email\n")
            out.writelines(f"person{n * 2}@example.com\n" for n in range(mails // 2))
            out.writelines(f"left{n}@elsewhere.example\n" for n in range(rows - mails // 2))
        began = time.monotonic()
        made.omni.manage("import_suppressions", str(file), "--as", "adam")
        seconds = time.monotonic() - began
        made.omni.manage("worker", "--lane", "promotional", "--drain")
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails)
        wrong = sum(int(one.to[len("person") :].partition("@")[0]) % 2 == 0 for one in made.vendor.log())
        kept = made.query("SELECT count(*) AS many FROM delivery_suppression")["many"]
    found.figures |= {"imported": kept, "s": round(seconds, 1), "suppressed": ledger["states"].get("skipped", 0), "of them mailed": wrong}
    found.must(kept == rows, f"{kept:,} of {rows:,} are suppressed")
    found.must(seconds < WITHIN, f"the import took {seconds:.0f} s")
    found.must(wrong == 0, f"{wrong:,} suppressed people were mailed")
    found.must(exactly_the_others(ledger, mails), f"the ledger says {ledger['states']}")
    return found


def exactly_the_others(ledger: dict[str, dict[str, int]], mails: int) -> bool:
    """Whether exactly the others were mailed."""
    return ledger["states"] == {"sent": mails - mails // 2, "skipped": mails // 2}


PROOF = Proof(
    "C06",
    "2,000,000 suppressed addresses are imported after a launch and before its send",
    "within ten minutes; nobody of them is mailed, everybody else is",
    run,
)
