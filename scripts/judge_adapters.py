"""The adapters before an independent judge: every vendor it plays is posted to over real sockets, and its webhooks are heard.

    python -m scripts.judge_adapters

Two rounds: tests/adapters/test_against_a_vendor.py against the lab (OMNI_VENDORLAB), then the lab's own webhooks, genuine and
hostile, held against each adapter's `verify` and `events`. Exit status 1 on any finding.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "omni.settings",
    "OMNI_DATA_DIR": tempfile.mkdtemp(prefix="omni-judge-"),
    "OMNI_ENV": "test",
    "OMNI_TOKEN_KEYS": "judge-token-key-0123456789abcdef",
}

import django

django.setup()

from benchmarks.instance import ROOT, Lab  # noqa: E402
from delivery.adapters.base import Account, Unreadable, VendorEvent, Webhook  # noqa: E402
from delivery.adapters.registry import ADAPTERS  # noqa: E402
from tests.adapters import letters  # noqa: E402
from tests.adapters.vendors.sender import Sender  # noqa: E402

HOSTILE = {"tampered": 0.2, "bad_signature": 0.2, "unsigned": 0.2}
MIXES = {
    "whatsapp": {"sent": 1, "delivered": 0.9, "read": 0.5, "failed": 0.1},
    "wechat": {"success": 0.9, "failed:user block": 0.1},
}
NAMES = {"whatsapp": "whatsapp_cloud", "wechat": "wechat"}
MESSAGES = 20  # the lab refuses some numbers beyond


class Heard:
    """Somebody who listens as a webhook's receiver does, and counts what was believed and what it said."""

    def __init__(self, account: Account, key: str) -> None:
        self.account, self.adapter = account, ADAPTERS[key]
        self.said, self.ids, self.unreadable = Counter[str](), set[str](), list[Unreadable]()
        heard = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(200 if heard.hear(self.path, dict(self.headers.items()), body) else 401)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hear(self, path: str, headers: dict[str, str], body: bytes) -> bool:
        webhook = Webhook(
            self.url.removesuffix("/hooks") + path, {name.lower(): value for name, value in headers.items()}, body, datetime.now(UTC)
        )
        if not self.adapter.verify(webhook, self.account):
            return False
        for event in self.adapter.events(webhook):
            if isinstance(event, VendorEvent) and event.event_id not in self.ids:
                self.ids.add(event.event_id)
                self.said[event.kind] += 1
            elif isinstance(event, Unreadable):
                self.unreadable.append(event)
        return True


def suite(lab: Lab) -> list[str]:
    """The conformance suite against the lab."""
    command = [sys.executable, "-m", "pytest", "tests/adapters/test_against_a_vendor.py", "--no-header", "--durations=0"]
    made = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMNI_TEST_LAB": lab.url}, capture_output=True, text=True)
    print(*[line for line in made.stdout.splitlines() if " passed" in line or " failed" in line], sep="\n")
    return [] if made.returncode == 0 else [f"the suite against the lab:\n{made.stdout[-4_000:]}"]


def webhooks(lab: Lab) -> list[str]:
    """The lab's webhooks about messages that it accepted from our adapters."""
    wrong, secrets = [], lab.get("/_lab/secrets")
    for vendor, mix in MIXES.items():
        lab.post("/_lab/reset")
        key = NAMES[vendor]
        _send(lab, key)
        account = Account("", {"app_secret": secrets["whatsapp_app_secret"], "callback_token": secrets["wechat_token"]})
        heard = Heard(account, key)
        asked = {"vendor": vendor, "url": heard.url, "mix": mix, "duplicates": 0.2, "shuffle": True, "retries": 0, "seed": 3, **HOSTILE}
        report = lab.post("/_lab/webhooks", asked)
        heard.server.shutdown()
        told = {kind: count for kind, count in report["events"].items() if count}
        print(f"{vendor} webhooks: told {told}, heard {dict(heard.said)}, unreadable {len(heard.unreadable)}")
        if sum(heard.said.values()) != sum(told.values()):
            wrong.append(f"{vendor}: {sum(told.values())} genuine events, {sum(heard.said.values())} heard; the lab's report: {report}")
        if any("HOSTILE" in name for name in heard.ids) or heard.unreadable:
            wrong.append(f"{vendor}: hostile or unreadable events: {heard.unreadable[:3]}")
    return wrong


def _send(lab: Lab, key: str) -> None:
    """Some messages, so that there is something to report on."""
    channel = letters.CHANNEL[key]
    sender = Sender(key, channel, lab.url)
    for one in letters.messages(MESSAGES, channel):
        fate = sender.send(one)
        if fate.kind != "accepted":
            raise SystemExit(f"{key} did not accept: {fate}")
    sender.vendors.close()


def main() -> None:
    """Run both rounds and say what was found."""
    with tempfile.TemporaryDirectory(prefix="omni-judge-") as folder:
        lab = Lab(Path(folder))
        try:
            wrong = suite(lab) + webhooks(lab)
        finally:
            lab.stop()
    for fault in wrong:
        print("WRONG", fault)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
