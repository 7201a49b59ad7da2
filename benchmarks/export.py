"""How fast the history is written as Parquet, and in how much memory: `python -m benchmarks.export --messages 1000000`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.instance import ROOT, _postgresql

FILL = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "omni.settings"
django.setup()
from datetime import UTC, datetime
from benchmarks.year import EACH, fill
from governance.members import default_workspace
fill(default_workspace().pk, int(sys.argv[1]), people=list(range(1, EACH + 1)), newest=datetime.now(UTC))
"""


def main() -> None:
    """Fill a ledger, export it, export it again, and once more after an event."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, nargs="+", default=[100_000, 1_000_000])
    for messages in parser.parse_args().messages:
        with tempfile.TemporaryDirectory(prefix="omni-export-") as folder:
            server, url = _postgresql(Path(folder))
            try:
                _measure(messages, Path(folder), url)
            finally:
                server.cleanup()


def _measure(messages: int, folder: Path, url: str) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OMNI_")},
        "OMNI_DATA_DIR": str(folder / "var"),
        "OMNI_DATABASE_URL": url,
    }

    def run(*arguments: str) -> str:
        made = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SystemExit(made.stderr[-3000:])
        return made.stdout

    run("manage.py", "migrate", "--verbosity", "0")
    run("-c", FILL, str(messages))
    for name in ("first", "again"):
        told = json.loads(run("manage.py", "export_history", "--to", str(folder / "out"), "--json"))
        rows = sum(told["rows"].values())
        size = sum(path.stat().st_size for path in (folder / "out").rglob("*.parquet"))
        print(
            f"{messages:>10,} messages, {name}: {rows:,} rows in {told['seconds']:.1f} s "
            f"({rows / max(told['seconds'], 0.01):,.0f}/s), at most {told['peak_mb']} MB, {size / 1e6:.1f} MB of files"
        )


if __name__ == "__main__":
    main()
