"""The demonstration's data, made once per run by the command that makes it in life: for copying into a folder of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import runs

ROOT = Path(__file__).resolve().parent.parent
SAID = "said.txt"


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """What a process of the demonstration in this folder is given: nothing of this process' own settings."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_", "PYTEST_"))}
    ours = {"DJANGO_SETTINGS_MODULE": "omni.settings", "OMNI_DATA_DIR": str(folder), "OMNI_DEMO_SERVE": "0", "OMNI_PORT": "0"}
    return {**outside, **ours, "COLUMNS": "200", **variables}


def demonstrate(folder: Path, **variables: str) -> str:
    """`manage.py demo` in this folder; what it showed."""
    command, given = [sys.executable, "manage.py", "demo"], environment(folder, **variables)
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def made() -> Path:
    """A folder after its first demonstration, and what that showed in SAID."""
    return runs.made_once("demonstration", _make)


def _make(folder: Path) -> None:
    (folder / SAID).write_text(demonstrate(folder))
