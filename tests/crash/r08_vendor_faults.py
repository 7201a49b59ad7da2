"""R08: everything that a vendor or the network can do to a request, a thousand times each: what each came to, and a whole send of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from random import Random
from typing import Any

from django.conf import settings

from delivery.adapters.base import Fate, Limits, VendorRequest
from delivery.adapters.sendgrid import SendGrid
from delivery.connections import Connections
from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import stage
from tests.crash.vendor import stand_in
from tests.delivery.certificates import server_tls
from tests.delivery.wire import Line, Wire, answering, deaf_port, serving

EACH, AT_ONCE, TIMEOUT, CYCLE = 1_000, 100, 3.0, 12  # TIMEOUT: seconds; a busy machine needs some to connect at all
IN_DOUBT = ("500", "accept_500", "drop", "accept_drop", "garbage")  # of the stand-in's faults: nobody knows, but it does
TEXTS = EACH * CYCLE


def run(call: Call) -> Found:
    found, each = Found(), call.many(EACH)
    for name, (kind, server) in _faults().items():
        kinds = _kinds(server, each)
        found.figures[name] = " ".join(f"{kind} {many:,}" for kind, many in kinds.items())
        found.must(set(kinds) == {kind}, f"{name}: {dict(kinds)}, all should be {kind}")
    _a_whole_send(found, call.many(TEXTS), call.chance())
    return found


# ── one by one, on real sockets ───────────────────────────────────────────────────────────────────────────────────


def _faults() -> dict[str, tuple[str, Callable[[], AbstractContextManager[Any]]]]:
    """By name: the class that it must have, and a server that does it (or a URL where nobody is)."""

    def says(answer: bytes) -> Callable[[], AbstractContextManager[Wire]]:
        return lambda: serving(lambda line: _once(line, lambda: line.say(answer)))

    def does(act: Callable[[Line], object]) -> Callable[[], AbstractContextManager[Wire]]:
        return lambda: serving(lambda line: _once(line, lambda: act(line)))

    ok = b"HTTP/1.1 202 Accepted\r\nx-message-id: m\r\ncontent-length: 0\r\n\r\n"
    return {
        "429": ("throttled", says(_answer(429, b"retry-after: 1\r\n"))),
        "500": ("ambiguous", says(_answer(500))),
        "503 with Retry-After": ("ambiguous", says(_answer(503, b"retry-after: 1\r\n"))),
        "no answer after accepting": ("ambiguous", does(Line.until_closed)),
        "reset after accepting": ("ambiguous", does(Line.reset)),
        "a byte a second": ("ambiguous", does(lambda line: _slowly(line, ok))),
        "garbage instead of HTTP": ("ambiguous", says(b"\x00\x01 no protocol of this world\r\n\r\n")),
        "an answer cut short": ("ambiguous", does(lambda line: (line.say(ok[:20]), line.reset()))),
        "TLS that nobody trusts": ("transient", lambda: serving(answering, tls=server_tls().context)),
        "no such name": ("transient", lambda: nullcontext("http://nobody.invalid")),
        "nobody listens": ("transient", lambda: nullcontext(f"http://127.0.0.1:{deaf_port()}")),
    }


def _once(line: Line, act: Callable[[], object]) -> None:
    if line.request():
        act()


def _slowly(line: Line, answer: bytes) -> None:
    for place in range(len(answer)):
        line.say(answer[place : place + 1])
        time.sleep(1)


def _answer(status: int, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d No\r\n" % status + head + b"content-length: 2\r\nconnection: close\r\n\r\n{}"


def _kinds(server: Callable[[], AbstractContextManager[Any]], many: int) -> Counter[str]:
    """Post so many mails through the SendGrid adapter's eyes; how each was classed."""
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_timeout": TIMEOUT})
    kinds, adapter = Counter[str](), SendGrid()
    with server() as there, Connections() as out:
        url = there if isinstance(there, str) else there.url
        url = url.replace("http:", "https:") if isinstance(there, Wire) and there.behave is answering else url
        for start in range(0, many, AT_ONCE):
            requests = [VendorRequest("POST", f"{url}/v3/mail/send", {}, b"{}") for _ in range(min(AT_ONCE, many - start))]
            answers = out.post(1, "a", requests, limits=Limits(concurrency=AT_ONCE), now=datetime.now(UTC))
            kinds.update((each if isinstance(each, Fate) else adapter.read(each, ["m"])).kind for each in answers)
    return kinds


# ── all of them in one send ───────────────────────────────────────────────────────────────────────────────────────


def _a_whole_send(found: Found, texts: int, chance: Random) -> None:
    """Texts, of which half meet a fault at first. In doubt must be exactly those that got no usable answer. None is refused for good:
    a run of which the vendor refuses that many is halted, as it should be."""
    names = ["429", *IN_DOUBT]
    names += ["ok"] * (CYCLE - len(names))
    drawn: list[str] = []

    def fault(number: int) -> str:
        while len(drawn) <= number:
            some = names.copy()
            chance.shuffle(some)
            drawn.extend(some)
        return drawn[number]

    patient = {"vendor_timeout": "6", "lease_seconds": "30", "in_doubt_after": "900"}  # nobody probes, nobody gives up early
    with stage(200, texts=texts, judge=stand_in, **patient) as made:
        standin = made.vendor.standin  # type: ignore[attr-defined]  # the judge that was asked for
        standin.fault = fault
        made.launch("texts")
        made.worker()
        ledger = made.settle()
        met = Counter(drawn[: standin.requests])
        doubtful = sum(met[name] for name in IN_DOUBT)
        judge(found, made, ledger=ledger, planned=texts, in_doubt_at_most=doubtful)
    found.figures["faults met in that send"] = dict(sorted(met.items()))
    found.must(len(ledger["in_doubt"]) == doubtful, f"{len(ledger['in_doubt']):,} are in doubt, the vendor left {doubtful:,} unanswered")


PROOF = Proof(
    "R08",
    "eleven faults of vendor and network, 1,000 times each; then 12,000 texts of which half meet one",
    "each has its class every time; in the send lost 0, twice 0, in doubt exactly those without a usable answer",
    run,
    by_hand=True,
)
