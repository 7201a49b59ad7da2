"""An installation on a PostgreSQL of its own into which people and events come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.cpu import _of
from benchmarks.instance import ROOT, _first_process, _postgresql, free_port

SCENE = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "omni.settings"
django.setup()
from django.utils import timezone
from audience import door as audience
from governance import door as governance
from governance.door import Role
now = timezone.now()
workspace, user = governance.default_workspace(), governance.User.objects.create_user("ada")
governance.Membership.objects.create(workspace=workspace, user=user, role=Role.ADMIN)
actor = governance.actor_for(user, workspace.pk, "console")
for name, type_ in (("tier", "text"), ("stays", "number")):
    governance.save(actor, "attribute", name, {"title": name, "type": type_}, base=None, now=now)
people = [audience.ProfileRow("probe")]
people += [audience.ProfileRow(f"u-{n}", country="FR", attributes={"tier": "gold", "stays": n % 9}) for n in range(int(sys.argv[1]))]
assert not audience.upsert(workspace.pk, people, source="benchmark", now=now).rejected
scopes = ["events:write", "profiles:write"]
print(governance.create_api_key(actor, name="benchmark", role="admin", scopes=scopes, expires_at=None, now=now)[1])
"""


@dataclass
class Site:
    """The installation, its processes, and who does the work."""

    folder: Path
    environment: dict[str, str]
    url: str
    port: int
    key: str = ""
    postgresql: int = 0  # its first process
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *arguments: str) -> str:
        """One command to its end; what it printed."""
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout[-1000:] + done.stderr[-3000:])
        return done.stdout.strip()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that goes on."""
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """A process whose output is read at its end."""
        return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)

    def broker(self) -> Any:
        """A client of the streams' server."""
        import redis

        return redis.Redis.from_url(self.environment["OMNI_STREAM_URL"])

    def lag(self) -> int:
        """Events that wait in their stream, as /metrics tell."""
        page = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30).read().decode()
        lines = [line for line in page.splitlines() if line.startswith(("omni_stream_unread{", "omni_stream_unfinished{"))]
        return int(sum(float(line.split()[-1]) for line in lines if 'holds="events"' in line))

    def serve(self) -> None:
        """The API; returns when it answers."""
        self.start("serve", "--no-worker")
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2).read()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server did not start:\n" + (self.folder / "processes.log").read_text()[-4000:])

    def stop(self) -> None:
        """End every process that goes on."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=60)
        self.processes.clear()

    def ask(self, statement: str, *values: Any) -> Any:
        """The first column of the first row."""
        import psycopg

        with psycopg.connect(self.url) as connection:
            row = connection.execute(statement, values).fetchone()  # type: ignore[call-overload]
        return row[0]

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far."""
        return {"OMNI": sum(_of(process.pid) for process in self.processes), "PostgreSQL": _of(self.postgresql)}


@contextmanager
def site(folder: Path, *, people: int, **settings: str) -> Iterator[Site]:
    """It is there with so many people; settings: `stream_url="…"` sets OMNI_STREAM_URL."""
    server, url = _postgresql(folder)
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OMNI_")},
        "OMNI_DATA_DIR": str(folder / "var"),
        "OMNI_DATABASE_URL": url,
        "OMNI_PORT": str(port),
        "OMNI_BELL": "postgres",
        "DJANGO_SETTINGS_MODULE": "omni.settings",
        "OMNI_TOKEN_KEYS": "benchmark-token-key-0123456789abcdef",
        **{f"OMNI_{name.upper()}": value for name, value in settings.items()},
    }
    made = Site(folder, environment, url, port, postgresql=_first_process(folder / "postgresql"))
    try:
        made.run("manage.py", "migrate", "--verbosity", "0")
        made.key = made.run("-c", SCENE, str(people)).splitlines()[-1]
        yield made
    finally:
        made.stop()
        server.cleanup()
