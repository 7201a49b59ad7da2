"""From the API's accept to the vendor's accept: p50 and p99 of transactional messages, idle and while a large campaign goes out.

    python -m benchmarks.transactional [--messages 300] [--per-second 25] [--mails 100000]

The clock starts when the caller sends the request and ends when the stand-in logs the message (both on CLOCK_MONOTONIC).
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

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
        _show("during a campaign", _burst(made, key, args.messages, args.per_second, "busy"))


def _burst(made: Instance, key: str, many: int, per_second: float, name: str) -> list[float]:
    """Milliseconds from request to the vendor's accept, sorted; messages that never arrived count as infinite."""
    started: dict[str, int] = {}
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
        told = json.loads(answer.read())
        if answer.status != 202:
            raise SystemExit(f"{answer.status}: {told}")
        started[told["id"]] = at

    with ThreadPoolExecutor(CALLERS) as callers:
        asked = []
        for n in range(many):
            time.sleep(max(0.0, begin + n / per_second - time.monotonic()))
            asked.append(callers.submit(ask, n))
        for one in asked:
            one.result()
    took = time.monotonic() - begin
    print(f"{name:>20}: {many / took:.0f} requests a second were answered")
    time.sleep(3)
    arrived = {}
    for line in str(made.lab.get("/_lab/log")).splitlines():
        cells = line.split("\t")
        if len(cells) > 6 and cells[6] in started:
            arrived[cells[6]] = int(cells[1])
    return sorted((arrived[each] - at) / 1e6 if each in arrived else float("inf") for each, at in started.items())


def _show(name: str, times: list[float]) -> None:
    print(f"{name:>20}: p50 {times[len(times) // 2]:.0f} ms, p99 {times[int(len(times) * 0.99)]:.0f} ms, slowest {times[-1]:.0f} ms")


if __name__ == "__main__":
    main()
