"""R12: the vendor's events come three times each, shuffled, a tenth of them after all others; the counters end up true."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import stage
from tests.crash.vendor import Taken, post, stand_in

MAILS, COPIES, LATE, PER_POST, AT_ONCE = 100_000, 3, 0.1, 1_000, 4
KINDS = {"bounce": "bounced", "open": "opened", "click": "clicked", "spamreport": "complained"}
STATES = ("sent", "delivered", "bounced", "complained")  # by rank: what a message is in the end
WORKERS, DRAWN_WITHIN = 2, 3_600.0  # processes; seconds
WAITING = "SELECT count(*) AS many FROM delivery_webhookcall WHERE waiting IS NOT NULL"
KEPT = """SELECT kind, count(*) AS many FROM delivery_vendorevent WHERE dispatch_id > 0 GROUP BY kind"""


def run(call: Call) -> Found:
    found, mails, chance = Found(), call.many(MAILS), call.chance()
    with stage(mails, batch=1_000, judge=stand_in) as made:
        made.launch()
        made.omni.manage("worker", "--lane", "promotional", "--drain")
        log = made.vendor.log()
        found.must(len(log) == mails, f"the vendor has {len(log):,} of {mails:,}")
        events = _drawn(log, chance)
        truth = Counter(KINDS.get(event["event"], event["event"]) for event in events)
        ends = _ends(events, mails)
        posts = _posts(events, chance)
        made.omni.serve()
        standin = made.vendor.standin  # type: ignore[attr-defined]  # the judge that was asked for

        def send(some: list[dict[str, Any]]) -> int:
            body, now = json.dumps(some).encode(), datetime.now(UTC)
            return post(made.omni.url + "/hooks/sendgrid", body, standin.signed(body, now))

        began = time.monotonic()
        made.worker(processes=WORKERS)  # who draws from what the posts made durable
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = Counter(pool.map(send, posts))
        answered = time.monotonic() - began
        found.must(made.until(lambda: not made.query(WAITING)["many"], within=DRAWN_WITHIN), "some calls were never drawn from")
        found.figures |= {"all answered after s": round(answered), "all drawn from after s": round(time.monotonic() - began)}
        kept = {row["kind"]: row["many"] for row in made.rows(KEPT)}
        states = made.ledger()["states"]
    found.figures |= {"events posted": sum(map(len, posts)), "of them different": len(events), "kept": sum(kept.values())}
    found.figures |= {f"{word} (true)": f"{states.get(word, 0):,} ({ends[word]:,})" for word in STATES}
    found.must(set(answers) == {200}, f"not every POST was answered 200: {dict(answers)}")
    found.must(kept == dict(truth), f"kept {kept}, true {dict(truth)}")
    found.must({word: states.get(word, 0) for word in STATES} == {word: ends[word] for word in STATES}, f"the ledger says {states}")
    return found


def _drawn(log: list[Taken], chance: Random) -> list[dict[str, Any]]:
    """What the vendor has to tell of each message: processed, then its end, and what the person did."""
    now, events = int(datetime.now(UTC).timestamp()), []
    for place, one in enumerate(log):
        draw = chance.random()
        kinds = ["processed"]
        kinds += ["bounce"] if draw < 0.03 else ["delivered"] if draw < 0.98 else []
        if kinds[-1] == "delivered":
            kinds += ["open"] * chance.choice((0, 1, 1, 2)) + ["click"] * (chance.random() < 0.5)
            kinds += ["spamreport"] * (chance.random() < 0.002)
        for number, kind in enumerate(kinds):
            told = {"event": kind, "email": one.to, "timestamp": now + number, "sg_event_id": f"e{place}-{number}"}
            more = {"status": "5.1.1", "type": "bounce", "reason": "550 no such mailbox"} if kind == "bounce" else {}
            events.append({**told, "sg_message_id": f"{one.request}.filter.0", "message_id": one.message_id, **more})
    return events


def _ends(events: list[dict[str, Any]], mails: int) -> Counter[str]:
    """What each message is in the end: the highest rank that was told of it."""
    words = {"delivered": 1, "bounce": 2, "spamreport": 3}
    rank: dict[str, int] = {}
    for event in events:
        rank[event["message_id"]] = max(rank.get(event["message_id"], 0), words.get(event["event"], 0))
    return Counter({STATES[0]: mails - len(rank)}) + Counter(STATES[each] for each in rank.values())


def _posts(events: list[dict[str, Any]], chance: Random) -> list[list[dict[str, Any]]]:
    """Every copy of every event in random order, those of a tenth of them after all others."""
    late = {event["sg_event_id"] for event in events if chance.random() < LATE}
    first = [event for event in events if event["sg_event_id"] not in late] * COPIES
    last = [event for event in events if event["sg_event_id"] in late] * COPIES
    chance.shuffle(first)
    chance.shuffle(last)
    every = first + last
    return [every[start : start + PER_POST] for start in range(0, len(every), PER_POST)]


PROOF = Proof(
    "R12",
    "a million signed events: each three times, shuffled, a tenth after all others",
    "each has one effect; the ledger's states and the kept events are those that the vendor meant",
    run,
    by_hand=True,
)
