"""One-click unsubscriptions posted to a real server on PostgreSQL: how long each takes, and whether it is in force when it is answered.

    python -m benchmarks.one_click [--readers 1000]

First scanners look at every reader's page by GET and HEAD, which must change nothing. Then each reader's mail programme posts, over four
keep-alive connections to one server process; as soon as it is answered, another connection to the database asks who has left.
"""

from __future__ import annotations

import argparse
import http.client
import json
import threading
import time
from collections.abc import Callable
from functools import partial

import psycopg

from benchmarks.instance import Instance, instance

CONNECTIONS = 4
Ask = Callable[[http.client.HTTPConnection, str], object]
LEFT = """
SELECT count(*) FROM audience_subscription s JOIN delivery_message m ON m.profile_id = s.profile_id
 WHERE m.n = %s AND s.state = 'unsubscribed'
"""


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=1_000)
    readers = parser.parse_args().readers
    with instance(database="postgresql") as made:
        made.run("-m", "benchmarks.scene", "--mails", "0")
        tokens = json.loads(made.run("-m", "benchmarks.webhooks", "--inside", "ledger", "--events", str(3 * readers)))
        made.serve()
        before = _traces(made)
        looked = sum(_asked(made, tokens, partial(_request, method)) for method in ("GET", "HEAD"))
        changed, took, late = _traces(made) != before, list[float](), list[int]()
        _asked(made, tokens, lambda server, token: took.append(_request("POST", server, token)), late)
        took.sort()
        p50, p95, most = (1_000 * took[min(int(len(took) * share), len(took) - 1)] for share in (0.5, 0.95, 1.0))
        print(f"looked at   {looked:,} times by GET and HEAD: {'something changed' if changed else 'nothing changed'}")
        print(f"posted      {len(took):,} times: half within {p50:.0f} ms, 95 % within {p95:.0f} ms, all within {most:.0f} ms")
        print(f"in force    {len(took) - len(late):,} of {len(took):,} when they were answered")
        if changed or late:
            raise SystemExit("an unsubscription came too late, or a look unsubscribed somebody")


def _traces(made: Instance) -> tuple[int, ...]:
    """What a look at a page could have left behind: statements of consent, events, suppressions."""
    with psycopg.connect(made.environment["OMNI_DATABASE_URL"]) as connection:
        tables = ("audience_subscriptionentry", "delivery_vendorevent", "audience_event", "delivery_suppression")
        return tuple((connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,))[0] for table in tables)


def _request(method: str, server: http.client.HTTPConnection, token: str) -> float:
    """Seconds from the request to the whole answer, which must be 200 and lead nowhere else."""
    body, kind = (b"List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"}) if method == "POST" else (None, {})
    began = time.monotonic()
    server.request(method, f"/u/{token}", body, kind)
    answer = server.getresponse()
    answer.read()
    took = time.monotonic() - began
    if answer.status != 200:
        raise SystemExit(f"{method} was answered {answer.status}")
    return took


def _asked(made: Instance, tokens: list[str], ask: Ask, late: list[int] | None = None) -> int:
    """Ask about every reader, and count them. late: gets the numbers of those who hadn't left when their request was answered."""
    waiting, turn, done = iter(enumerate(tokens)), threading.Lock(), list[int]()

    def run() -> None:
        server = http.client.HTTPConnection("127.0.0.1", made.port, timeout=60)
        with psycopg.connect(made.environment["OMNI_DATABASE_URL"], autocommit=True) as database:
            while True:
                with turn:
                    n, token = next(waiting, (-1, ""))
                if n < 0:
                    return
                ask(server, token)
                if late is not None and (database.execute(LEFT, [n]).fetchone() or (0,))[0] != 1:
                    late.append(n)
                done.append(n)

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(done) != len(tokens):
        raise SystemExit(f"{len(tokens) - len(done)} readers were not answered")
    return len(done)


if __name__ == "__main__":
    main()
