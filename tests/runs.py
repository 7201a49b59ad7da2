"""One test run: its folder, the servers that it shares, and the keeper that stops them.

A run is a folder (`OMNI_TEST_RUN`). The process that makes it owns it; a small keeper process stops the servers and removes the
folder as soon as the owner is gone, however it went. Whoever needs a server first starts it, under a lock.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

START_WITHIN, STOP_WITHIN = 180, 20  # seconds
_keeper: subprocess.Popen[bytes] | None = None


class EngineMissing(Exception):
    """This machine can't run the engine; the words say what would mend that."""


def run_folder() -> Path:
    """The folder of this test run. The first process to ask owns it; its children find it in the environment."""
    global _keeper
    named = os.environ.get("OMNI_TEST_RUN")
    if named and Path(named).is_dir():
        return Path(named)
    folder = Path(tempfile.mkdtemp(prefix="omni-test-"))
    folder.chmod(0o755)  # servers that refuse to run as root run as somebody else
    os.environ["OMNI_TEST_RUN"] = str(folder)
    _keeper = subprocess.Popen([sys.executable, __file__, "keep", str(folder)], stdin=subprocess.PIPE, start_new_session=True)
    atexit.register(_let_go)
    return folder


def _let_go() -> None:
    if _keeper is not None and _keeper.stdin is not None:
        _keeper.stdin.close()
        _keeper.wait(STOP_WITHIN * 2)


def _keep(folder: Path) -> None:
    """Wait until the owner closes our standard input (or dies), then stop what the run started."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.buffer.read()
    for record in folder.glob("*.json"):
        _stop(json.loads(record.read_text()))
    shutil.rmtree(folder, ignore_errors=True)


def _stop(started: dict[str, Any]) -> None:
    pid, group, how = started.get("pid"), started.get("group", False), started.get("signal", signal.SIGTERM)
    if pid is None:
        return
    for attempt in (how, signal.SIGKILL):
        try:
            (os.killpg if group else os.kill)(pid, attempt)
        except ProcessLookupError:
            return
        until = time.monotonic() + STOP_WITHIN
        while time.monotonic() < until and _alive(pid):
            time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # the owner may be busy waiting for us
    except psutil.NoSuchProcess:
        return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with open(path, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def shared(name: str, start: Callable[[Path], dict[str, Any]]) -> str:
    """The address of the run's `name`, started under a lock by the first process that needs it."""
    run = run_folder()
    record = run / f"{name}.json"
    with locked(run / f"{name}.lock"):
        if not record.exists():
            folder = run / name
            folder.mkdir()
            try:
                found = start(folder)
            except EngineMissing as missing:
                found = {"missing": str(missing)}
            record.write_text(json.dumps(found))
    found = json.loads(record.read_text())
    if "missing" in found:
        raise EngineMissing(found["missing"])
    return str(found["url"])


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The run's folder of this name, filled by the first process that needs it while the others wait. For copying, not for writing."""
    run = run_folder()
    folder, made = run / name, run / f"{name}.made"
    with locked(run / f"{name}.lock"):
        if not made.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            made.touch()
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cache() -> Path:
    """A folder that outlives runs and that other users of this machine may read: what was fetched and unpacked."""
    folder = Path(os.environ.get("OMNI_TEST_CACHE") or f"/var/tmp/omni-engines-{os.getuid()}")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise EngineMissing(f"{folder} belongs to somebody else; name a folder of your own in OMNI_TEST_CACHE")
    return folder


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, name: str) -> None:
    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            tail = log.read_text(errors="replace").strip().splitlines()[-3:]
            raise EngineMissing(f"{name} stopped while starting: {' | '.join(tail)}")
        if ready():
            return
        time.sleep(0.1)
    process.kill()
    raise EngineMissing(f"{name} did not answer within {START_WITHIN} s")


if __name__ == "__main__":
    _keep(Path(sys.argv[2]))
