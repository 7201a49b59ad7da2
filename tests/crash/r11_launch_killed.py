"""R11: the process that launches is killed (SIGKILL) at ten random moments of the transaction that freezes the audience."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests import engines
from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import Stage, stage

MAILS, KILLS, BATCH = 100_000, 10, 10  # small batches: the more is written, the longer the freeze takes
# Transactions of anybody in this database that have written something.
WRITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND backend_xid IS NOT NULL"""
PLANNED = """SELECT (SELECT count(*) FROM delivery_dispatch WHERE kind = 'campaign') AS dispatches,
    (SELECT count(*) FROM delivery_slice) AS slices, (SELECT count(*) FROM delivery_batch) AS batches,
    (SELECT count(*) FROM workflow_run) AS runs"""


def run(call: Call) -> Found:
    found, chance, mails, kills = Found(), call.chance(), call.many(MAILS), KILLS if call.scale == 1 else 3
    with stage(mails, batch=BATCH) as made, _watching(made) as watched:
        watched.launching(made)
        lasts = watched.until_nobody_writes()
        whole = made.query(PLANNED)
    nothing, too_late = 0, 0
    while nothing < kills and too_late < kills:
        with stage(mails, batch=BATCH) as made, _watching(made) as watched:
            while nothing < kills:
                process = watched.launching(made)
                time.sleep(chance.uniform(0, 0.9 * lasts))
                inside = watched.writing()
                process.kill()
                watched.until_nobody_writes()
                planned = made.query(PLANNED)
                if any(planned.values()):  # it had committed at that moment: then all of it is there, and the next try needs a new stage
                    found.must(planned == whole, f"{planned} was planned, a whole launch plans {whole}")
                    too_late, lasts = too_late + 1, lasts * 0.8  # the first was slower: nothing was warm
                    break
                nothing += inside
            else:
                made.launch()
                made.worker()
                judge(found, made, ledger=made.settle(), planned=mails)
    found.must(nothing == kills, f"only {nothing} of {kills} kills came before the commit")
    found.figures |= {"kills before the commit": nothing, "nothing planned after": nothing, "kills after it, all planned": too_late}
    found.figures["the freeze takes ms"] = round(1e3 * lasts)
    return found


class _Watch:
    """A connection of our own, kept open: the moments that count are short."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def writing(self) -> bool:
        row = self._connection.execute(WRITING).fetchone()
        return row is not None and row[0] > 0

    def launching(self, made: Stage) -> subprocess.Popen[bytes]:
        """A launch that has begun to write."""
        process = made.omni.start("manage.py", "send_campaign", "mails", "--yes", "--no-wait", "--as", "bo")
        while not self.writing():
            if process.poll() is not None:
                raise RuntimeError(f"the launch ended before it was seen to write:\n{made.words()}")
            time.sleep(0.001)
        return process

    def until_nobody_writes(self) -> float:
        """How many seconds that took."""
        began = time.monotonic()
        while self.writing():
            time.sleep(0.001)
        return time.monotonic() - began


@contextmanager
def _watching(made: Stage) -> Iterator[_Watch]:
    with psycopg.connect(engines.database_url(made.server, made.database), autocommit=True) as connection:
        yield _Watch(connection)


PROOF = Proof(
    "R11",
    "the process that launches 100,000 mails is killed (`SIGKILL`) at 10 random moments of the transaction that freezes the audience",
    "nothing is planned after any of them; the next launch reaches exactly who it should, lost 0, twice 0",
    run,
)
