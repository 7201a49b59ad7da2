"""How fast events come in and are seen by rules: `python -m benchmarks.streaming`.

Bulk: so many connections post 1,000 events per request to `manage.py serve`; an event counts once its request was answered, which is
after PostgreSQL's commit (fsync on). Seen: a marker is written to a stream and a rule is asked for it until it is there, while a steady
load goes on; events are answered by PostgreSQL, attributes by Elasticsearch. Burst: everything is in the stream at once.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.streaming_site import Site, site
from tests import engines

EACH = 1_000  # events per request
PEOPLE = 20_000


def event(number: int, run: str) -> dict[str, Any]:
    """One of the scene's events: a purchase with three properties."""
    return {
        "id": f"{run}-{number}",
        "name": "purchase",
        "external_id": f"u-{number * 7919 % PEOPLE}",
        "properties": {"total": number % 500 + 0.5, "shop": "Lisbon", "items": number % 9},
    }


def _post(port: int, key: str, run: str, first: int, requests: int, ready: Any, told: Any) -> None:
    """One connection's requests, made ready before the clock starts."""
    bodies = [
        json.dumps({"events": [event(first + place * EACH + number, run) for number in range(EACH)]}).encode() for place in range(requests)
    ]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    ready.wait()
    seconds = []
    for body in bodies:
        began = time.perf_counter()
        connection.request("POST", "/api/v1/events", body, headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        if answer.status != 202 or said["accepted"] != EACH:
            raise SystemExit(f"{answer.status}: {str(said)[:300]}")
        seconds.append(time.perf_counter() - began)
    told.put(seconds)


def bulk(made: Site, *, events: int, connections: int) -> None:
    """Events a second that are durable."""
    requests = events // EACH // connections
    ready, told = multiprocessing.Barrier(connections + 1), multiprocessing.Queue()
    run = f"bulk{time.time_ns()}"
    processes = [
        multiprocessing.Process(target=_post, args=(made.port, made.key, run, place * requests * EACH, requests, ready, told))
        for place in range(connections)
    ]
    for process in processes:
        process.start()
    ready.wait()
    cpu, began = made.cpu(), time.perf_counter()
    seconds = sorted(took for _ in processes for took in told.get())
    spent, cpu_after = time.perf_counter() - began, made.cpu()
    for process in processes:
        process.join()
    many = requests * connections * EACH
    stored = made.ask("SELECT count(*) FROM audience_event WHERE event_id LIKE %s", f"{run}-%")
    if stored != many:
        raise SystemExit(f"{stored:,} of {many:,} events are there")
    each = ", ".join(
        f"{name} {(after - before) * 1e6 / many:.0f}" for (name, before), after in zip(cpu.items(), cpu_after.values(), strict=True)
    )
    print(
        f"bulk: {many / spent:,.0f} events/s durable ({many:,} events, {connections} connections); a request "
        f"{seconds[len(seconds) // 2]:.2f} s (median), {seconds[-1]:.2f} s at most (asked: 5,000/s); µs of CPU an event: {each}; "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def seen(made: Site, holds: str, *, per_second: int, seconds: int, asked: str) -> None:
    """How long until a rule sees what is written to a stream, while so many entries a second come in."""
    probe = made.begin("-m", "benchmarks.streaming_probe", holds, str(seconds))
    client, run, number = made.broker(), f"steady{time.time_ns()}", 0
    began = time.monotonic()
    while probe.poll() is None:
        for _ in range(max(0, int((time.monotonic() - began) * per_second) - number)):
            client.xadd(f"omni:default:{holds}", {"body": json.dumps(person(number) if holds == "profiles" else event(number, run))})
            number += 1
        time.sleep(0.01)
    said, _ = probe.communicate()
    if probe.returncode:
        raise SystemExit(f"the probe ended with {probe.returncode}")
    found = json.loads(said.splitlines()[-1])
    took = sorted(found["seconds"])
    rate = number / (time.monotonic() - began)
    print(
        f"seen by a rule, {' and '.join(found['engines'])}, at {rate:.0f} {holds}/s: median {took[len(took) // 2]:.2f} s, p99 "
        f"{took[min(len(took) - 1, int(len(took) * 0.99))]:.2f} s, at most {took[-1]:.2f} s of {len(took)} markers (asked: {asked}); "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def person(number: int) -> dict[str, Any]:
    """One of the scene's people, changed."""
    return {"external_id": f"u-{number * 7919 % PEOPLE}", "attributes": {"stays": number, "tier": "gold"}}


def burst(made: Site, *, entries: int, consumers: int) -> None:
    """So many events written at once; how long until all are recorded, and what /metrics say meanwhile."""
    client, run = made.broker(), f"burst{time.time_ns()}"
    bodies = [json.dumps(event(number, run)) for number in range(entries)]
    began = time.monotonic()
    for start in range(0, entries, EACH):
        pipe = client.pipeline(transaction=False)
        for body in bodies[start : start + EACH]:
            pipe.xadd("omni:default:events", {"body": body})
        pipe.execute()
    written = time.monotonic() - began
    cpu = made.cpu()
    told = list[tuple[float, int]]()
    while True:
        waiting = made.lag()
        told.append((time.monotonic() - began, waiting))
        if not waiting:
            break
        time.sleep(0.5)
    spent, after = time.monotonic() - began, made.cpu()
    stored = made.ask("SELECT count(*) FROM audience_event WHERE event_id LIKE %s", f"{run}-%")
    if stored != entries:
        raise SystemExit(f"{stored:,} of {entries:,} events are there")
    shown = ", ".join(f"{waiting:,} after {at:.0f} s" for at, waiting in told[:: max(1, len(told) // 5)])
    each = ", ".join(f"{name} {(after[name] - before) * 1e6 / entries:.0f}" for name, before in cpu.items())
    print(
        f"burst: {entries:,} events written in {written:.1f} s are recorded {spent:.1f} s after the first, {entries / spent:,.0f} events/s "
        f"with {consumers} consumer(s); /metrics said {shown}; µs of CPU an event: {each}; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> None:
    """Each figure by itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="of the bulk endpoint, and of the burst")
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--consumers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--seconds", type=int, default=30, help="of the sustained load")
    parser.add_argument("--per-second", type=int, default=300)
    parser.add_argument("--only", nargs="*", default=["bulk", "seen", "burst"])
    asked = parser.parse_args()
    valkey = engines.valkey()
    elasticsearch = engines.elasticsearch() if "seen" in asked.only else ""
    prefix = f"streaming{os.getpid()}"
    with (
        tempfile.TemporaryDirectory(prefix="omni-streaming-") as folder,
        site(Path(folder), people=PEOPLE, stream_url=valkey, elasticsearch_url=elasticsearch, elasticsearch_prefix=prefix) as made,
    ):
        if "bulk" in asked.only:
            made.serve()
            for connections in asked.connections:
                bulk(made, events=asked.events, connections=connections)
            made.stop()
        if "seen" in asked.only:
            made.run("manage.py", "reindex_audience")
            made.start("consume_stream")
            made.start("worker")
            time.sleep(5)
            seen(made, "events", per_second=asked.per_second, seconds=asked.seconds, asked="2 s")
            seen(made, "profiles", per_second=asked.per_second, seconds=asked.seconds, asked="5 s")
            made.stop()
        if "burst" in asked.only:
            for consumers in asked.consumers:
                made.serve()
                for _ in range(consumers):
                    made.start("consume_stream")
                time.sleep(3)
                burst(made, entries=asked.events, consumers=consumers)
                made.stop()


if __name__ == "__main__":
    main()
