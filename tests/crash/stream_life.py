"""Streams among consumers that are killed: entries come doubled, out of order and broken while consumers die at random moments, start
again, and lose their database for a while.

The judge reads PostgreSQL by itself and knows what it wrote; none of OMNI's code judges.
"""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import redis

from tests.crash.nursery import Nursery
from tests.crash.proof import Found

WITHIN = 180.0  # seconds until something that must happen has happened
CONSUMERS = 3


def life(database_url: str, maintenance_url: str, valkey_url: str, folder: Path, *, entries: int, kills: int, chance: Random) -> Found:
    """Write so many entries among so many kills, let it drain, and judge what is there."""
    found, made = Found(), _Scene(database_url, maintenance_url, valkey_url, folder)
    try:
        _play(made, found, entries, kills, chance)
        _judge(made, found)
    finally:
        made.close()
    return found


def _play(made: _Scene, found: Found, entries: int, kills: int, chance: Random) -> None:
    made.manage("migrate", "--verbosity", "0")
    made.manage("dead_letters", "list")  # the workspace is made at its first use
    running = [made.start() for _ in range(CONSUMERS)]
    steps = _steps(entries, kills, chance)
    for place, step in enumerate(steps):
        if step == "write":
            made.write(chance)
            continue
        which = chance.randrange(len(running))
        made.nursery.kill(running[which])
        found.figures["kills"] = found.figures.get("kills", 0) + 1
        if step == "kill and lock out":
            made.lock_out(seconds=chance.uniform(0.5, 1.5))
        running[which] = made.start()
        time.sleep(chance.uniform(0, 0.3) if place < len(steps) - 1 else 0)
    made.until(lambda: made.waiting() == 0)
    for pid in running:
        made.end(pid)
    found.figures |= {"entries": len(made.wrote["profiles"]) + len(made.wrote["events"]), "left unread": made.waiting()}


def _steps(entries: int, kills: int, chance: Random) -> list[str]:
    """What happens, one after another."""
    steps = ["write"] * entries
    for number in range(kills):
        steps.insert(chance.randrange(entries // 10, len(steps)), "kill and lock out" if number == kills // 2 else "kill")
    return steps


def _judge(made: _Scene, found: Found) -> None:
    """Each entry is recorded or a dead letter; each event is there once and triggers once; of everybody the last word is known."""
    letters = {holds: set(made.column("SELECT entry_id FROM audience_deadletter WHERE holds = %s", holds)) for holds in made.wrote}
    there = Counter(made.column("SELECT event_id FROM audience_event"))
    fed = Counter(made.column("SELECT e.event_id FROM audience_eventfeed f JOIN audience_event e ON e.id = f.event_id"))
    lost = [number for number, event in made.wrote["events"].items() if there[event["id"]] == 0 and number not in letters["events"]]
    found.must(not lost, f"{len(lost)} events are neither recorded nor dead letters: {lost[:3]}")
    broken = [number for number, event in made.wrote["events"].items() if event["broken"] and number not in letters["events"]]
    found.must(not broken, f"{len(broken)} broken events are no dead letters: {broken[:3]}")
    found.must(
        max(there.values(), default=1) == 1 and there == fed, f"doubled: {(there - fed).most_common(3)} {(fed - there).most_common(3)}"
    )
    said = dict(made.rows("SELECT external_id, zone FROM audience_profile"))
    late = [(who, said.get(who), zone) for who, zone in made.last.items() if said.get(who) != zone]
    found.must(
        not late and said.keys() == made.last.keys(), f"of {len(late)} people something else is known than was said last: {late[:3]}"
    )
    wrong = [number for number, person in made.wrote["profiles"].items() if person["broken"] and number not in letters["profiles"]]
    found.must(not wrong, f"{len(wrong)} broken people are no dead letters")
    twice = made.rows("SELECT stream, entry_id FROM audience_deadletter GROUP BY 1, 2 HAVING count(*) > 1")
    found.must(not twice, f"{len(twice)} dead letters are there twice")
    found.figures |= {
        "events recorded": len(there),
        "repeated": sum(not event["broken"] for event in made.wrote["events"].values()) - len(there),
        "dead letters": sum(map(len, letters.values())),
        "people": len(said),
    }


ZONES = ["Europe/London", "Europe/Paris", "Asia/Tokyo", "America/New_York", "Africa/Cairo", "Australia/Sydney"]


class _Scene:
    """One installation with a database and streams of its own."""

    def __init__(self, database_url: str, maintenance_url: str, valkey_url: str, folder: Path) -> None:
        self.database_url, self.maintenance_url = database_url, maintenance_url
        self.prefix = f"life{uuid.uuid4().hex[:8]}"
        self.client: Any = redis.Redis.from_url(valkey_url)
        self.nursery = Nursery(
            {
                **{name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_", "PYTEST_"))},
                "DJANGO_SETTINGS_MODULE": "omni.settings",
                "OMNI_ENV": "test",
                "OMNI_DNS": "off",
                "OMNI_DATA_DIR": str(folder),
                "OMNI_DATABASE_URL": database_url,
                "OMNI_STREAM_URL": valkey_url,
                "OMNI_STREAM_PROFILES": f"{self.prefix}:profiles",
                "OMNI_STREAM_EVENTS": f"{self.prefix}:events",
                "OMNI_STREAM_BATCH": "20",
                "OMNI_STREAM_CLAIM_AFTER": "1",
            },
            folder / "processes.log",
        )
        self.log = folder / "processes.log"
        self.wrote: dict[str, dict[str, dict[str, Any]]] = {"profiles": {}, "events": {}}
        self.last: dict[str, str] = {}  # what was said of somebody last
        self.ids: list[str] = []

    # ── what is done ──────────────────────────────────────────────────────────────────────────────────────────────

    def manage(self, *words: str) -> None:
        status, told = self.nursery.run(*words)
        if status:
            raise RuntimeError(f"{words[0]} ended with {status}: {told}")

    def start(self) -> int:
        return self.nursery.start("consume_stream")

    def end(self, pid: int) -> None:
        """SIGTERM, and wait."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        self.until(lambda: not self.nursery.alive(pid))

    def write(self, chance: Random) -> None:
        """Some entries: people over and over, events in any order, doubled, of nobody, before their person, and broken ones."""
        for _ in range(chance.randrange(1, 6)):
            if chance.random() < 0.4:
                self._write_person(chance)
            else:
                self._write_event(chance)

    def _write_person(self, chance: Random) -> None:
        who, zone, broken = f"p{chance.randrange(60)}", chance.choice(ZONES), chance.random() < 0.1
        body = {"external_id": who, "zone": "Mars/Olympus" if broken else zone}
        self._add("profiles", json.dumps(body), {"broken": broken})
        if not broken:
            self.last[who] = zone

    def _write_event(self, chance: Random) -> None:
        again = self.ids and chance.random() < 0.3
        number = chance.choice(self.ids) if again else f"e{len(self.ids)}"
        who = f"p{int(number[1:]) % 60}" if int(number[1:]) % 7 else "ghost"
        at = datetime.now(UTC) - timedelta(seconds=chance.randrange(86_400))
        broken = chance.random() < 0.1
        body = json.dumps({"id": number, "name": "visit", "external_id": who, "at": at.isoformat()})
        self._add("events", body[:-2] if broken else body, {"id": number, "broken": broken or who == "ghost"})
        if not again:
            self.ids.append(number)

    def _add(self, holds: str, body: str, told: dict[str, Any]) -> None:
        self.wrote[holds][self.client.xadd(f"{self.prefix}:{holds}", {"body": body}).decode()] = told

    def lock_out(self, *, seconds: float) -> None:
        """Nobody reaches the database for a while."""
        (name,) = self.column("SELECT current_database()")
        with psycopg.connect(self.maintenance_url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            time.sleep(seconds)
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def until(self, happens: Any) -> None:
        end = time.monotonic() + WITHIN
        while not happens():
            if time.monotonic() > end:
                raise RuntimeError(f"it doesn't come; its processes said: {self.log.read_text()[-3_000:]}")
            time.sleep(0.05)

    def close(self) -> None:
        self.nursery.close()
        self.client.delete(f"{self.prefix}:profiles", f"{self.prefix}:events")
        self.client.close()

    # ── what there is ─────────────────────────────────────────────────────────────────────────────────────────────

    def waiting(self) -> int:
        """Entries that no consumer has acknowledged."""
        many = 0
        for holds in self.wrote:
            groups = self.client.xinfo_groups(f"{self.prefix}:{holds}") if self.client.exists(f"{self.prefix}:{holds}") else []
            many += groups[0]["pending"] + groups[0]["lag"] if groups else 1
        return many

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement, values).fetchall()  # type: ignore[call-overload,no-any-return]

    def column(self, statement: str, *values: Any) -> list[Any]:
        return [row[0] for row in self.rows(statement, *values)]
