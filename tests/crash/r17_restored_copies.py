"""R17: a backup taken in the middle of a send is restored, elsewhere and in place: it waits for a person and sends nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.instance import Instance
from tests import engines
from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import Stage, end, program, stage

MAILS, BATCH, WATCHED = 20_000, 200, 10.0
RAISED = 70.0  # seconds after which a running worker has told its file of itself (workflow/worker.py), and a bit


def run(call: Call) -> Found:
    found, mails = Found(), call.many(MAILS)
    with stage(mails, batch=BATCH, vendor_timeout="6", lease_seconds="30") as made:
        made.launch()
        made.vendor.takes(
            min(4.0, 2 * 2 * RAISED * BATCH / mails)
        )  # two processes: the send outlasts that time, with nothing started in it
        made.worker(processes=2)
        made.until(lambda: made.vendor.accepted() > 0, within=120)
        backup = made.omni.folder / "backup"
        subprocess.run([program("pg_dump"), "-Fc", "-f", str(backup), made.omni.environment["OMNI_DATABASE_URL"]], check=True)
        time.sleep(RAISED)
        before = made.vendor.accepted()
        found.must(BATCH < before < mails, f"{before:,} were sent after the backup and before it came back: this shows nothing")
        found.figures |= {"messages": mails, "sent when the backup was restored": before}
        _into(made, made.database, backup)  # under the feet of the worker that is sending
        found.figures["sent by the copy in place"] = _watch(found, made, made.omni, "in place")
        found.figures["sent by the copy elsewhere"] = _elsewhere(found, made, backup)
    return found


def _elsewhere(found: Found, made: Stage, backup: Path) -> int:
    """The copy in another database, with another data folder."""
    name, data = f"{made.database}_copy", made.omni.folder / "elsewhere"
    _into(made, name, backup)
    url = engines.database_url(made.server, name)
    try:
        there = Instance(
            made.omni.folder, made.omni.lab, {**made.omni.environment, "OMNI_DATABASE_URL": url, "OMNI_DATA_DIR": str(data)}, 0
        )
        return _watch(found, made, there, "elsewhere")
    finally:
        subprocess.run([program("psql"), made.server, "-qc", f'DROP DATABASE "{name}" WITH (FORCE)'], check=True)
        shutil.rmtree(data, ignore_errors=True)


def _into(made: Stage, name: str, backup: Path) -> None:
    for statement in (f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"'):
        subprocess.run([program("psql"), made.server, "-qc", statement], check=True, capture_output=True)
    subprocess.run([program("pg_restore"), "-d", engines.database_url(made.server, name), str(backup)], check=True)


def _watch(found: Found, made: Stage, omni: Instance, where: str) -> int:
    """Start its workers, look for a while, and say how many messages they sent; somebody must be told why none."""
    time.sleep(2)  # what was in the air has arrived
    before = made.vendor.accepted()
    started = made.words_counted("worker.started")
    worker = omni.worker("--processes", "2")
    made.until(lambda: made.words_counted("worker.started") == started + 2, within=60)
    time.sleep(WATCHED)
    end(worker)
    told = omni.manage("confirm_instance", "--as", "adam", check=False)
    sent = made.vendor.accepted() - before
    found.must(sent == 0, f"a copy restored {where} sent {sent:,} messages")
    found.must("every installation may send" not in told, f"nobody is told that a copy restored {where} is held")
    return sent


PROOF = Proof("R17", "a backup taken in the middle of a send is restored, elsewhere and in place", "it starts held and sends 0", run)
