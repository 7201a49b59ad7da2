"""Text messages one by one through the Twilio adapter to the stand-in on PostgreSQL, beside bare requests in the same run.

    python -m benchmarks.one_by_one [--texts 50000]

One sending process. The bare loop posts the same number of like requests over as many connections and does nothing else: no
database, no rendering, no last look. What OMNI spends beside it is told apart by process: its own, PostgreSQL's, the stand-in's.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any
from urllib.parse import urlencode

import psutil

from benchmarks.instance import Instance, instance
from delivery.adapters.base import VendorRequest, VendorResponse
from delivery.adapters.twilio import Twilio
from delivery.transports.http1 import Http1
from delivery.transports.origins import Way

ACCOUNT = "AC" + "a" * 32


def main() -> None:
    """Run both by turns and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=50_000)
    args = parser.parse_args()
    with instance(database="postgresql") as made:
        made.run("-m", "benchmarks.scene", "--mails", "0", "--texts", str(args.texts))
        before = _bare(made, args.texts)
        made.lab.post("/_lab/reset")
        made.manage("send_campaign", "texts", "--yes", "--no-wait", "--as", "bo")
        ours, spent, connections = send_all(made, args.texts, processes=1)
        after = _bare(made, args.texts)
        print(f"bare loop   {before:>9,.0f} and {after:,.0f} texts/s, before and after")
        print(f"OMNI        {ours:>9,.0f} texts/s  {2 * ours / (before + after):.2f} of the bare loop, {connections} connections")
        print("CPU a text  " + ", ".join(f"{name} {each:.0f} µs" for name, each in spent.items()))


def _bare(made: Instance, many: int) -> float:
    """Requests a second that our own HTTP transport gets answered, over the adapter's connections."""
    concurrency = Twilio.limits.concurrency
    form = {"To": "+12125550001", "Body": "Ada, a fifth off this spring", "StatusCallback": f"{made.url}/hooks/twilio?message_id=x"}
    headers = {"authorization": "Basic " + "QUNhOmxhYg==", "content-type": "application/x-www-form-urlencoded"}
    body = urlencode({**form, "From": "+15005550006"}).encode()
    request = VendorRequest("POST", f"{made.lab.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", headers, body)

    async def post() -> float:
        transport, began = Http1(concurrency, Way()), time.monotonic()
        for start in range(0, many, concurrency):
            until = asyncio.get_running_loop().time() + 30
            answers = await transport.window([request] * min(concurrency, many - start), until)
            if not all(isinstance(answer, VendorResponse) and answer.status < 500 for answer in answers):
                raise SystemExit(f"the stand-in answered {answers[0]}")
        transport.close()
        return many / (time.monotonic() - began)

    return asyncio.run(post())


def send_all(made: Instance, many: int, *, processes: int) -> tuple[float, dict[str, float], int]:
    """Messages a second from the first accept to the last, CPU µs a message by whom in that time, and connections that were opened."""
    opened = made.lab.get("/_lab/stats")["tcp_connections"]["distinct"]
    process = made.worker("--lane", "promotional", "--processes", str(processes))
    first = last = 0.0
    counted, count, quiet = 0, 0, time.monotonic()
    while count < many and time.monotonic() - quiet < 60:
        time.sleep(0.05)
        stats, now = made.lab.get("/_lab/stats"), time.monotonic()
        if stats["accepted"] > count:
            quiet, last, count = now, now, stats["accepted"]
            spent = _spent(process.pid, stats)
            if not first:
                first, counted, at_first = now, count, spent
    process.terminate()
    process.wait()
    if count != many:
        raise SystemExit(f"only {count} of {many} messages were accepted")
    each = {name: 1e6 * (seconds - at_first[name]) / (many - counted) for name, seconds in spent.items()}
    return (many - counted) / (last - first), each, stats["tcp_connections"]["distinct"] - opened


def _spent(pid: int, stats: dict[str, Any]) -> dict[str, float]:
    """CPU seconds so far of the worker's processes, PostgreSQL's and the stand-in."""
    worker = psutil.Process(pid)
    ours = sum(sum(each.cpu_times()[:2]) for each in [worker, *worker.children(recursive=True)])
    servers = [each.info["cpu_times"] for each in psutil.process_iter(["name", "cpu_times"]) if "postgres" in (each.info["name"] or "")]
    return {"OMNI": ours, "PostgreSQL": sum(sum(times[:2]) for times in servers if times), "stand-in": stats["lab_cpu_seconds"]}


if __name__ == "__main__":
    main()
