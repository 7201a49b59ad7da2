"""The vendor that judges: the stand-in of the tests, or the independent simulator where OMNI_VENDORLAB names its folder."""

from __future__ import annotations

import os
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from tests.vendor_standin import StandIn, serve


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that the vendor accepted, written down before it answered. at: CLOCK_MONOTONIC in ns; request: the vendor's id of
    the request that carried it; to: an address."""

    at: int
    message_id: str
    to: str
    request: str


class Vendor(Protocol):
    """What a proof needs of it."""

    name: str
    url: str
    webhook_keys: tuple[str, str]

    def accepted(self) -> int:
        """How many messages so far."""

    def log(self) -> list[Taken]:
        """All of them, in the order in which they came."""

    def takes(self, seconds: float) -> None:
        """Each answer comes so much later."""

    def report(self, hooks: str, first: int, many: int) -> None:
        """Post the signed event "processed" of these messages (by their place in the log) to the instance's webhook address."""

    def stop(self) -> None:
        """End it."""


class OurStandIn:
    """tests/vendor_standin.py, served by this process: what is killed is never this one."""

    name = "stand-in"

    def __init__(self, folder: Path) -> None:
        self.standin = StandIn(log=folder / "accepted.log", keeps_text=False)
        self.server = serve(0, self.standin)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.webhook_keys = (self.standin.public_key(), "token")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def accepted(self) -> int:
        return len(self.standin.accepted)

    def log(self) -> list[Taken]:
        return [Taken(one.mono_ns, one.message_id, one.address, one.vendor_id) for one in list(self.standin.accepted)]

    def takes(self, seconds: float) -> None:
        self.standin.delay = seconds

    def report(self, hooks: str, first: int, many: int) -> None:
        for start in range(first, first + many, 500):
            now, some = datetime.now(UTC), self.standin.accepted[start : min(start + 500, first + many)]
            body = self.standin.events("processed", some, now)
            post(hooks, body, self.standin.signed(body, now))

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Simulator:
    """The vendorlab: a program of its own that shares no code with the instance."""

    name = "vendorlab"

    def __init__(self, folder: Path) -> None:
        from benchmarks.instance import Lab

        self.lab = Lab(folder)
        self.url = self.lab.url
        secrets = self.lab.get("/_lab/secrets")
        self.webhook_keys = (str(secrets["sendgrid_public_key"]), str(secrets["twilio_auth_token"]))

    def accepted(self) -> int:
        return int(self.lab.get("/_lab/stats")["accepted"])

    def log(self) -> list[Taken]:
        rows = [line.split("\t") for line in str(self.lab.get("/_lab/log")).splitlines() if line[:1].isdigit()]
        return [Taken(int(row[1]), row[6], row[5], row[7]) for row in rows if not row[9:] or "+co" not in row[9]]

    def takes(self, seconds: float) -> None:
        latency = {"ms": int(seconds * 1_000), "jitter_ms": int(seconds * 300)}
        self.lab.post("/_lab/faults", {"rules": [], "latency": {"sendgrid": latency, "twilio": latency}})

    def report(self, hooks: str, first: int, many: int) -> None:
        asked = {"vendor": "sendgrid", "url": hooks, "mix": {"processed": 1}, "batch": 500, "from_seq": first, "limit": many, "retries": 5}
        self.lab.post("/_lab/webhooks", asked)

    def stop(self) -> None:
        self.lab.stop()


Judge = Callable[[Path], AbstractContextManager[Any]]


@contextmanager
def vendor(folder: Path) -> Iterator[Vendor]:
    """The judge of one proof, until the block ends."""
    with _until_the_end(Simulator(folder) if os.environ.get("OMNI_VENDORLAB") else OurStandIn(folder)) as made:
        yield made


@contextmanager
def stand_in(folder: Path) -> Iterator[OurStandIn]:
    """Ours, for what the simulator can't do: faults by hand, events of our own."""
    with _until_the_end(OurStandIn(folder)) as made:
        yield made


@contextmanager
def _until_the_end(made: Any) -> Iterator[Any]:
    try:
        yield made
    finally:
        made.stop()


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """One webhook; the status. Raises OSError where nobody answered or the answer was an error."""
    request = urllib.request.Request(url, data=body, headers={"content-type": "application/json", **headers}, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
        return int(answer.status)


def times(log: list[Taken]) -> Counter[str]:
    """How often each message id was accepted."""
    return Counter(one.message_id for one in log)
