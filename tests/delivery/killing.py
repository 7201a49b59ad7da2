"""A sender whose workers are killed: `python -m tests.delivery.killing MAILS KILLS SEED`, with OMNI_* in the environment.

Prepares people and a launch, forks workers and kills them with SIGKILL at random instants, lets the last one finish, and
prints the ledger as JSON. Then it waits on standard input for the events of what the vendor accepted (JSON lines of
[vendor, message_id, address, vendor_id]) and, with them, settles what was in doubt and prints the ledger again.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from datetime import UTC, datetime
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from delivery import door as delivery  # noqa: E402
from delivery import evidence  # noqa: E402
from delivery.adapters.base import Webhook  # noqa: E402
from delivery.adapters.registry import adapter  # noqa: E402
from tests.delivery.conftest import Clock, Street  # noqa: E402
from tests.vendor_standin import Accepted, StandIn  # noqa: E402


class RealClock(Clock):
    """The time of day."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


def main() -> None:
    mails, kills, seed = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    call_command("migrate", verbosity=0)
    street = Street(RealClock(datetime.now(UTC)), StandIn())
    street.vendors = delivery.Connections()
    street.route("sendgrid")
    dispatch = street.launch(street.people(mails), batch_size=50)
    close_connections()
    chance = random.Random(seed)
    for _ in range(kills):
        worker = fork(street, until_done=dispatch)
        time.sleep(chance.uniform(0.15, 0.6))
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
    os.waitpid(fork(street, until_done=dispatch), 0)
    tell(street, dispatch)
    settle(street, dispatch)
    tell(street, dispatch)


def close_connections() -> None:
    """A child must not share its parent's."""
    connection.close()
    if hasattr(connection, "close_pool"):
        connection.close_pool()


def fork(street: Street, *, until_done: int) -> int:
    """A worker process, which works until the dispatch is done."""
    child = os.fork()
    if child:
        return child
    try:
        work(street, until_done)
    finally:
        os._exit(0)


def work(street: Street, dispatch: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        street.work()
        street.reconcile()
        street.keep_house()
        if street.facts(dispatch).state == "done":
            return
        time.sleep(0.05)


def settle(street: Street, dispatch: int) -> None:
    """The vendor's events arrive, of everything so far and of a later request; then silence means something."""
    hear(street, [Accepted(place, *json.loads(line)) for place, line in enumerate(iter(sys.stdin.readline, "\n"))])
    probe = street.launch(street.people(3), campaign_key="probe")
    work(street, probe)
    print("probed", flush=True)
    probes = [Accepted(10**6 + place, *json.loads(line)) for place, line in enumerate(iter(sys.stdin.readline, "\n"))]
    hear(street, probes)
    time.sleep(1.1)
    hear(street, probes, "delivered")  # the vendor speaks again: what it said before was no heap of things held back
    until = time.monotonic() + 30
    while time.monotonic() < until and (delivery.in_doubt(street.workspace_id) or street.facts(dispatch).state != "done"):
        street.reconcile()
        street.work()
        time.sleep(0.1)


def hear(street: Street, accepted: list[Accepted], kind: str = "processed") -> None:
    now = street.clock()
    body = street.vendor.events(kind, accepted, now)
    webhook = Webhook("https://omni.example.com/hooks/sendgrid", {}, body, now)
    evidence.take(adapter("sendgrid").events(webhook), home=street.workspace_id, now=now)


def tell(street: Street, dispatch: int) -> None:
    states: dict[str, str] = {}
    after = ""
    while True:
        page = delivery.messages(street.workspace_id, dispatch_id=dispatch, after=after, limit=200)
        states.update({view.message_id: view.state for view in page.items})
        if not (after := page.next):
            break
    doubts: Any = sum(attempt.count for attempt in delivery.in_doubt(street.workspace_id))
    print(json.dumps({"states": states, "listed": doubts}), flush=True)


if __name__ == "__main__":
    main()
