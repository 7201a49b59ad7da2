"""The audience's index among processes that are killed: people change, feeders and rebuilds die at random moments and start again.

The judge reads the index and PostgreSQL by itself, with none of OMNI's code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.crash.nursery import Nursery
from tests.crash.proof import Found

ROOT = Path(__file__).resolve().parent.parent.parent
WITHIN = 180.0  # seconds until something that must happen has happened
# Every row that the feed ever had, written by PostgreSQL itself.
TOLD = """
CREATE TABLE told (number bigint, profile_id bigint);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO told VALUES (NEW.id, NEW.profile_id); RETURN NULL; END';
CREATE TRIGGER tell AFTER INSERT ON audience_profilefeed FOR EACH ROW EXECUTE FUNCTION tell();
"""
PEOPLE = "SELECT id, country, folded->>'tier', (folded->>'spent')::float8, folded->'tags' FROM audience_profile WHERE gone_at IS NULL"
FIELDS = ("country", "text.tier", "number.spent", "list.tags")


def life(database_url: str, elasticsearch: str, folder: Path, *, people: int, kills: int, chance: Random) -> Found:
    """Play it with so many people and kills, and judge what is left."""
    found = Found()
    with _scene(Scene(database_url, elasticsearch, f"life{chance.randrange(16**8):08x}", folder)) as made:
        made.manage("migrate", "--verbosity", "0")
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(TOLD)
        with made.writer(chance.randrange(10**6), people) as wrote:
            made.manage("reindex_audience")
            began = time.monotonic()
            made.manage("reindex_audience")
            lasts = time.monotonic() - began  # when the server is warm
            with made.watched() as seen:
                _kill(made, found, kills, lasts, chance)
            found.must(set(seen) == {1}, f"behind the alias were, at so many looks, so many indexes: {dict(seen)}")
            found.figures["looks at the alias"] = seen.total()
        found.figures |= wrote
        made.feed()
        _judge(found, made, "fed")
        made.manage("reindex_audience")
        made.feed()
        _judge(found, made, "rebuilt")
        names = made.indexes()
        found.must(len(names) == 1 and list(names.values()) == [[made.alias]], f"left were {names}")
    return found


def _kill(made: Scene, found: Found, kills: int, lasts: float, chance: Random) -> None:
    """Kill a rebuild and a feeder at so many moments each. Every third rebuild dies as soon as its index is in use."""
    born, orphans, done = made.nursery, 0, 0
    feeders = [born.start("feed_audience", "--follow") for _ in range(2)]
    for number in range(kills):
        known, in_use = set(made.indexes()), made.behind(made.alias)
        rebuilds = [born.start("reindex_audience") for _ in range(2 if number % 4 == 3 else 1)]
        made.until(lambda: set(made.indexes()) - known or not any(map(born.alive, rebuilds)), pause=0.005)  # noqa: B023  # asked at once
        if number % 3 == 2:
            made.until(lambda: made.behind(made.alias) != in_use or not any(map(born.alive, rebuilds)), pause=0)  # noqa: B023
        else:
            time.sleep(chance.uniform(0, lasts))
        done += made.behind(made.alias) != in_use
        which = chance.randrange(len(feeders))
        for pid in [*rebuilds, feeders[which]]:
            born.kill(pid)
        orphans += any(not aliases for aliases in made.indexes().values())
        feeders[which] = born.start("feed_audience", "--follow")
        time.sleep(chance.uniform(0, 0.5))
    for pid in feeders:
        born.kill(pid)
    found.figures |= {"kills": 2 * kills + 2, "of them after the index was in use": done, "that left an index of nobody": orphans}


def _judge(found: Found, made: Scene, when: str) -> None:
    """The index in use and the database are one and the same, person by person, and every version is a feed row's or a rebuild's."""
    expected, there, told = made.people(), made.documents(), made.told()
    wrong = [each for each in expected.keys() | there.keys() if expected.get(each) != there.get(each, (None, None))[1]]
    found.must(not wrong, f"once {when}, {len(wrong):,} people differ, the first: {[(expected.get(e), there.get(e)) for e in wrong[:2]]}")
    strange = [each for each, (version, _) in there.items() if version != 1 and version - 1 not in told[each]]
    found.must(not strange, f"once {when}, {len(strange):,} people have versions that nobody gave: {strange[:3]}")
    by_feed = sum(version > 1 for version, _ in there.values())
    found.figures[f"people, {when}"] = {"database": len(expected), "index": len(there), "by the feed": by_feed, "different": len(wrong)}
    found.must(made.drift() == 0, f"once {when}, audience_drift found drift")


@dataclass
class Scene:
    """One installation with a database of its own and indexes of its own name."""

    database_url: str
    elasticsearch: str
    prefix: str
    folder: Path

    def __post_init__(self) -> None:
        from elasticsearch import Elasticsearch

        self.client = Elasticsearch(self.elasticsearch)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_", "PYTEST_"))},
            "DJANGO_SETTINGS_MODULE": "omni.settings",
            "OMNI_ENV": "test",
            "OMNI_DNS": "off",
            "OMNI_DATA_DIR": str(self.folder),
            "OMNI_DATABASE_URL": self.database_url,
            "OMNI_ELASTICSEARCH_URL": self.elasticsearch,
            "OMNI_ELASTICSEARCH_PREFIX": self.prefix,
            "OMNI_TOKEN_KEYS": "the-key-of-tests-only-0123456789abcdef",
            "OMNI_VAULT_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        }
        self.nursery = Nursery(self.environment, self.folder / "processes.log")

    # ── what is done ──────────────────────────────────────────────────────────────────────────────────────────────

    def manage(self, *words: str) -> None:
        """One command to its end."""
        status, said = self.nursery.run(*words)
        if status:
            raise RuntimeError(f"{words[0]} ended with {status}: {said}")

    def feed(self) -> None:
        """Until nothing waits: the server may need a moment to see that whoever held rows is dead."""
        self.until(lambda: self.manage("feed_audience") or not self.ask("SELECT 1 FROM audience_profilefeed LIMIT 1"), pause=0.1)

    def drift(self) -> int:
        """The exit status of `audience_drift`."""
        return self.nursery.run("audience_drift", "--everyone")[0]

    @contextmanager
    def writer(self, seed: int, people: int) -> Iterator[dict[str, int]]:
        """Somebody changes people until the block ends; what they did is in the dictionary then."""
        did: dict[str, int] = {}
        with (self.folder / "writer.log").open("ab") as log:
            words = [sys.executable, "-m", "tests.crash.index_writer", str(seed), str(people)]
            process = subprocess.Popen(words, cwd=ROOT, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert process.stdin is not None and process.stdout is not None
        try:
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the writer ended: {(self.folder / 'writer.log').read_text()[-2_000:]}")
            yield did
            process.stdin.close()
            did.update(json.loads(process.stdout.readline()))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stdin.close()

    @contextmanager
    def watched(self) -> Iterator[Counter[int]]:
        """Looks all the time at how many indexes are behind the alias."""
        seen, over = Counter[int](), threading.Event()

        def look() -> None:
            while not over.wait(0.02):
                seen[len(self.behind(self.alias))] += 1

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()

    def until(self, happens: Any, *, pause: float) -> None:
        """Wait for it. Raises where it doesn't come."""
        end = time.monotonic() + WITHIN
        while not happens():
            if time.monotonic() > end:
                log = self.folder / "processes.log"
                raise RuntimeError(f"it doesn't come; its processes said: {log.read_text()[-2_000:] if log.exists() else 'nothing'}")
            time.sleep(pause)

    # ── what there is ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def alias(self) -> str:
        return f"{self.prefix}-audience-{self.ask('SELECT min(id) FROM governance_workspace')[0][0]}"

    def ask(self, statement: str) -> list[Any]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]

    def behind(self, alias: str) -> list[str]:
        found = self.client.options(ignore_status=404).indices.get_alias(name=alias)
        return [] if found.meta.status == 404 else sorted(found.body)

    def indexes(self) -> dict[str, list[str]]:
        """Every index of this installation with its aliases."""
        found = self.client.indices.get_alias(index=f"{self.prefix}-*", ignore_unavailable=True, allow_no_indices=True).body
        return {name: sorted(body["aliases"]) for name, body in found.items()}

    def told(self) -> dict[int, set[int]]:
        numbers = defaultdict[int, set[int]](set)
        for number, profile_id in self.ask("SELECT number, profile_id FROM told"):
            numbers[profile_id].add(number)
        return numbers

    def people(self) -> dict[int, tuple[Any, ...]]:
        rows = self.ask(PEOPLE)
        return {row[0]: (row[1], row[2], row[3], None if row[4] is None else frozenset(row[4])) for row in rows}

    def documents(self) -> dict[int, tuple[int, tuple[Any, ...]]]:
        """(version, fields) of everybody in the index in use."""
        (name,) = self.behind(self.alias)
        self.client.indices.refresh(index=name)
        found: dict[int, tuple[int, tuple[Any, ...]]] = {}
        after = None
        while True:
            page = self.client.search(
                index=name, sort=[{"id": "asc"}], size=5_000, docvalue_fields=FIELDS, version=True, search_after=after
            )
            hits = page["hits"]["hits"]
            for hit in hits:
                one = [hit.get("fields", {}).get(name) for name in FIELDS]
                values = (*((value[0] if value else None) for value in one[:3]), frozenset(one[3]) if one[3] else None)
                found[int(hit["_id"])] = (hit["_version"], values)
            if not hits:
                return found
            after = hits[-1]["sort"]


@contextmanager
def _scene(made: Scene) -> Iterator[Scene]:
    try:
        yield made
    finally:
        made.nursery.close()
        for name in made.indexes():
            made.client.indices.delete(index=name)
        made.client.options(ignore_status=404).indices.delete_index_template(name=f"{made.prefix}-audience")
