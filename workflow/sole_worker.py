"""SQLite has one writer, and is unfair to others who wait: so one process at a time sends from a file. PostgreSQL needs none of this.

The turn is a lock of the operating system on a file beside the database: it ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.db import connection

_lock = threading.Lock()
_held: IO[str] | None = None
_holders = 0


@contextmanager
def turn() -> Iterator[bool]:
    """Whether this process may send, for as long as the block lasts. Within one process it may be entered many times."""
    mine = _enter()
    try:
        yield mine
    finally:
        if mine:
            _leave()


def other() -> int | None:
    """The process that has the turn, if another one does."""
    with turn() as mine:
        if mine:
            return None
    path = _path()
    text = path.read_text().strip() if path is not None and path.exists() else ""
    return int(text) if text.isdigit() else 0


def _enter() -> bool:
    global _held, _holders
    path = _path()
    with _lock:
        if path is not None and _held is None:
            handle = path.open("a+")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                handle.close()
                return False
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            _held = handle
        _holders += 1
        return True


def _leave() -> None:
    global _held, _holders
    with _lock:
        _holders -= 1
        if _holders == 0 and _held is not None:
            _held.close()  # and with it the lock
            _held = None


def _path() -> Path | None:
    """The file of the turn; None where any number of processes may send."""
    name = str(connection.settings_dict["NAME"])
    return Path(f"{name}.worker") if connection.vendor == "sqlite" and name.startswith("/") else None
