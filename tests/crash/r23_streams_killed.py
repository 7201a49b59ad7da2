"""R23: consumers of streams are killed (SIGKILL) at random moments, and lose their database, while entries come in."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

import psycopg

from tests import engines
from tests.crash.proof import Call, Found, NotHere, Proof
from tests.crash.stage import durable_server, removed
from tests.crash.stream_life import life

WRITES, KILLS = 20_000, 60


def run(call: Call) -> Found:
    try:
        valkey = engines.valkey()
    except engines.EngineMissing as reason:
        raise NotHere(str(reason)) from reason
    folder, server, name = Path(tempfile.mkdtemp(prefix="omni-proof-")), durable_server(), f"proof_{uuid.uuid4().hex[:8]}"
    with removed(folder), psycopg.connect(server, autocommit=True) as maintenance:
        maintenance.execute(f"CREATE DATABASE {name}")
        try:
            url, kills = engines.database_url(server, name), KILLS if call.scale == 1 else max(3, int(KILLS * call.scale))
            return life(url, server, valkey, folder, entries=call.many(WRITES), kills=kills, chance=call.chance())
        finally:
            maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


PROOF = Proof(
    "R23",
    "three consumers of streams are killed (`SIGKILL`) at 60 random moments, and once nobody reaches the database, while some 60,000 "
    "entries come in: doubled, out of order, of people who come later, and broken",
    "every entry is recorded or a dead letter, each event once with one trigger, of everybody the last word is known",
    run,
)
