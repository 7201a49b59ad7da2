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

MAILS, WATCHED = 20_000, 15.0


def run(call: Call) -> Found:
    found, mails = Found(), call.many(MAILS)
    with stage(mails) as made:
        made.vendor.takes(0.15)
        made.launch()
        worker = made.worker()
        made.until(lambda: made.vendor.accepted() > mails // 4, within=120)
        backup = made.omni.folder / "backup"
        subprocess.run([program("pg_dump"), "-Fc", "-f", str(backup), made.omni.environment["OMNI_DATABASE_URL"]], check=True)
        made.until(lambda: made.vendor.accepted() > mails // 2, within=120)
        end(worker)
        before = made.vendor.accepted()
        found.must(before < mails, "the send was over: this shows nothing")
        found.figures |= {"sent when the backup was restored": before}
        found.figures["sent by the copy elsewhere"] = _elsewhere(found, made, backup)
        worker = made.worker()  # the original goes on, whatever its copy does
        made.until(lambda: made.vendor.accepted() >= mails * 3 // 4, within=120)
        end(worker)
        _into(made, made.database, backup)
        found.figures["sent by the copy in place"] = _watch(found, made, made.omni, "in place")
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
    before = made.vendor.accepted()
    worker = omni.worker("--processes", "2")
    time.sleep(WATCHED)
    end(worker)
    told = omni.manage("confirm_instance", "--as", "adam", check=False)
    sent = made.vendor.accepted() - before
    found.must(sent == 0, f"a copy restored {where} sent {sent:,} messages")
    found.must("every installation may send" not in told, f"nobody is told that a copy restored {where} is held")
    return sent


PROOF = Proof("R17", "a backup taken in the middle of a send is restored, elsewhere and in place", "it starts held and sends 0", run)
