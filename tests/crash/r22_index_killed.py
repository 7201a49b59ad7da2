"""R22: feeders and rebuilds of the audience's index are killed (SIGKILL) at random moments while people change."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

import psycopg

from tests import engines
from tests.crash.index_life import life
from tests.crash.proof import Call, Found, NotHere, Proof
from tests.crash.stage import durable_server, removed

PEOPLE, KILLS = 50_000, 40


def run(call: Call) -> Found:
    try:
        elasticsearch = engines.elasticsearch()
    except engines.EngineMissing as reason:
        raise NotHere(str(reason)) from reason
    folder, server, name = Path(tempfile.mkdtemp(prefix="omni-proof-")), durable_server(), f"proof_{uuid.uuid4().hex[:8]}"
    with removed(folder), psycopg.connect(server, autocommit=True) as maintenance:
        maintenance.execute(f"CREATE DATABASE {name}")
        try:
            url, kills = engines.database_url(server, name), KILLS if call.scale == 1 else max(3, int(KILLS * call.scale))
            return life(url, elasticsearch, folder, people=call.many(PEOPLE), kills=kills, chance=call.chance())
        finally:
            maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


PROOF = Proof(
    "R22",
    "feeders and rebuilds of the audience's index are killed (`SIGKILL`) at 40 random moments each while 50,000 people change",
    "one index behind the alias at every look; started again, index and database are the same, person by person; no index left over",
    run,
)
