"""R13S: the disk that holds the data folder is full in the middle of a send: SQLite's file on it, or PostgreSQL's data elsewhere."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.instance import Instance, environment_of, free_port
from tests.crash.judging import judge
from tests.crash.proof import Call, Found, Proof
from tests.crash.r13_starved import FULL_FOR, small_disk
from tests.crash.stage import Stage, end, removed, stage
from tests.crash.vendor import vendor

MAILS, BATCH, PROCESSES, ROOM = 30_000, 100, 2, 300  # ROOM: MB of the small disk


def run(call: Call) -> Found:
    found, mails = Found(), call.many(MAILS)
    with small_disk(ROOM) as disk:
        with _on_sqlite(disk, mails) as made:
            _sent_over_a_full_disk(found, made, made.omni.worker("--lane", "promotional"), disk, mails, at_most=BATCH)
        found.figures = {"SQLite's file and the data folder": dict(found.figures)}
        found.must(found.figures["SQLite's file and the data folder"]["complaints"] > 0, "nobody said that the disk is full")
    with small_disk(ROOM) as disk:
        with stage(mails, batch=BATCH) as made:
            made.omni.environment["OMNI_DATA_DIR"] = str(disk / "var")  # before its first process
            with_postgresql = Found()
            worker = made.worker(processes=PROCESSES)
            _sent_over_a_full_disk(with_postgresql, made, worker, disk, mails, at_most=PROCESSES * BATCH)
        found.figures["the data folder beside PostgreSQL"] = with_postgresql.figures
        found.faults += with_postgresql.faults
    return found


def _sent_over_a_full_disk(found: Found, made: Stage, worker: subprocess.Popen[bytes], disk: Path, mails: int, *, at_most: int) -> None:
    """Launch, fill the disk to its last byte when a tenth is sent, wait, give it back; then nothing may be lost or have come twice."""
    made.vendor.takes(0.3)
    made.launch()
    made.until(lambda: made.vendor.accepted() > mails // 10, within=300)
    ballast = disk / "ballast"
    fill(ballast)
    time.sleep(2)
    full, complaints = made.vendor.accepted(), made.words_counted("worker.")
    time.sleep(FULL_FOR)
    found.figures |= {"sent before it was full": full, "sent while it was": made.vendor.accepted() - full}
    found.figures["complaints"] = made.words_counted("worker.") - complaints
    found.must(full < mails, "the send was over before the disk was full")
    ballast.unlink()
    ledger = made.settle()
    found.must(worker.poll() is None, "the worker ended")
    judge(found, made, ledger=ledger, planned=mails, in_doubt_at_most=at_most)


def fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


@dataclass
class OneFile(Stage):
    """An instance on SQLite. database: the path of its file."""

    def query(self, statement: str, *values: Any) -> dict[str, Any]:
        """One row, by name; waits while another process writes."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=60)
        try:
            connection.row_factory = sqlite3.Row
            return dict(connection.execute(statement, values).fetchone() or {})
        finally:
            connection.close()


@contextmanager
def _on_sqlite(disk: Path, mails: int) -> Iterator[OneFile]:
    """A fresh instance whose data folder, with the database's file, is on this disk; its log is elsewhere."""
    folder = Path(tempfile.mkdtemp(prefix="omni-proof-"))
    with removed(folder), vendor(folder) as judged:
        port = free_port()
        given = {"vendor_timeout": "2", "lease_seconds": "8", "in_doubt_after": "10"}
        environment = environment_of(disk / "var", port, database_url="", vendor=judged.url, webhook_keys=judged.webhook_keys, **given)
        omni = Instance(folder, None, environment, port)  # type: ignore[arg-type]  # it asks no Lab
        omni.run("-m", "benchmarks.scene", "--mails", str(mails), "--texts", "0", "--batch", str(BATCH))
        where = "from django.db import connection as c; import json; print(json.dumps(str(c.settings_dict['NAME'])))"
        database = json.loads(omni.run("manage.py", "shell", "--verbosity", "0", "-c", where).splitlines()[-1])
        made = OneFile(omni, judged, "", database, mails)
        try:
            yield made
        finally:
            for process in omni.processes:
                end(process)


PROOF = Proof(
    "R13S",
    "the disk of the data folder is full for 12 s in a send: with SQLite's file on it, and beside a PostgreSQL elsewhere",
    "a pause where the database is there too; nothing lost or twice; it goes on by itself",
    run,
)
