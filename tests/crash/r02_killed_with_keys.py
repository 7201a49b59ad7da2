"""R02: the same kills, with a vendor that takes a repeat of the same letter once.

None of the vendors whose adapters ship does that; the package of docs/how-to/add-a-vendor.md does, so it is installed here and sent by.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.adapters.test_adapters_of_packages import from_the_guide, install
from tests.crash.judging import judge
from tests.crash.killing import kill_all
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import stage
from tests.crash.vendor import OurStandIn, stand_in
from tests.vendor_standin import StandIn

MAILS, KILLS, BATCH = 30_000, 20, 200


class Loft(StandIn):
    """Pigeon Post: a letter number that flew once is answered with the same ring and flies no more."""

    rings: dict[str, str]
    repeats = 0

    def answer(self, method: str, url: str, body: bytes) -> Any:
        letter = json.loads(body)
        with self._lock:
            self.requests += 1
            ring = self.rings.get(letter["number"])
            self.repeats += ring is not None
            if ring is None:
                ring = self.rings[letter["number"]] = f"ring-{self.requests}"
                self._accept("pigeon", [(letter["number"], letter["to"], "", letter["from"])], ring)
        return 201, {"content-type": "application/json"}, json.dumps({"ring": ring}).encode()


@contextmanager
def loft(folder: Path) -> Iterator[OurStandIn]:
    with stand_in(folder) as made:
        made.standin.__class__, made.standin.rings = Loft, {}  # type: ignore[attr-defined]
        yield made


def run(call: Call) -> Found:
    found, mails, kills = Found(), call.many(MAILS), KILLS if call.scale == 1 else 3
    with tempfile.TemporaryDirectory() as package:
        install(Path(package), "omni_pigeon", from_the_guide("python"), {"pigeon": "omni_pigeon:Pigeon"})

        def variables(url: str) -> dict[str, str]:
            path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
            return {"OMNI_VENDOR_BASE_URLS": f"pigeon={url}", "OMNI_SECRET_PIGEON_KEY": "coo", "PYTHONPATH": path}

        with stage(mails, batch=BATCH, judge=loft, mail_vendor="pigeon", variables=variables) as made:
            made.vendor.takes(0.005)
            made.launch()
            kill_all(made, call.chance(), kills, mails)
            ledger = made.settle(doubts=True)
            judge(found, made, ledger=ledger, planned=mails)
            repeats = made.vendor.standin.repeats  # type: ignore[attr-defined]
    found.figures |= {"kills": kills, "repeats that the vendor recognised": repeats}
    return found


PROOF = Proof(
    "R02",
    "20 kills in 30,000 mails, one per request, with a vendor that recognises a repeat (the package of the how-to)",
    "lost 0, twice 0, in doubt 0",
    run,
    by_hand=True,
)
