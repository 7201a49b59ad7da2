"""Elasticsearch is there in part, in time or not at all, at any request: the audience is whole all the same, or there is none.

`OMNI_TEST_TRIES=200` asks more often.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings

from audience import door as audience
from audience.backends import elasticsearch
from audience.backends.elasticsearch import connected
from audience.door import SegmentBody
from audience.index_feed import rebuild
from governance.door import parse
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.elasticsearch]
TRIES, PEOPLE, PAGE = int(os.environ.get("OMNI_TEST_TRIES", "7")), 25, 10
TROUBLES = ["hung up", "503", "429", "shards failed", "timed out", "cut short", "none"]


class Between:
    """A server on loopback in front of Elasticsearch, that is in trouble from a certain request on."""

    def __init__(self, behind: str) -> None:
        self.behind, self.trouble, self.after = urlsplit(behind), "none", 0
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version, wbufsize = "HTTP/1.1", -1  # an answer leaves in one piece

            def log_message(self, *_: Any) -> None:
                pass

            def answer(self) -> None:
                between.answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, asked: BaseHTTPRequestHandler) -> None:
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        self.after -= 1
        trouble = self.trouble if self.after < 0 else "none"
        if trouble == "hung up":
            asked.close_connection = True
            return
        if trouble in ("503", "429"):
            return self.say(asked, int(trouble), {}, b'{"error": "no"}')
        server = http.client.HTTPConnection(self.behind.hostname or "", self.behind.port, timeout=30)
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in ("host", "accept-encoding", "connection")}
        server.request(asked.command, asked.path, body or None, headers)
        real = server.getresponse()
        content, kept = real.read(), {name: real.headers[name] for name in ("Content-Type", "X-Elastic-Product") if name in real.headers}
        server.close()
        if "_search" in asked.path and trouble in ("shards failed", "timed out"):
            content = self.in_part(content, trouble)
        if trouble == "cut short":
            kept["Content-Length"] = str(len(content))
            content, asked.close_connection = content[: len(content) // 2], True
        self.say(asked, real.status, kept, content)

    def in_part(self, content: bytes, trouble: str) -> bytes:
        """The same answer with half of what was found, and the word that says so."""
        answer = json.loads(content)
        found = answer.get("hits", {}).get("hits", [])
        answer["hits"] = {**answer.get("hits", {}), "hits": found[: len(found) // 2]}
        said = {"timed_out": True} if trouble == "timed out" else {"_shards": {"total": 2, "successful": 1, "failed": 1}}
        return json.dumps({**answer, **said}).encode()

    def say(self, asked: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes) -> None:
        asked.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            asked.send_header(name, value)
        asked.end_headers()
        if asked.command != "HEAD":
            asked.wfile.write(content)


@pytest.fixture
def between(elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    """OMNI with an Elasticsearch that it asks through `Between`, ten people a page."""
    made, prefix = Between(elasticsearch_url), f"trouble{uuid.uuid4().hex[:8]}"
    changed = django_settings.OMNI.model_copy(update={"elasticsearch_url": made.url, "elasticsearch_prefix": prefix})
    monkeypatch.setattr(django_settings, "OMNI", changed)
    monkeypatch.setattr(elasticsearch, "PAGE", PAGE)
    yield made
    behind = connected(elasticsearch_url, prefix)
    for name in behind.client.indices.get(index=f"{prefix}-*").body:
        behind.client.indices.delete(index=name)
    behind.client.options(ignore_status=404).indices.delete_index_template(name=f"{prefix}-audience")
    made.server.shutdown()
    made.server.server_close()


def test_no_trouble_at_any_request_makes_an_audience_smaller(between: Between, now: datetime) -> None:
    draw, home = Random(7), factories.workspace().pk
    germans = set(factories.profiles(PEOPLE, now=now, country="DE"))
    factories.profiles(5, now=now, country="FR")
    rebuild(connected(between.url, django_settings.OMNI.elasticsearch_prefix), home, now=now)
    segment = parse(SegmentBody, factories.segment(rule={"profile": "country", "op": "is", "value": "DE"}))

    answered: Counter[tuple[str, str]] = Counter()
    for number in range(TRIES):
        between.trouble, between.after = TROUBLES[number % len(TROUBLES)], draw.randrange(6)
        found = audience.resolve(home, segment, as_of=now)
        assert set(found.ids) == germans, (number, between.trouble, found.engine)
        assert (found.engine == "elasticsearch") == (not found.note), "whoever answers instead says why"
        answered[between.trouble, found.engine] += 1
    assert answered["none", "database"] == 0
    assert all(answered[trouble, "database"] for trouble in TROUBLES[:-1]) or TRIES < 10 * len(TROUBLES)
