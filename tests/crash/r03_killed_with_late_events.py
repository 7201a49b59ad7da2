"""R03: the same kills while the vendor's events come 2 to 60 seconds late.

The route names a seed: of a request that never reached the vendor only later words can tell, and after a campaign's last event nothing
but a probe makes it speak.
"""

from __future__ import annotations

from tests.crash.judging import judge
from tests.crash.killing import kill_all
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import Speaking, stage

MAILS, KILLS, LATEST = 100_000, 20, 60.0


def run(call: Call) -> Found:
    found, mails, kills, chance = Found(), call.many(MAILS), KILLS if call.scale == 1 else 3, call.chance()
    latest = LATEST if call.scale == 1 else 10.0
    window = str(latest * 1.25)  # whoever sets less than the vendor needs mustn't wonder
    with stage(mails, scene=("--seed",), in_doubt_after=window) as made:
        made.vendor.takes(0.06)
        made.omni.serve()
        speaking = Speaking(made, lambda: chance.uniform(2, latest))
        speaking.start()
        made.launch()
        made.omni.worker("--lane", "transactional", "--processes", "1")  # it sends the probes
        kill_all(made, chance, kills, mails)
        ledger = made.settle(doubts=True)
        speaking.ended.set()
        judge(found, made, ledger=ledger, planned=mails)
        found.figures["kills"] = kills
    return found


PROOF = Proof(
    "R03",
    "the same, while the vendor's events come 2 to 60 s late; the route names a seed",
    "lost 0, twice 0, in doubt 0 in the end",
    run,
)
