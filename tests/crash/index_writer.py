"""Somebody who keeps changing people: `python -m tests.crash.index_writer SEED PEOPLE`, until its standard input is closed.

Prints "ready" once so many people are there, and a line of JSON with what it did when it ends.
"""

from __future__ import annotations

import json
import random
import select
import sys
from typing import Any

PAUSE = 0.03  # seconds between two transactions
TIERS, COUNTRIES, TAGS = ("gold", "silver", "Straße", "日本"), ("DE", "FR", "JP", "GB"), ("ski", "spa", "sea", "city")


def main(seed: int, many: int) -> None:
    import django

    django.setup()
    from django.utils import timezone

    from audience import door as audience
    from tests import factories

    now = timezone.now
    for name, type_ in {"tier": "text", "spent": "number", "tags": "list"}.items():
        factories.put("attribute", name, factories.attribute(type=type_), now=now())
    home, cleo, chance = factories.workspace().pk, factories.person("cleo", now=now()), random.Random(seed)

    def rows(names: list[str]) -> list[audience.ProfileRow]:
        return [audience.ProfileRow(external_id=name, country=chance.choice(COUNTRIES), attributes=_attributes(chance)) for name in names]

    there = [f"p{number}" for number in range(many)]
    audience.upsert(home, rows(there), source="tests", now=now())
    print("ready", flush=True)
    did = {"changed": 0, "added": 0, "erased": 0}
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        some = chance.sample(there, chance.choice([1, 5, 20, 100]))
        fresh = [f"n{did['added'] + number}" for number in range(chance.randrange(4))]
        audience.upsert(home, rows([*some, *fresh]), source="tests", now=now())
        there += fresh
        did["changed"] += len(some)
        did["added"] += len(fresh)
        if chance.random() < 0.5:
            audience.erase(cleo, there.pop(chance.randrange(len(there))), now=now())
            did["erased"] += 1
    print(json.dumps(did), flush=True)


def _attributes(chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"tier": chance.choice(TIERS), "spent": chance.randrange(1_000_000) / 100, "tags": chance.sample(TAGS, 2)}
    return {name: value for name, value in found.items() if chance.random() < 0.8}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
