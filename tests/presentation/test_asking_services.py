"""One question is over in its time, and its answer is small, JSON, or nothing: whatever the service does."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest

from presentation.services.answers import NOTHING, Unanswered
from presentation.services.client import Question, Way, ask
from tests.presentation.standin import WAY, Asked, Reply, as_json, raw, service
from tests.tables import over

HERE = Way(WAY)
JSON = {"Content-Type": "application/json"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def put(url: str, *, seconds: float = 3.0, body: bytes | None = None) -> Any:
    return ask(Question(url, body=body), HERE, until=time.monotonic() + seconds)


def refusal(url: str, **more: Any) -> str:
    with pytest.raises(Unanswered) as refused:
        put(url, **more)
    return str(refused.value)


@over(
    "reply, expected",
    [
        (as_json({"a": [1, None]}), {"a": [1, None]}),
        ((200, {"Content-Type": "Application/Problem+JSON; charset=utf-8"}, b"[1]"), [1]),
        ((200, {**JSON, "Content-Encoding": "gzip"}, gzip.compress(b'{"a": 1}')), {"a": 1}),
        (as_json(None), NOTHING),
        (as_json({}, 404), NOTHING),
        ((410, {}, b"gone"), NOTHING),
        ((204, {}, b""), NOTHING),
    ],
)
def test_what_a_service_says(reply: Reply, expected: Any) -> None:
    with service(lambda asked: reply) as there:
        assert put(there.url("/x?y=%20z")) == expected
        assert there.asked[0].path == "/x?y=%20z" and there.asked[0].headers["accept"] == "application/json"


@over(
    "reply, words, rests",
    [
        ((200, {"Content-Type": "text/html"}, b"<html>"), "isn't JSON", True),
        ((200, {}, b"{}"), "isn't JSON", True),
        ((200, JSON, b"{'a': 1}"), "isn't JSON", True),
        ((200, JSON, b"[NaN]"), "isn't JSON", True),
        ((200, JSON, b"[" * 100_000), "isn't JSON", True),
        ((200, JSON, json.dumps("x" * 1024 * 1024).encode()), "more than 1 MiB", True),
        ((200, {**JSON, "Content-Encoding": "gzip"}, gzip.compress(b" " * 50_000_000)), "more than 1 MiB", True),
        ((200, {**JSON, "Content-Encoding": "gzip"}, gzip.compress(b"{}")[:-6]), "can't be unpacked", True),
        ((200, {**JSON, "Content-Encoding": "gzip"}, b"{}"), "can't be unpacked", True),
        ((200, {**JSON, "Content-Encoding": "br"}, b"{}"), "coding nobody asked for", True),
        (as_json({}, 500), "it answered 500", True),
        (as_json({}, 429), "it answered 429", True),
        (as_json({}, 403), "it answered 403", True),
        (as_json({}, 400), "it answered 400", False),
    ],
)
def test_what_a_service_must_not_say(reply: Reply, words: str, rests: bool) -> None:
    with service(lambda asked: reply) as there, pytest.raises(Unanswered, match=words) as refused:
        put(there.url())
    assert refused.value.rests is rests


@over(
    "pieces",
    [
        [],  # nothing at all
        [bytes([byte]) for byte in HEAD],  # a head without an end, byte by byte
        [HEAD + b"Content-Length: 50\r\n\r\n", *([b" "] * 49)],  # a body byte by byte
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *([b"1\r\n \r\n"] * 50)],
        [HEAD + b"Content-Length: 5\r\n\r\n[1"],
    ],
)
def test_no_question_takes_longer_than_its_time(pieces: list[bytes]) -> None:
    with raw(pieces, pause=0.05) as there:
        began = time.monotonic()
        assert refusal(there.url(), seconds=0.4) == "no answer in time"
        assert time.monotonic() - began < 0.8


def test_a_handshake_that_never_ends_is_over_in_time_too() -> None:
    with raw([b"\x16"] * 50, pause=0.05) as there:
        began = time.monotonic()
        assert refusal(there.url().replace("http:", "https:"), seconds=0.4) in (
            "no answer in time",
            "no connection that holds (ConnectError)",
        )
        assert time.monotonic() - began < 0.8


def test_what_nobody_listens_at_is_told_at_once() -> None:
    with raw([]) as there:
        gone = there.url()
    assert "no connection that holds" in refusal(gone)


def test_garbage_is_no_answer() -> None:
    with raw([b"\x00\xff\x00\xff garbage\r\n\r\n"]) as there:
        assert "no connection that holds (RemoteProtocolError)" in refusal(there.url())


def test_connections_are_kept_and_a_kept_one_that_was_closed_is_made_anew() -> None:
    closes: list[bool] = []

    def answer(asked: Asked) -> Reply:
        return 200, {**JSON, **({"Connection": "close"} if closes else {})}, b"1"

    with service(answer) as there:
        assert [put(there.url()) for _ in range(5)] == [1] * 5 and there.connections == 1
        closes.append(True)
        assert [put(there.url()) for _ in range(3)] == [1] * 3 and there.connections == 3


def test_a_question_about_many_is_posted_as_json() -> None:
    with service(lambda asked: as_json(asked.body)) as there:
        assert put(there.url(), body=b'{"ids": ["a", "b"]}') == {"ids": ["a", "b"]}
        assert there.asked[0].headers["content-type"] == "application/json"
