"""People and what they did, the same for the same seed, straight into PostgreSQL's tables: a million with five million events in minutes.

They are written as the import would write them (`attributes` and `folded`), without feed rows: a rebuild reads everybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction

COUNTRIES = ("US", "GB", "DE", "FR", "JP", "BR", "IN", "ES", "IT", "NL", "SE", "PL", "CA", "AU", "MX", "KR", "PT", "IE", "AT", "CH")
WEIGHTS = [20 - number for number in range(len(COUNTRIES))]  # the first is asked for most
ZONES, LOCALES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo"), ("en", "de", "fr", "ja", "pt-BR")
TIERS, CITIES, TAGS = ("basic", "silver", "gold"), ("berlin", "lisboa", "kyoto", "oslo", "dublin"), ("ski", "spa", "sea", "city")
EVENTS, SHARES = ("visit", "search", "purchase"), (60, 25, 15)
ATTRIBUTES = {
    "first_name": "text", "city": "text", "tier": "text", "trips": "number", "spent": "number", "vip": "boolean", "seen": "datetime",
    "tags": "list",
}  # fmt: skip
A_DAY = 86_400
BLOCK = 5_000  # lines at once
_PROFILES = """COPY audience_profile (id, workspace_id, external_id, email, email_key, phone, locale, country, zone, attributes, folded,
    created_at, updated_at) FROM STDIN"""
_EVENTS = """COPY audience_event (workspace_id, event_id, profile_id, name, at, received_at, properties, folded) FROM STDIN"""


def fill(workspace_id: int, people: int, *, events_each: int, seed: int, as_of: datetime) -> None:
    """Write so many people into empty tables, their numbers from 1 on, each with that many events of the last year on average."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no look-up of every foreign key: they are right
        for statement, lines in (
            (_PROFILES, _profiles(workspace_id, people, Random(seed), as_of)),
            (_EVENTS, _events(workspace_id, people, events_each, Random(seed + 1), as_of)),
        ):
            with cursor.cursor.copy(statement) as copy:
                block: list[str] = []
                for line in lines:
                    block.append(line)
                    if len(block) == BLOCK:
                        copy.write("".join(block).encode())
                        block.clear()
                copy.write("".join(block).encode())
        cursor.execute("SELECT setval(pg_get_serial_sequence('audience_profile', 'id'), %s)", [people])
    vacuum()


def vacuum() -> None:
    """What autovacuum would do by itself, within minutes of such a change."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE audience_profile, audience_event")


def _profiles(workspace_id: int, people: int, chance: Random, as_of: datetime) -> Iterator[str]:
    moment, draw = as_of.isoformat(), chance.random
    countries = chance.choices(COUNTRIES, WEIGHTS, k=people)
    for number in range(1, people + 1):
        seen = as_of - timedelta(seconds=int(180 * A_DAY * draw() * draw()))
        kept = {
            "first_name": f"name{int(draw() * 5_000)}", "city": CITIES[int(draw() * 5)], "tier": TIERS[int(3 * draw() * draw())],
            "trips": int(20 * draw() * draw()), "spent": int(500_000 * draw() * draw()) / 100, "vip": draw() < 0.05,
            "seen": f"{seen:%Y-%m-%dT%H:%M:%S.%f}Z", "tags": [TAGS[int(draw() * 4)]],
        }  # fmt: skip
        told = json.dumps(kept)
        address, phone = f"person{number}@example.com", f"+4930{number:08d}" if draw() < 0.5 else "\\N"
        yield (
            f"{number}\t{workspace_id}\tm{number}\t{address}\t{address}\t{phone}\t{LOCALES[number % 5]}\t{countries[number - 1]}"
            f"\t{ZONES[number % 3]}\t{told}\t{told}\t{moment}\t{moment}\n"
        )


def _events(workspace_id: int, people: int, each: int, chance: Random, as_of: datetime) -> Iterator[str]:
    """In the order of time, as they would have come."""
    draw, many = chance.random, people * each
    names = chance.choices(EVENTS, SHARES, k=many)
    step = 365 * A_DAY / max(1, many)
    for number in range(many):
        at = as_of - timedelta(seconds=step * (many - number))
        told = f'{{"total": {int(40_000 * draw() * draw()) / 100}, "city": "{CITIES[int(draw() * 5)]}"}}'
        # The square: some do much, many do little.
        yield (
            f"{workspace_id}\te{number}\t{1 + int(people * draw() * draw())}\t{names[number]}\t{at.isoformat()}\t{at.isoformat()}"
            f"\t{told}\t{told}\n"
        )
