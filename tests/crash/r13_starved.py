"""R13: the database's disk is full in the middle of a send; a worker has 64 file handles; a worker has little memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.crash.judging import judge
from tests.crash.proof import Call, Found, NotHere, Proof
from tests.crash.stage import Stage, end, stage

MAILS, BATCH, PROCESSES, FULL_FOR, ROOM = 30_000, 200, 2, 12.0, 1_200  # ROOM: MB of the small disk
HANDLES, MEMORY = 64, 512  # files; MB of address space, less than a worker needs


def run(call: Call) -> Found:
    found, mails = Found(), call.many(MAILS)
    with small_disk() as disk:
        with stage(mails, batch=BATCH, database=lambda server, name: _tablespace(server, name, disk)) as made:
            made.vendor.takes(0.1)
            made.launch()
            _starved_starts(found, made)
            worker = _limited(made, "RLIMIT_NOFILE", HANDLES)
            _disk_full(found, made, disk, mails)
            ledger = made.settle()
            found.must(worker.poll() is None, "the worker ended")
            judge(found, made, ledger=ledger, planned=mails, in_doubt_at_most=PROCESSES * BATCH)
            tablespace = made.database
        with psycopg.connect(made.server, autocommit=True) as connection:
            connection.execute(f'DROP TABLESPACE "{tablespace}"')  # type: ignore[call-overload]
    return found


def _starved_starts(found: Found, made: Stage) -> None:
    """With too little memory a worker either ends, and says so, or works; it never takes what it can't send."""
    worker = _limited(made, "RLIMIT_AS", MEMORY * 2**20)
    time.sleep(15)
    sent, alive = made.vendor.accepted(), worker.poll() is None
    end(worker)
    found.figures[f"with {MEMORY} MB"] = f"{'works on' if alive else f'ended with {worker.returncode}'}, sent {sent:,}"


def _disk_full(found: Found, made: Stage, disk: Path, mails: int) -> None:
    """Fill the disk to its last byte, wait, and give it back."""
    start = made.vendor.accepted()
    made.until(lambda: made.vendor.accepted() > start + mails // 10, within=120)
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(b"\0" * 2**16)
                file.flush()
        except OSError:
            pass
    time.sleep(2)
    full, complaints = made.vendor.accepted(), made.words_counted("DiskFull")
    time.sleep(FULL_FOR)
    found.figures |= {
        f"file handles {HANDLES}": "works on",
        "sent before the disk was full": full,
        "sent while it was": made.vendor.accepted() - full,
        "said so in the log": made.words_counted("DiskFull") - complaints,
    }
    found.must(full < mails, "the send was over before the disk was full")
    found.must(made.words_counted("DiskFull") > complaints, "nobody said that the disk is full")
    ballast.unlink()


def _limited(made: Stage, limit: str, most: int) -> subprocess.Popen[bytes]:
    """A worker command under one of the system's limits."""
    words = [sys.executable, "manage.py", "worker", "--lane", "promotional", "--processes", str(PROCESSES)]
    return made.omni.start("-c", f"import os, resource as r; r.setrlimit(r.{limit}, ({most}, {most})); os.execv({words[0]!r}, {words!r})")


@contextmanager
def small_disk(room: int = ROOM) -> Iterator[Path]:
    """A file system in memory of so many MB, which can be filled. Raises NotHere where we may not mount one."""
    disk = Path("/tmp") / f"omni-small-disk-{os.getpid()}"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}m", "tmpfs", str(disk)], capture_output=True, text=True)
    if done.returncode:
        disk.rmdir()
        raise NotHere(f"a disk that can be filled needs root: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)
        disk.rmdir()


def _tablespace(server: str, name: str, disk: Path) -> str:
    """A place on that disk for one database, of whoever the server runs as."""
    place = disk / "data"
    place.mkdir()
    shutil.chown(place, "pgserver" if os.geteuid() == 0 else None or os.getuid())
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE \"{name}\" LOCATION '{place}'")  # type: ignore[call-overload]
    return f'TABLESPACE "{name}"'


PROOF = Proof(
    "R13",
    "the database's disk is full for 12 s in a send; a worker has 64 file handles; a worker has 512 MB of address space",
    "a pause that the log tells of, nothing lost or twice; it goes on by itself",
    run,
)
