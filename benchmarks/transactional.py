"""From the API's accept to the vendor's accept: p50 and p99 of transactional messages, idle and while a large campaign goes out.

    python -m benchmarks.transactional [--messages 300] [--per-second 25] [--mails 100000]

The clock starts when the caller sends the request and ends when the stand-in logs the message (both on CLOCK_MONOTONIC). Also told: the
same from the moment at which the caller had its 202, and how many mails of the campaign went out each second, alone and beside them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.instance import Instance, instance

CALLERS = 16  # that wait for their answers at once


def main() -> None:
    """Measure both ways in one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--per-second", type=float, default=25.0)
    parser.add_argument("--mails", type=int, default=100_000)
    args = parser.parse_args()
    with instance(database="postgresql", bell="postgres") as made:
        key = made.run("-m", "benchmarks.scene", "--mails", str(args.mails)).splitlines()[-1]
        made.serve()
        made.worker()
        time.sleep(3)
        _burst(made, key, 20, 10.0, "warm")
        _show("idle", _burst(made, key, args.messages, args.per_second, "idle"))
        made.manage("send_campaign", "mails", "--yes", "--no-wait", "--as", "bo")
        while _accepted(made) < args.messages + 20 + 10_000:  # under way
            time.sleep(0.1)
        alone, (began, seconds) = _rate(made, 5.0), (_accepted(made), time.monotonic())
        times = _burst(made, key, args.messages, args.per_second, "busy")
        beside = (times.mails - began) / (times.ended - seconds)
        _show("during a campaign", times)
        print(f"{'campaign':>20}: {alone:,.0f} mails a second alone, {beside:,.0f} beside the messages ({beside / alone:.0%})")


def _accepted(made: Instance) -> int:
    return int(made.lab.get("/_lab/stats")["accepted"])


def _rate(made: Instance, seconds: float) -> float:
    before = _accepted(made)
    time.sleep(seconds)
    return (_accepted(made) - before) / seconds


@dataclass
class Times:
    """Milliseconds to the vendor's accept, sorted; messages that never arrived count as infinite. mails: all that the vendor had at the
    moment of the last answer, which is `ended`."""

    from_request: list[float]
    from_answer: list[float]
    ended: float
    mails: int


def _burst(made: Instance, key: str, many: int, per_second: float, name: str) -> Times:
    started: dict[str, int] = {}
    answered: dict[str, int] = {}
    log = (made.lab.state / "accepted.log").stat().st_size
    begin, mine = (
        time.monotonic(),
        threading.local(),
    )  # a connection for each caller; a client with a pool costs more CPU than all it waits for

    def ask(n: int) -> None:
        if not hasattr(mine, "line"):
            mine.line = http.client.HTTPConnection("127.0.0.1", made.port, timeout=30)
            mine.line.connect()
            mine.line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = {"type": "reset", "to": {"external_id": f"{name}{n}", "email": f"{name}{n}@example.com"}, "data": {"code": f"{n:06d}"}}
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Idempotency-Key": f"{name}-{n}"}
        at = time.monotonic_ns()
        mine.line.request("POST", "/api/v1/messages", json.dumps(body), headers)
        answer = mine.line.getresponse()
        told, heard = json.loads(answer.read()), time.monotonic_ns()
        if answer.status != 202:
            raise SystemExit(f"{answer.status}: {told}")
        started[told["id"]], answered[told["id"]] = at, heard

    with ThreadPoolExecutor(CALLERS) as callers:
        asked = []
        for n in range(many):
            time.sleep(max(0.0, begin + n / per_second - time.monotonic()))
            asked.append(callers.submit(ask, n))
        for one in asked:
            one.result()
    ended, mails = time.monotonic(), _accepted(made)
    took = ended - begin
    print(f"{name:>20}: {many / took:.0f} requests a second were answered")
    time.sleep(3)
    arrived = {}
    for line in str(made.lab.get(f"/_lab/log?offset={log}")).splitlines():
        cells = line.split("\t")
        if len(cells) > 6 and cells[6] in started:
            arrived[cells[6]] = int(cells[1])
    both = [sorted((arrived.get(each, float("inf")) - at) / 1e6 for each, at in since.items()) for since in (started, answered)]
    return Times(both[0], both[1], ended, mails)


def _show(name: str, times: Times) -> None:
    for since, some in (("request", times.from_request), ("202", times.from_answer)):
        p50, p99 = some[len(some) // 2], some[int(len(some) * 0.99)]
        print(f"{name:>20}: from the {since} to the vendor's accept p50 {p50:.0f} ms, p99 {p99:.0f} ms, slowest {some[-1]:.0f} ms")


if __name__ == "__main__":
    main()
