"""One process of `benchmarks.audience`: fills the database that its environment names, asks it, and prints what that took as JSON."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from audience import door as audience  # noqa: E402
from audience.backends.choice import configured  # noqa: E402
from audience.drift import drift  # noqa: E402
from audience.facts_keeper import keep_facts  # noqa: E402
from audience.index_feed import AT_ONCE, feed_index, rebuild  # noqa: E402
from benchmarks.audience_people import ATTRIBUTES, fill, vacuum  # noqa: E402
from benchmarks.scene import approve_all, member  # noqa: E402
from governance.door import parse  # noqa: E402

AS_OF = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVENTS_EACH = 5
BATCH = 1_000  # people that one batch of a send loads
RULES: dict[str, dict[str, Any]] = {
    "attributes": {
        "all": [
            {"profile": "country", "op": "in", "value": ["DE", "FR", "ES", "IT", "PT"]},
            {"attribute": "trips", "op": "gte", "value": 5},
            {"attribute": "seen", "op": "in_last", "value": {"amount": 30, "unit": "days"}},
        ]
    },
    "counter": {"attribute": "trips", "op": "gte", "value": 9},
    "events": {"event": "purchase", "op": "at_least", "count": 2, "within": {"last": 90, "unit": "days"}},
    "events where": {
        "event": "purchase",
        "op": "at_least",
        "within": {"last": 90, "unit": "days"},
        "where": [{"property": "total", "op": "gt", "value": 50}],
    },
    "everyone": {"everyone": True},
}


def main(people: int, rounds: int, seed: int) -> None:
    call_command("migrate", verbosity=0)
    author, admin, approver = (
        member(name, role, timezone.now()) for name, role in (("ann", "author"), ("adam", "admin"), ("bo", "approver"))
    )
    home = author.workspace_id
    made = {("attribute", name): {"title": name.title(), "type": type_} for name, type_ in ATTRIBUTES.items()}
    approve_all(author, admin, approver, made)
    found: dict[str, Any] = {"people": people, "events": people * EVENTS_EACH}
    found["fill s"] = _once(lambda: fill(home, people, events_each=EVENTS_EACH, seed=seed, as_of=AS_OF))
    approve_all(author, admin, approver, {("segment", "everyone"): {"title": "Everyone", "rule": RULES["everyone"]}})
    _say(found)
    by_rows = _median(rounds, partial(_counted, home, segment("attributes"), (AS_OF + timedelta(days=day) for day in count(1))))
    found["filling columns s"] = _once(lambda: keep_facts(home))
    found["postgresql"] = _asked(home, rounds, elasticsearch=False) | {"attributes, by people's rows: count ms": by_rows}
    _say(found)
    found["loaded for sending /s"] = _loaded(home, people)
    found["explain ms"] = _median(rounds, lambda: audience.explain(home, segment("attributes"), people // 2, as_of=AS_OF))
    _say(found)
    if settings.OMNI.elasticsearch_url:
        found |= _index(home, people)
        _say(found)
        found["elasticsearch"] = _asked(home, rounds, elasticsearch=True)
        _say(found)


def _say(found: dict[str, Any]) -> None:
    """What is known so far, on a line of its own: the last one counts."""
    print(json.dumps(found), flush=True)


def segment(name: str) -> audience.SegmentBody:
    """The body of a segment with one of the rules."""
    return parse(audience.SegmentBody, {"title": name, "rule": RULES[name]})


def _asked(home: int, rounds: int, *, elasticsearch: bool) -> dict[str, Any]:
    """Warm medians of counts, and one snapshot of everybody, by whichever engines the settings name."""
    url = settings.OMNI.elasticsearch_url
    settings.OMNI = settings.OMNI.model_copy(update={"elasticsearch_url": url if elasticsearch else ""})
    try:
        told: dict[str, Any] = {}
        moments = (AS_OF + timedelta(seconds=second) for second in count(1))  # another question each time: Elasticsearch keeps answers
        for name in RULES:
            told[f"{name}: count ms"] = _median(rounds, partial(_counted, home, segment(name), moments))
            told[f"{name}: people"] = audience.count(home, segment(name), as_of=AS_OF)
            told[f"{name}: by"] = audience.resolve(home, segment(name), as_of=AS_OF).engine
        told["snapshot of everybody s"] = min(_once(lambda: audience.take_snapshot(home, "everyone", as_of=AS_OF)) for _ in range(3))
        return told
    finally:
        settings.OMNI = settings.OMNI.model_copy(update={"elasticsearch_url": url})


def _counted(home: int, body: audience.SegmentBody, moments: Iterator[datetime]) -> int:
    return audience.count(home, body, as_of=next(moments))


def _loaded(home: int, people: int) -> int:
    """People that the batches of a send load per second: up to 200,000 of them, in order, as a run's batches do; the best of three."""
    numbers = list(range(1, min(people, 200_000) + 1))
    batches = [numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH)]

    def load() -> None:
        for batch in batches:  # one let go before the next, as in a send: a heap of people would be walked by the garbage collector
            audience.load(home, batch)

    return int(len(numbers) / min(_once(load) for _ in range(3)))


def _index(home: int, people: int) -> dict[str, Any]:
    """Rebuild the index, feed it with changes, compare it."""
    cluster = configured()
    assert cluster is not None
    took = _once(lambda: rebuild(cluster, home, now=timezone.now()))
    changed = min(people, 20_000)
    rows = [audience.ProfileRow(external_id=f"m{number}", attributes={"city": "porto"}) for number in range(1, changed + 1)]
    audience.upsert(home, rows, source="benchmark", now=timezone.now())

    def feed() -> None:
        while feed_index(cluster) == AT_ONCE:
            pass

    fed = _once(feed)
    vacuum()
    compared = _once(lambda: drift(cluster, home, sample=1_000, seed=1, now=timezone.now()))
    return {"rebuild people/s": int(people / took), "feed changes/s": int(changed / fed), "audience_drift s": compared}


def _once(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return round(time.perf_counter() - began, 3)


def _median(rounds: int, act: Callable[[], object]) -> list[float]:
    """Milliseconds, the first two calls left out: the median, and the fastest, which a busy machine disturbs less."""
    took = []
    for _ in range(rounds + 2):
        began = time.perf_counter()
        act()
        took.append(1e3 * (time.perf_counter() - began))
    return [round(statistics.median(took[2:]), 1), round(min(took[2:]), 1)]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
