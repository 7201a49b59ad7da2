"""Every check that is not a test; all of them run, then the failures are named."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
OPENAPI = Path("docs/reference/openapi.yaml")
# Locks and documents must work behind any mirror, so no file names a package registry.
REGISTRY_HOST = r"//[a-z0-9.-]*(pypi|pythonhosted|npmjs|maven|golang|crates|debian)"


def _command(*words: str) -> Callable[[], str]:
    def run() -> str:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=_environment())
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or f"exit status {done.returncode}"

    return run


def _environment() -> dict[str, str]:
    return {**os.environ, "OMNI_DATA_DIR": tempfile.gettempdir() + f"/omni-lint-{os.getuid()}", "PYTHONWARNINGS": "ignore"}


def _openapi() -> str:
    """The committed API document is what the code says today."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as fresh:
        wrong = _command(sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", fresh.name)()
        if wrong:
            return wrong
        now, committed = Path(fresh.name).read_text(), (ROOT / OPENAPI).read_text() if (ROOT / OPENAPI).exists() else ""
    difference = list(difflib.unified_diff(committed.splitlines(), now.splitlines(), "committed", "now", lineterm="", n=1))
    return "" if not difference else "\n".join([*difference[:40], f"{OPENAPI} is behind the code: make openapi"])


def _no_registry_hosts() -> str:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    found = []
    for name in filter(None, listed):
        path = ROOT / name
        if not path.is_file() or path.is_symlink():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if re.search(REGISTRY_HOST, line):
                found.append(f"{name}:{number}: names a package registry")
    return "\n".join(found)


LONGEST = "mypy strict"
CHECKS: dict[str, Callable[[], str]] = {
    "ruff check": _command(sys.executable, "-m", "ruff", "check", "."),
    "ruff format": _command(sys.executable, "-m", "ruff", "format", "--check", "."),
    "mypy strict": _command(sys.executable, "-m", "mypy"),
    "one-way street": _command(str(BIN / "lint-imports")),
    "django check": _command(sys.executable, "manage.py", "check", "--fail-level", "WARNING"),
    "migrations": _command(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"),
    "openapi": _openapi,
    "no registry hosts": _no_registry_hosts,
}


def _timed(check: Callable[[], str]) -> tuple[str, float]:
    began = time.monotonic()
    return check(), time.monotonic() - began


def main() -> int:
    """0 if every check passed. They run side by side, the longest one first."""
    failed = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        running = {name: pool.submit(_timed, CHECKS[name]) for name in sorted(CHECKS, key=lambda name: name != LONGEST)}
    for name in CHECKS:
        wrong, seconds = running[name].result()
        print(f"{'FAILED' if wrong else 'ok':8}{name:20}{seconds:6.1f} s", flush=True)
        if wrong:
            failed.append(name)
            print("\n".join("        " + line for line in wrong.splitlines()[-60:]), flush=True)
    print(f"lint: {len(CHECKS) - len(failed)} of {len(CHECKS)} checks passed" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
