"""The import command, run here or in a process of its own that can be killed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


def import_profiles(place: object, *options: object) -> Ran:
    """`manage.py import_profiles PLACE OPTIONS`."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_profiles", str(place), *map(str, options), stdout=out, stderr=err)
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    return Ran(status, out.getvalue(), err.getvalue())


def write_parquet(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    """A Parquet file of these columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, **options)
    return path


@dataclass(frozen=True, slots=True)
class House:
    """An installation with a database of its own, whose commands are processes."""

    folder: Path
    database_url: str

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_", "PYTEST_"))}
        return kept | {"OMNI_ENV": "test", "OMNI_DATA_DIR": str(self.folder), "OMNI_DATABASE_URL": self.database_url}

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """A process that goes on."""
        command = [sys.executable, *map(str, arguments)]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments: object) -> Ran:
        """A process to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=180)
        return Ran(process.returncode, out, err)

    def ask(self, question: str) -> str:
        """What an expression comes to in a process of the installation, printed."""
        setup = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'omni.settings'; django.setup(); "
        ran = self.run("-c", f"{setup}from audience.models import *; print({question})")
        assert ran.status == 0, ran.err[-2000:]
        return ran.out.strip()
