"""C03: a thousand people leave at random moments of a send; who left before the last look gets nothing."""

from __future__ import annotations

from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import stage

MAILS, OPT_OUTS, GAP = 100_000, 1_000, 2.5  # seconds from a last look to the vendor: what a request may take, and a bit
LATER = """SELECT count(*) AS later FROM delivery_message m JOIN {table} o ON {same}
    WHERE {left} AND m.state = 10 AND m.at > pg_xact_commit_timestamp(o.xmin)"""
BY_CONSENT = LATER.format(table="audience_subscription", same="o.profile_id = m.profile_id", left="o.state = 'unsubscribed'")
BY_ADDRESS = LATER.format(table="delivery_suppression", same="o.address_hash = m.address_hash", left="true")


def run(call: Call) -> Found:
    found, mails, chance = Found(), call.many(MAILS), call.chance()
    leavers = chance.sample(range(mails), OPT_OUTS if call.scale == 1 else 100)
    answered: dict[str, int] = {}
    with stage(mails, batch=200) as made, made.inside() as people:
        made.vendor.takes(0.12)
        made.launch()
        made.worker()
        made.until(lambda: made.vendor.accepted() > 0, within=120)
        for place, number in enumerate(leavers):
            due = int(mails * 0.95 * place / len(leavers))  # spread over the whole send, each at a moment of its own
            made.until(lambda: made.vendor.accepted() >= due, within=120)  # noqa: B023  # asked at once
            if place % 2:
                said = people.ask("withdraw", external_id=f"m{number}")
            else:
                said = people.ask("suppress", address=f"person{number}@example.com")
            answered[f"person{number}@example.com"] = said["at"]
        ledger = made.settle()
        judge(found, made, ledger=ledger, planned=mails)
        log = made.vendor.log()
        admitted_later = made.query(BY_CONSENT)["later"] + made.query(BY_ADDRESS)["later"]
    gaps = [one.at - answered[one.to] for one in log if one.to in answered]
    late = [gap / 1e9 for gap in gaps if gap > 0]
    found.figures |= {
        "opt-outs": len(leavers),
        "had it before": len(gaps) - len(late),
        "admitted after the commit": admitted_later,
        "were on their way": len(late),
        "arrived s after the answer, at most": round(max(late, default=0.0), 2),
        "got nothing": len(leavers) - len(gaps),
    }
    found.must(admitted_later == 0, f"{admitted_later} were admitted after their opt-out was committed")
    found.must(max(late, default=0) < GAP, f"a mail came {max(late, default=0):.1f} s after an opt-out was answered")
    found.must(len(gaps) < len(leavers), "everybody had it before they left: this shows nothing")
    return found


PROOF = Proof(
    "C03",
    "1,000 people withdraw or are suppressed at random moments of 100,000 mails",
    "nobody admitted after the commit of their opt-out, by PostgreSQL's own commit times",
    run,
)
