"""A process that has everything loaded and forks one process per command: `python -m tests.crash.nursery`.

One JSON line in, one out: {"start": [command, …]} → {"pid": …}; {"run": [command, …]} → {"status": …, "said": …} at its end. Whoever
asked may kill what was started like any process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent.parent


class Nursery:
    """That process, from outside."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.nursery"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self._started: set[int] = set()

    def start(self, *words: str) -> int:
        """The number of a new process that runs the command."""
        pid: int = self._ask({"start": words})["pid"]
        self._started.add(pid)
        return pid

    def run(self, *words: str) -> tuple[int, str]:
        """(exit status, what it said) of the command."""
        said = self._ask({"run": words})
        return said["status"], said["said"]

    def alive(self, pid: int) -> bool:
        """Whether a started process still runs."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self, pid: int) -> None:
        """SIGKILL; returns when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while self.alive(pid):
            pass
        self._started.discard(pid)

    def close(self) -> None:
        """End it and everything that it started."""
        for pid in list(self._started):
            self.kill(pid)
        self._process.kill()
        self._process.communicate()

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the nursery ended")
        said: dict[str, Any] = json.loads(line)
        return said


def main() -> None:
    import django

    django.setup()
    import elasticsearch  # noqa: F401  # loaded once for all

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for line in sys.stdin:
        asked = json.loads(line)
        if words := asked.get("start"):
            said: dict[str, Any] = {"pid": _twice_forked(words)}
        else:
            said = _run(asked["run"])
        print(json.dumps(said), flush=True)


def _twice_forked(words: list[str]) -> int:
    """Start a process that is nobody's child, so that it is gone as soon as it is dead."""
    reading, writing = os.pipe()
    middle = os.fork()
    if not middle:
        child = os.fork()
        if not child:
            os.close(writing)
            _become(words)
        os.write(writing, str(child).encode())
        os._exit(0)
    os.waitpid(middle, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        return int(told.read())


def _run(words: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as heard:
        child = os.fork()
        if not child:
            os.dup2(heard.fileno(), 2)
            _become(words)
        _, status = os.waitpid(child, 0)
        heard.seek(0)
        return {"status": os.waitstatus_to_exitcode(status), "said": heard.read()[-2_000:]}


def _become(words: list[str]) -> NoReturn:
    from django.core.management import call_command

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = io.TextIOWrapper(os.fdopen(2, "wb", closefd=False), write_through=True)
    status = 0
    try:
        call_command(*words)
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException as error:
        print(repr(error)[:2_000], file=sys.stderr, flush=True)
        status = 1
    os._exit(status)


if __name__ == "__main__":
    main()
