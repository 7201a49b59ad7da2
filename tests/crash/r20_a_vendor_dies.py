"""R20: of two vendors the preferred one dies in the middle of a send, by refusing everybody or by falling silent; the other stands in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.crash.frail import Frail
from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import Stage, stage
from tests.crash.vendor import OurStandIn, Simulator
from tests.delivery.relay import Relay, relaying

MAILS, PROCESSES, BATCH = 50_000, 2, 200
MANNERS = {"refuses everybody": 1, "falls silent": 6}  # how many requests of each process may be left in doubt: delivery/breaker.py
MESSAGE_ID = re.compile(rb"^X-Message-ID: (\S+)", re.MULTILINE)


def run(call: Call) -> Found:
    found = Found()
    for manner, requests in MANNERS.items():
        one = Found()
        _dies(one, call.many(MAILS), silently=manner == "falls silent", in_doubt_at_most=requests * PROCESSES * BATCH)
        found.figures[f"it {manner}"] = one.figures
        found.faults += [f"where it {manner}: {fault}" for fault in one.faults]
    return found


def _dies(found: Found, mails: int, *, silently: bool, in_doubt_at_most: int) -> None:
    with Frail() as first, Frail() as spare:

        def variables(url: str) -> dict[str, str]:
            first.leads_to(urlsplit(url).port or 80)
            return {"OMNI_SENDGRID_BASE_URL": f"http://127.0.0.1:{first.port}"}

        words = ("--spare", f"127.0.0.1:{spare.port}")
        with stage(mails, batch=BATCH, scene=words, variables=variables) as made, _relay(made) as port:
            spare.leads_to(port)
            made.vendor.takes(0.06)
            made.launch()
            made.worker(processes=PROCESSES)
            made.until(lambda: made.vendor.accepted() >= mails // 2, within=120)
            died, before = time.monotonic(), _sent_by(made, SPARE)
            first.die(silently=silently)
            made.until(lambda: _sent_by(made, SPARE) > before, within=120)
            stood_in = round(time.monotonic() - died, 1)
            ledger = made.settle()
            judge(found, made, ledger=ledger, planned=mails, in_doubt_at_most=in_doubt_at_most)
            found.figures |= {"by the one that died": _sent_by(made, FIRST), "by the other": _sent_by(made, SPARE)}
            found.figures["the other stood in after s"] = stood_in
            strayed = made.query("SELECT count(*) AS many FROM delivery_attempt WHERE state = 20 AND account <> %s", FIRST)["many"]
            found.must(strayed == 0, f"{strayed} requests in doubt are not of the account that died")
            found.must(_sent_by(made, SPARE) > 0, "nothing went by the other vendor")


@contextmanager
def _relay(made: Stage) -> Iterator[int]:
    """The port of the other vendor, a mail relay that writes into the same record."""
    if isinstance(made.vendor, Simulator):
        yield made.vendor.lab.smtp
        return
    assert isinstance(made.vendor, OurStandIn)
    standin = made.vendor.standin

    class Record(list[tuple[str, str, bytes]]):
        def append(self, mail: tuple[str, str, bytes]) -> None:
            sender, recipient, text = mail
            found = MESSAGE_ID.search(text)
            with standin._lock:
                standin._accept("smtp", [(found[1].decode() if found else "", recipient, "", sender)], "")

    with relaying(Relay(taken=Record())) as wire:
        yield wire.port


def _sent_by(made: Stage, account: str) -> int:
    return int(made.query(SENT_BY, account)["many"])


SENT_BY = "SELECT coalesce(sum(count), 0) AS many FROM delivery_attempt WHERE state = 30 AND account = %s"
FIRST, SPARE = "mail", "spare"
PROOF = Proof(
    "R20",
    "of two mail vendors the preferred one dies in the middle of 50,000 mails: it refuses everybody, or falls silent",
    "lost 0, twice 0; the rest goes by the other vendor, what is in doubt stays with the first",
    run,
)
