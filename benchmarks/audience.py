"""How fast audiences are counted, kept, loaded and explained, and how that grows: `python -m benchmarks.audience --people 10000 100000`.

Each size has a PostgreSQL of its own with as many people and five times as many events, the same for the same seed. Elasticsearch is
the tests' own (512 MB, no root, no container), or the one that OMNI_TEST_ELASTICSEARCH_URL names; `--no-elasticsearch` leaves it out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from benchmarks.instance import ROOT, _postgresql
from tests import engines

ASKED = {  # what was asked for at a million
    ("postgresql", "attributes: count ms"): "≤ 60",
    ("elasticsearch", "attributes: count ms"): "≤ 20",
    ("postgresql", "counter: count ms"): "≤ 50",
    ("elasticsearch", "counter: count ms"): "≤ 50",
    ("postgresql", "events: count ms"): "≤ 400",
    ("postgresql", "events where: count ms"): "≤ 400",
    ("postgresql", "snapshot of everybody s"): "≤ 3",
    ("elasticsearch", "snapshot of everybody s"): "≤ 10",
    ("", "loaded for sending /s"): "≥ 150,000",
    ("", "explain ms"): "≤ 10",
}


def measured(people: int, rounds: int, seed: int, elasticsearch: str) -> dict[str, Any]:
    """One size, in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="omni-audience-") as folder:
        server, url = _postgresql(Path(folder))
        prefix = f"bench{uuid.uuid4().hex[:8]}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OMNI_")},
            "OMNI_DATA_DIR": str(Path(folder) / "var"),
            "OMNI_DATABASE_URL": url,
            "OMNI_ELASTICSEARCH_URL": elasticsearch,
            "OMNI_ELASTICSEARCH_PREFIX": prefix,
        }
        try:
            words = [sys.executable, "-m", "benchmarks.audience_asked", str(people), str(rounds), str(seed)]
            found: dict[str, Any] = {}
            with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as asking:
                assert asking.stdout is not None
                for line in asking.stdout:
                    found = json.loads(line)
                    print(line, end="", file=sys.stderr, flush=True)
            if asking.returncode:
                raise SystemExit(f"it ended with {asking.returncode} at {people:,} people")
            return found
        finally:
            server.cleanup()
            if elasticsearch:
                _remove(elasticsearch, prefix)


def _remove(url: str, prefix: str) -> None:
    from elasticsearch import Elasticsearch

    client = Elasticsearch(url)
    for name in client.indices.get(index=f"{prefix}-*").body:
        client.indices.delete(index=name)
    client.options(ignore_status=404).indices.delete_index_template(name=f"{prefix}-audience")


def table(sizes: list[dict[str, Any]]) -> str:
    """Markdown: a line per figure, a column per size."""
    lines = ["| | asked at a million | " + " | ".join(f"{each['people']:,}" for each in sizes) + " |", "|---|---|" + "---|" * len(sizes)]
    for engine in ("", "postgresql", "elasticsearch"):
        wanted = [
            key for key in (sizes[-1].get(engine, {}) if engine else sizes[-1]) if key not in ("people", "postgresql", "elasticsearch")
        ]
        for key in wanted:
            values = [(each.get(engine, {}) if engine else each).get(key, "–") for each in sizes]
            told = [_word(value) for value in values]
            lines.append(f"| {engine + ', ' if engine else ''}{key} | {ASKED.get((engine, key), '')} | " + " | ".join(told) + " |")
    return "\n".join(lines)


def _word(value: Any) -> str:
    if isinstance(value, list):
        return f"{value[0]:,} (fastest {value[1]:,})"
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=15, help="calls that a median is of")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-elasticsearch", action="store_true")
    asked = parser.parse_args()
    url = "" if asked.no_elasticsearch else engines.elasticsearch()
    sizes = []
    for people in asked.people:
        sizes.append(measured(people, asked.rounds, asked.seed, url))
    print(table(sizes))


if __name__ == "__main__":
    main()
