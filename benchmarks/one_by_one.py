"""One message per request: texts by Twilio's contract through the whole send path on PostgreSQL, beside bare requests of the same run.

    python -m benchmarks.one_by_one [--texts 50000]
    python -m benchmarks.one_by_one --vendor fcm [--texts 50000]
    python -m benchmarks.one_by_one --vendor fcm --alone [--texts 50000]

One sending process. The bare loop posts the same number of ready-made requests over as many connections and does nothing else: no
database, no rendering, no last look. What OMNI spends beside it is told apart by process: its own, PostgreSQL's, the stand-in's.

Pushes go the same way, a campaign to people with a device each. Alone, everything but the database is measured: each message built by the
adapter, posted in windows by HTTP/1.1 or HTTP/2, its answer read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import psutil
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.instance import Instance, instance
from delivery.adapters.base import Account, OutgoingMessage, OutgoingRequest, Sender, VendorRequest, VendorResponse
from delivery.adapters.fcm import Fcm
from delivery.adapters.twilio import Twilio
from delivery.permits import ALWAYS
from delivery.transports.answers import Transport
from delivery.transports.http1 import Http1
from delivery.transports.http2 import Http2
from delivery.transports.origins import Way

ACCOUNT = "AC" + "a" * 32
LOOK_EVERY = 0.25  # seconds; a look costs the stand-in as much as three messages


def main() -> None:
    """Run both by turns and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=50_000)
    parser.add_argument("--vendor", choices=["twilio", "fcm"], default="twilio")
    parser.add_argument("--alone", action="store_true", help="of fcm the adapter and the transport, without the database")
    args = parser.parse_args()
    with instance(database="postgresql") as made:
        if args.alone:
            _alone(made, args.texts)
            return
        push = args.vendor == "fcm"
        bare, campaign, people = (_bare_pushes, "pushes", "--pushes") if push else (_bare, "texts", "--texts")
        if push:
            made.environment |= {"OMNI_VENDOR_BASE_URLS": f"fcm={made.lab.url}", "OMNI_SECRET_FCM_KEY": _key_file(made)}
        made.run("-m", "benchmarks.scene", "--mails", "0", people, str(args.texts))
        before = bare(made, args.texts)
        made.lab.post("/_lab/reset")
        made.manage("send_campaign", campaign, "--yes", "--no-wait", "--as", "bo")
        ours, spent, connections = send_all(made, args.texts, processes=1)
        after = bare(made, args.texts)
        print(f"bare loop   {before:>9,.0f} and {after:,.0f} {campaign}/s, before and after")
        print(f"OMNI        {ours:>9,.0f} {campaign}/s  {2 * ours / (before + after):.2f} of the bare loop, {connections} connections")
        print("CPU each    " + ", ".join(f"{name} {each:.0f} µs" for name, each in spent.items()))


def _bare(made: Instance, many: int) -> float:
    """Requests a second that our own HTTP transport gets accepted, over the adapter's connections."""
    token = made.environment["OMNI_SECRET_TWILIO_TOKEN"]
    form = {"To": "+12125550001", "Body": "Ada, a fifth off this spring", "StatusCallback": f"{made.url}/hooks/twilio?message_id=x"}
    headers = {"authorization": "Basic " + b64encode(f"{ACCOUNT}:{token}".encode()).decode()}
    headers["content-type"] = "application/x-www-form-urlencoded"
    body = urlencode({**form, "From": "+15005550006"}).encode()
    request = VendorRequest("POST", f"{made.lab.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", headers, body)
    return _rate(made, "the bare loop", many, Http1, Twilio.limits.concurrency, lambda n: request, _accepted)


def _key_file(made: Instance) -> str:
    """A service account's key file as the console of Firebase writes it, whose tokens the stand-in issues."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    named = {"client_email": "omni@spring.iam.gserviceaccount.com", "project_id": "spring", "token_uri": f"{made.lab.url}/token"}
    return json.dumps({**named, "private_key": pem})


def _bare_pushes(made: Instance, many: int) -> float:
    """The same of one ready-made push."""
    ready = _built(made, 0)
    return _rate(made, "the bare loop", many, Http1, Fcm.limits.concurrency, lambda n: ready, _accepted)


def _built(made: Instance, n: int) -> VendorRequest:
    filled: Any = SimpleNamespace(subject="Spring is here", text=b"Ada, a fifth off this spring")
    message = OutgoingMessage(f"{n:028d}", f"token-{n:0140d}", filled)
    account = Account(made.lab.url, {}, {"project_id": "spring"}, token="ya29.lab")
    return Fcm().build(OutgoingRequest(n, "push", Sender("spring"), [message], at=datetime.now(UTC)), account)


def _accepted(answer: object) -> bool:
    return isinstance(answer, VendorResponse) and answer.status in (200, 201)


def _alone(made: Instance, many: int) -> None:
    """Ready-made and built pushes, by both protocols."""
    adapter = Fcm()

    def built(n: int) -> VendorRequest:
        return _built(made, n)

    def read(answer: object) -> bool:
        return isinstance(answer, VendorResponse) and adapter.read(answer, ["x"]).kind == "accepted"

    ways: list[tuple[str, Callable[[int, Way], Transport]]] = [("HTTP/1.1", Http1), ("HTTP/2", Http2)]
    for name, transport in ways:
        ready = replace(built(0), http2=transport is Http2)
        _rate(made, f"{name}, ready-made", many, transport, Fcm.limits.concurrency, lambda n, ready=ready: ready, _accepted)
        _rate(made, f"{name}, built and read", many, transport, Fcm.limits.concurrency, built, read)


def _rate(
    made: Instance,
    name: str,
    many: int,
    transport: Callable[[int, Way], Transport],
    concurrency: int,
    request: Callable[[int], VendorRequest],
    good: Callable[[object], bool],
) -> float:
    """Requests a second, window after window, with the CPU they cost us and the stand-in."""

    async def post() -> float:
        way, began = transport(concurrency, Way()), time.monotonic()
        for start in range(0, many, concurrency):
            until = asyncio.get_running_loop().time() + 30
            answers = await way.window([request(n) for n in range(start, min(many, start + concurrency))], until, ALWAYS)
            if not all(map(good, answers)):
                raise SystemExit(f"the stand-in answered {next(answer for answer in answers if not good(answer))}")
        way.close()
        return many / (time.monotonic() - began)

    made.lab.post("/_lab/reset")
    spent, theirs = time.process_time(), made.lab.get("/_lab/stats")["lab_cpu_seconds"]
    rate = asyncio.run(post())
    ours, lab = time.process_time() - spent, made.lab.get("/_lab/stats")["lab_cpu_seconds"] - theirs
    print(f"{name:<28}{rate:>9,.0f} a second, CPU each: ours {1e6 * ours / many:.0f} µs, stand-in {1e6 * lab / many:.0f} µs", flush=True)
    return rate


def send_all(made: Instance, many: int, *, processes: int) -> tuple[float, dict[str, float], int]:
    """Messages a second from the first accept to the last by the stand-in's own log, CPU µs a message by whom in that time, and
    connections that were opened."""
    opened = made.lab.get("/_lab/stats")["tcp_connections"]["distinct"]
    process = made.worker("--lane", "promotional", "--processes", str(processes))
    counted, count, quiet = 0, 0, time.monotonic()
    while count < many and time.monotonic() - quiet < 60:
        time.sleep(LOOK_EVERY)
        stats = made.lab.get("/_lab/stats")
        if stats["accepted"] > count:
            quiet, spent = time.monotonic(), _spent(made, process.pid, stats)
            if not count:
                counted, at_first = stats["accepted"], spent
            count = stats["accepted"]
    process.terminate()
    process.wait()
    if count != many:
        raise SystemExit(f"only {count} of {many} messages were accepted")
    each = {name: 1e6 * (seconds - at_first[name]) / (many - counted) for name, seconds in spent.items()}
    accepted = [int(line.split("\t")[1]) for line in str(made.lab.get("/_lab/log")).splitlines() if line[:1].isdigit()]
    return (many - 1) / (1e-9 * (max(accepted) - min(accepted))), each, stats["tcp_connections"]["distinct"] - opened


def _spent(made: Instance, pid: int, stats: dict[str, Any]) -> dict[str, float]:
    """CPU seconds so far of the worker's processes, those of this instance's PostgreSQL, and the stand-in."""
    postmaster = int((made.folder / "postgresql" / "postmaster.pid").read_text().split()[0])
    return {"OMNI": _seconds(pid), "PostgreSQL": _seconds(postmaster), "stand-in": stats["lab_cpu_seconds"]}


def _seconds(pid: int) -> float:
    """Of a process, its children, and those that have ended."""
    whole = psutil.Process(pid)
    ended = whole.cpu_times()
    running = sum(sum(each.cpu_times()[:2]) for each in [whole, *whole.children(recursive=True)])
    return float(running + ended.children_user + ended.children_system)


if __name__ == "__main__":
    main()
