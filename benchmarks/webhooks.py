"""SendGrid's events posted to a real server on PostgreSQL: how fast they are durable, how fast drawn from, beside a bare loop.

    python -m benchmarks.webhooks [--events 200000] [--leaving 500]

Batches of 1,000 signed events (processed, delivered, opened; by default two in a thousand an unsubscription) about messages of a
ledger, over four keep-alive connections to one server process. The bare loop verifies, parses and copies the same bodies into one table,
and does nothing else. Then one worker draws from what waits; every count is checked against what was posted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import threading
import time
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import psutil
import psycopg
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.instance import Instance, instance

BATCH, CONNECTIONS = 1_000, 4
KINDS = ("processed", "delivered", "open")
Body = tuple[bytes, dict[str, str]]


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--leaving", type=int, default=500, help="one in so many events is an unsubscription")
    parser.add_argument("--inside", choices=("ledger", "floor"), help="used by the benchmark itself")
    args = parser.parse_args()
    if args.inside:
        print(json.dumps(_inside(args.inside, args.events)))
        return
    key = ec.generate_private_key(ec.SECP256R1())
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    with instance(database="postgresql", sendgrid_webhook_key=public) as made:
        made.run("-m", "benchmarks.scene", "--mails", "0")
        tokens = json.loads(made.run("-m", "benchmarks.webhooks", "--inside", "ledger", "--events", str(args.events)))
        bodies = _bodies(tokens, args.events, args.leaving, key)
        floor = _floor(made, bodies)
        server = made.serve()
        spent = _spent(server.pid)
        durable = _post(made, bodies)
        spent = _spent(server.pid) - spent
        before = _counts(made)
        worker, left = made.worker("--lane", "promotional"), args.events - before["kept"]
        while (found := _counts(made))["kept"] == before["kept"]:
            time.sleep(0.05)
        began, first, drawing = time.monotonic(), found["kept"], _spent(worker.pid)
        while (found := _counts(made))["kept"] < args.events and time.monotonic() - began < 600:
            time.sleep(0.2)
        drained, drawing = time.monotonic() - began, _spent(worker.pid) - drawing
        worker.terminate()
        if found["kept"] != args.events or found["unsubscribed"] != found["left"] or found["waiting"]:
            raise SystemExit(f"not every event was drawn from: {found}")
        print(f"bare loop   {floor:>9,.0f} events/s: verify, parse, COPY, one process")
        print(f"durable     {durable:>9,.0f} events/s from the first post to the last answer, {durable / floor:.2f} of the bare loop")
        door, worked = 1e6 * spent / args.events, 1e6 * drawing / max(args.events - first, 1)
        print(f"CPU         {door:.0f} µs an event at the door, {worked:.0f} in the worker")
        print(f"opt-outs    {before['unsubscribed']:,} of {found['left']:,} in force when the last answer came")
        print(f"drawn from  {(args.events - first) / drained:>9,.0f} events/s by one worker; {left:,} waited")


def _spent(pid: int) -> float:
    """CPU seconds so far of a process and its children."""
    process = psutil.Process(pid)
    return float(sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)]))


def _bodies(tokens: list[str], events: int, leaving: int, key: ec.EllipticCurvePrivateKey) -> list[Body]:
    """Signed posts of a thousand events each."""
    stamp, made = str(int(time.time())), []
    for start in range(0, events, BATCH):
        some = [_event(place, tokens, stamp, leaving) for place in range(start, min(start + BATCH, events))]
        body = json.dumps(some).encode()
        signed = b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        names = ("X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp")
        made.append((body, dict(zip(names, (signed, stamp), strict=True))))
    return made


def _event(place: int, tokens: list[str], stamp: str, leaving: int) -> dict[str, Any]:
    kind = "group_unsubscribe" if place % leaving == leaving - 1 else KINDS[place % 3]
    token = tokens[place * 7 % len(tokens)]
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"
    more = {"useragent": agent, "ip": "192.0.2.1"} if kind == "open" else {"response": "250 OK", "smtp-id": "<x@example.com>"}
    return {
        "email": f"reader{place}@example.com",
        "timestamp": int(stamp),
        "event": kind,
        "sg_event_id": f"evt-{place:020d}",
        "sg_message_id": "zNig08.recvd-1-0.0",
        "message_id": token,
        **more,
    }


def _post(made: Instance, bodies: list[Body]) -> float:
    """Events a second that were answered 200."""
    waiting, faults = iter(bodies), list[int]()
    turn = threading.Lock()

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=120)
        while True:
            with turn:
                body, signed = next(waiting, (b"", {}))
            if not body:
                return
            connection.request("POST", "/hooks/sendgrid", body, {"Content-Type": "application/json", **signed})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                faults.append(answer.status)

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(f"the door answered {faults[0]}")
    return len(bodies) * BATCH / (time.monotonic() - began)


def _floor(made: Instance, bodies: list[Body]) -> float:
    """The same bodies by the bare loop, in a process of its own."""
    path = made.folder / "bodies.json"
    path.write_text(json.dumps([[body.decode(), signed] for body, signed in bodies]))
    made.environment["BENCH_BODIES"] = str(path)
    return float(json.loads(made.run("-m", "benchmarks.webhooks", "--inside", "floor"))["per_second"])


def _counts(made: Instance) -> dict[str, int]:
    """How many events were drawn from, who left by them, whose consent says so, and how many events wait."""
    asked = (
        "SELECT count(*), count(DISTINCT n) FILTER (WHERE kind = 'unsubscribed') FROM delivery_vendorevent",
        "SELECT count(*) FROM audience_subscription WHERE state = 'unsubscribed'",
        "SELECT coalesce(sum(events), 0) FROM delivery_webhookcall WHERE waiting IS NOT NULL",
    )
    with psycopg.connect(made.environment["OMNI_DATABASE_URL"]) as connection:
        (kept, left), (unsubscribed,), (waiting,) = (connection.execute(each).fetchone() or (0, 0) for each in asked)
    return {"kept": kept, "left": left, "unsubscribed": unsubscribed, "waiting": waiting}


def _inside(what: str, events: int) -> Any:
    """What runs in a process with the instance's environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")
    import django

    django.setup()
    return {"ledger": _ledger, "floor": _bare}[what](events)


def _ledger(events: int) -> list[str]:
    """A dispatch with a third as many sent messages as events; answers their tokens."""
    from django.db import connection, transaction

    from audience import door as audience
    from audience.models import Profile
    from delivery.message_ids import message_ids
    from delivery.models import Attempt, Dispatch
    from governance import door as governance

    home, now, many = governance.default_workspace().pk, datetime.now(UTC), max(events // 3, 1)
    rows = [
        audience.ProfileRow(f"reader-{n}", email=f"reader{n}@example.com", consents=(("email", "offers", "subscribed"),))
        for n in range(many)
    ]
    audience.upsert(home, rows, source="benchmark", now=now)
    ids = list(Profile.objects.filter(workspace_id=home).order_by("pk").values_list("pk", flat=True)[:many])
    dispatch = Dispatch.objects.create(
        workspace_id=home, kind="campaign", key="spring", occurrence="bench", lane=1, channel="email", message_class="promotional",
        topic="offers", planned_at=now, due_at=now, planned=many, state="done",
    )  # fmt: skip
    attempt = Attempt(
        workspace_id=home, dispatch_id=dispatch.pk, vendor="sendgrid", account="mail", message_class="promotional", token=1, state=30,
        deadline=now, posted_at=now,
    )  # fmt: skip
    requests = []
    for first in range(0, many, BATCH):
        last = min(first + BATCH, many) - 1
        attempt.pk, attempt.first_n, attempt.last_n, attempt.count = None, first, last, last - first + 1
        attempt.save(force_insert=True)
        requests.append(attempt.pk)
    with transaction.atomic(), connection.cursor() as cursor, cursor.cursor.copy(
        "COPY delivery_message (dispatch_id, n, workspace_id, profile_id, state, reason, attempt_id, variant, at, address_hash) FROM STDIN"
    ) as copy:  # fmt: skip
        for n, profile_id in enumerate(ids):
            copy.write_row((dispatch.pk, n, home, profile_id, 10, 0, requests[n // BATCH], 0, now, n + 1))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return message_ids(dispatch.pk, range(many))


def _bare(_: int) -> dict[str, float]:
    """Verify, parse, COPY: what no door can do without."""
    import orjson
    from django.conf import settings
    from django.db import connection, transaction

    from delivery.adapters import sendgrid_events
    from delivery.adapters.base import Webhook

    with open(os.environ["BENCH_BODIES"], "rb") as stream:
        bodies = [(body.encode(), {name.lower(): value for name, value in signed.items()}) for body, signed in orjson.loads(stream.read())]
    columns = ("sg_event_id", "message_id", "event", "timestamp")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor_events (event_id text, message_id text, kind text, at bigint)")
    began, many = time.monotonic(), 0
    for body, signed in bodies:
        if not sendgrid_events.verify(Webhook("", signed, body, datetime.now(UTC)), settings.OMNI.sendgrid_webhook_key):
            sys.exit("a signature was refused")
        events = orjson.loads(body)
        with transaction.atomic(), connection.cursor() as cursor, cursor.cursor.copy("COPY floor_events FROM STDIN") as copy:
            for event in events:
                copy.write_row([event[name] for name in columns])
        many += len(events)
    seconds = time.monotonic() - began
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE floor_events")
    return {"per_second": many / seconds}


if __name__ == "__main__":
    main()
