"""Runs the tests twice: on SQLite, then on a real PostgreSQL. The servers are started once and shared by both.

Arguments go to pytest: `scripts/run_tests.py tests/delivery -k lease`. Without any, tests run in parallel.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests import engines  # noqa: E402

# What no database can change is asked once, in the SQLite half: pure functions, pages as a browser shows them, who may do what.
WITHOUT_A_DATABASE = (
    "browser",
    "setup",
    "rendering",
    "presentation",
    "adapters",
    "optimization",
    "delivery/test_http_to_vendors.py",
    "delivery/test_http2_to_vendors.py",
    "delivery/test_mail_to_relays.py",
    "delivery/test_domain_verdicts.py",
    "delivery/test_asking_name_servers.py",
    "laws/test_fill_equals_plain.py",
    "governance/test_approval_machine.py",
    "console/test_faults_in_words.py",
    "console/test_schema_forms.py",
    "console/test_stylesheet.py",
    "omni/test_logs_hold_no_addresses.py",
    "doors/test_every_door_asks_for_a_role.py",
    "doors/test_other_workspaces_stay_closed.py",
)
NOTHING_COLLECTED = 5  # pytest's exit status
CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def main(arguments: list[str]) -> int:
    """0 if both halves passed."""
    engines.run_folder()  # owned here, so that both halves use the same servers
    statuses = [_half("SQLite", arguments, {})]
    try:
        engines.postgres()
    except engines.EngineMissing as reason:
        print(f"\n!!! THE POSTGRESQL HALF DID NOT RUN: {reason}\n", flush=True)
        return max(*statuses, 1 if CI else 0)
    chosen = arguments if arguments else [f"--ignore=tests/{name}" for name in WITHOUT_A_DATABASE]
    statuses.append(_half("PostgreSQL", [*chosen, "-m", "not browser and not sqlite"], {"OMNI_TEST_ON": "postgres"}))
    ran = [status for status in statuses if status != NOTHING_COLLECTED]
    return max(ran) if ran else NOTHING_COLLECTED


def _half(database: str, arguments: list[str], variables: dict[str, str]) -> int:
    print(f"\n── Tests on {database} " + "─" * 60, flush=True)
    parallel = [] if any(not argument.startswith("--ignore") and argument.startswith("tests") for argument in arguments) else _workers()
    began = time.monotonic()
    status = subprocess.run(
        [sys.executable, "-m", "pytest", *parallel, *arguments], env={**os.environ, **variables}, cwd=ROOT, check=False
    ).returncode
    print(f"── {database}: {time.monotonic() - began:.0f} s, exit status {status}", flush=True)
    return status


def _workers() -> list[str]:
    """One more than there are cores: many tests wait for a browser, a server or a process of theirs."""
    return ["-n", str(min(8, (os.cpu_count() or 1) + 1)), "--dist", "worksteal"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
