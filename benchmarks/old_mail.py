"""Does a year of mail slow today's? The same work on a ledger that is empty and on one with many millions of rows, in one run.

    python -m benchmarks.old_mail --messages 20000000

PostgreSQL, everything kept in the local outbox; the policy caps, so every last look reads the ledger of everybody it looks at.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.instance import ROOT, _postgresql

FILL = """
import os, sys, time, django
os.environ["DJANGO_SETTINGS_MODULE"] = "omni.settings"
django.setup()
from datetime import UTC, datetime
from django.db import connection
from benchmarks.year import EACH, fill
from governance.members import default_workspace
began = time.monotonic()
fill(default_workspace().pk, int(sys.argv[1]), people=list(range(1, EACH + 1)), newest=datetime.now(UTC), jump=int(sys.argv[2]))
with connection.cursor() as cursor:
    cursor.execute("VACUUM ANALYZE delivery_message")
    cursor.execute("VACUUM ANALYZE delivery_attempt")
    cursor.execute("VACUUM ANALYZE delivery_vendorevent")
print(round(time.monotonic() - began))
"""
MEASURE = """
import json, os, sys, time, django
os.environ["DJANGO_SETTINGS_MODULE"] = "omni.settings"
django.setup()
from statistics import median
from django.utils import timezone
from audience import door as audience
from benchmarks.scene import member
from delivery import door as delivery
from governance.members import default_workspace
from workflow import pipeline
from workflow.worker import Worker
ws, number = default_workspace().pk, sys.argv[1]
now = timezone.now()
began = time.monotonic()
run = pipeline.launch(member("ben", "approver", now), "mails", now=now)
print(delivery.facts(ws, run.dispatch_id).counts, file=sys.stderr)
told = {"launch": time.monotonic() - began}
delivery.start_instance(now=now)
worker, leases, sends, sent = Worker("b"), [], [], 0
while True:
    began = time.perf_counter()
    work = delivery.lease(lanes=("promotional",), worker="b", now=timezone.now())
    if work is None:
        break
    leased = time.perf_counter()
    pipeline.send_batch(work, vendors=worker.vendors, clock=timezone.now)
    leases.append(leased - began)
    sends.append(time.perf_counter() - leased)
    sent += len(work.entries)
worker.vendors.close()
told |= {"lease": median(leases), "admit and send, per 1,000": median(sends)}
people = [audience.find(ws, external_id=f"m{n}").id for n in range(50)]
def timed(name, act):
    spent = []
    for person in people:
        began = time.perf_counter()
        act(person)
        spent.append(time.perf_counter() - began)
    told[name] = median(spent)
timed("why", lambda person: delivery.why(ws, run.dispatch_id, person))
timed("a person's messages", lambda person: delivery.messages(ws, profile_id=person, limit=50))
timed("run page", lambda person: (delivery.facts(ws, run.dispatch_id), delivery.engagement(ws, run.dispatch_id)))
timed("list of runs", lambda person: delivery.briefs(ws, [run.dispatch_id]))
timed("in doubt, everywhere", lambda person: delivery.doubtful(ws))
timed("reconcile", lambda person: delivery.reconcile(now=timezone.now()))
print(json.dumps(told | {"sent": sent}))
"""


def main() -> None:
    """Measure, fill, measure again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000_000)
    parser.add_argument("--mails", type=int, default=10_000, help="of the campaign that is sent before and after")
    parser.add_argument("--jump", type=int, default=500, help="run numbers left out before each old run: 500 makes a partition of two runs")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omni-year-") as folder:
        server, url = _postgresql(Path(folder))
        try:
            _compare(args, {**_plain(), "OMNI_DATA_DIR": f"{folder}/var", "OMNI_DATABASE_URL": url})
        finally:
            server.cleanup()


def _plain() -> dict[str, str]:
    secrets = {"OMNI_SECRET_SENDGRID_KEY": "x", "OMNI_SECRET_SENDGRID_WEBHOOK": "x", "OMNI_SECRET_TWILIO_TOKEN": "x"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNI_")}
    return {**kept, **secrets, "OMNI_ALLOWED_RECIPIENTS": "@example.com", "OMNI_TOKEN_KEYS": "benchmark-token-key-0123456789abcdef"}


def _compare(args: argparse.Namespace, environment: dict[str, str]) -> None:
    def run(*arguments: str) -> str:
        made = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SystemExit(made.stdout[-2000:] + made.stderr[-3000:])
        return made.stdout.strip().splitlines()[-1] if made.stdout.strip() else ""

    run("manage.py", "migrate", "--verbosity", "0")
    run("-m", "benchmarks.scene", "--mails", str(args.mails), "--texts", "0", "--cap", "100")
    run("-c", MEASURE, "warm")
    empty = json.loads(run("-c", MEASURE, "empty"))
    seconds = run("-c", FILL, str(args.messages), str(args.jump))
    print(f"filled with {args.messages:,} messages in {seconds} s", flush=True)
    full = json.loads(run("-c", MEASURE, "full"))
    if empty.pop("sent") != full.pop("sent"):
        raise SystemExit("the two campaigns were not alike")
    for name, before in empty.items():
        after = full[name]
        print(f"{name:<28}{before * 1_000:>10.2f} ms {after * 1_000:>10.2f} ms {after / before if before else 0:>8.2f}")


if __name__ == "__main__":
    main()
