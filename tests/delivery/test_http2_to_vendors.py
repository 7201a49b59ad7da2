"""HTTP/2 on real sockets: one connection for many messages, and what a vendor surely has not touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import pytest

from delivery.adapters.base import Fate, Limits, VendorRequest, VendorResponse
from delivery.connections import Connections
from delivery.transports import http2
from tests.delivery.certificates import server_tls
from tests.delivery.wire import Line, answering, deaf_port, serving

NOW = datetime(2026, 11, 28, tzinfo=UTC)
Say = Callable[["Far", int, bytes], None]


class Far:
    """The vendor's side of one connection. say: what it does with a whole request on a stream."""

    def __init__(self, line: Line, say: Say, settings: dict[Any, int] | None = None) -> None:
        self.line, self.say, self.bodies = line, say, dict[int, bytes]()
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        if settings:
            self.http.local_settings = h2.settings.Settings(client=False, initial_values=settings)
        self.http.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.line.say(self.http.data_to_send())

    def ok(self, stream: int, body: bytes = b"fine") -> None:
        self.http.send_headers(stream, [(":status", "200"), ("apns-id", str(stream))])
        self.http.send_data(stream, body, end_stream=True)
        self.flush()

    def serve(self) -> None:
        while data := self.line.sock.recv(65_536):
            for event in self.http.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    assert event.stream_id is not None
                    self.bodies[event.stream_id] = b""
                elif isinstance(event, h2.events.DataReceived):
                    assert event.stream_id is not None and event.data is not None
                    self.bodies[event.stream_id] += event.data
                    self.http.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    assert event.stream_id is not None
                    with self.line.server.lock:
                        self.line.server.requests.append(self.bodies[event.stream_id])
                    self.say(self, event.stream_id, self.bodies[event.stream_id])
            self.flush()


def vendor(say: Say, settings: dict[Any, int] | None = None) -> Callable[[Line], None]:
    return lambda line: Far(line, say, settings).serve()


def fine(far: Far, stream: int, body: bytes) -> None:
    far.ok(stream, body)


@pytest.fixture
def out(settings: Any) -> Iterator[Connections]:
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_timeout": 1.0})
    with Connections() as made:
        yield made


def post(out: Connections, url: str, many: int = 1, *, concurrency: int = 100, size: int = 0) -> list[VendorResponse | Fate]:
    requests = [VendorRequest("POST", f"{url}/3/device/x", {"apns-topic": "a"}, b"%d" % n + b"." * size, http2=True) for n in range(many)]
    return out.post(1, "account", requests, limits=Limits(concurrency=concurrency), now=NOW)


def kinds(answers: list[VendorResponse | Fate]) -> list[str]:
    return [answer.kind if isinstance(answer, Fate) else str(answer.status) for answer in answers]


def test_many_messages_share_one_connection_and_keep_their_order(out: Connections) -> None:
    with serving(vendor(fine)) as far:
        for _ in range(3):
            answers = post(out, far.url, 100)
            assert [answer.body for answer in answers if isinstance(answer, VendorResponse)] == [b"%d" % n for n in range(100)]
        assert far.connections == 1


def test_a_vendor_that_takes_few_streams_gets_few_at_a_time(out: Connections) -> None:
    most: list[int] = []

    def slowly(far: Far, stream: int, body: bytes) -> None:
        most.append(far.http.open_inbound_streams)
        far.ok(stream)

    with serving(vendor(slowly, {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 3})) as far:
        assert set(kinds(post(out, far.url, 40))) == {"200"}
    assert max(most) <= 3


def test_http2_is_agreed_upon_in_tls(out: Connections, settings: Any) -> None:
    made = server_tls(protocols=("h2",))
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_authorities": made.authority})
    with serving(vendor(fine), tls=made.context) as far:
        assert set(kinds(post(out, f"https://localhost:{far.port}", 20))) == {"200"}
        assert far.connections == 1


def test_a_large_body_waits_for_the_vendors_windows(out: Connections) -> None:
    with serving(vendor(lambda far, stream, body: far.ok(stream, b"%d" % len(body)))) as far:
        answers = post(out, far.url, 3, size=300_000)
    assert [answer.body for answer in answers if isinstance(answer, VendorResponse)] == [b"300001"] * 3


@pytest.mark.parametrize("protocols", [("http/1.1",), ()])
def test_a_vendor_that_speaks_no_http2_has_surely_accepted_nothing(out: Connections, settings: Any, protocols: tuple[str, ...]) -> None:
    made = server_tls(protocols=protocols)
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_authorities": made.authority})
    with serving(answering, tls=made.context) as far:
        assert kinds(post(out, f"https://localhost:{far.port}", 2)) == ["transient"] * 2
    assert far.requests == []


def test_a_plain_server_that_answers_the_preface_with_http1_has_surely_accepted_nothing(out: Connections) -> None:
    with serving(lambda line: line.say(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")) as far:
        assert kinds(post(out, far.url, 2)) == ["transient"] * 2


def test_nobody_there_is_surely_not_accepted_in_http2_too(out: Connections) -> None:
    assert kinds(post(out, f"http://127.0.0.1:{deaf_port()}", 3)) == ["transient"] * 3


def test_a_refused_stream_is_surely_not_accepted_and_the_others_are(out: Connections) -> None:
    def refuse(far: Far, stream: int, body: bytes) -> None:
        if body == b"1":
            far.http.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
        else:
            far.ok(stream)

    with serving(vendor(refuse)) as far:
        assert kinds(post(out, far.url, 3)) == ["200", "transient", "200"]
        assert far.connections == 1


def test_streams_beyond_a_goodbye_are_surely_not_accepted_and_the_next_ones_go_elsewhere(out: Connections) -> None:
    def leave(far: Far, stream: int, body: bytes) -> None:
        if far.line.server.connections == 1 and body == b"0.":
            far.http.close_connection(last_stream_id=stream)
            far.flush()
            far.line.until_closed()
            raise ConnectionAbortedError
        else:
            far.ok(stream)

    with serving(vendor(leave)) as far:
        assert kinds(post(out, far.url)) == ["200"], "the connection is there, so the next four are written at once"
        assert kinds(post(out, far.url, 4, size=1)) == ["ambiguous", "transient", "transient", "transient"]
        assert kinds(post(out, far.url, 2)) == ["200", "200"]
        assert far.connections == 2


def _reset(far: Far, stream: int, body: bytes) -> None:
    far.http.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)


def _drop(far: Far, stream: int, body: bytes) -> None:
    far.line.reset()


def _hang(far: Far, stream: int, body: bytes) -> None:
    """Nothing."""


def _garbage(far: Far, stream: int, body: bytes) -> None:
    far.line.say(b"\xff" * 100)


def _half(far: Far, stream: int, body: bytes) -> None:
    far.http.send_headers(stream, [(":status", "200"), ("content-length", "400")])
    far.http.send_data(stream, b"fin")
    far.flush()
    far.line.reset()


@pytest.mark.parametrize("say", [_reset, _drop, _hang, _garbage, _half])
def test_what_was_written_and_not_answered_is_in_doubt_in_http2_too(out: Connections, say: Say) -> None:
    began = time.monotonic()
    with serving(vendor(say)) as far:
        assert set(kinds(post(out, far.url, 2))) == {"ambiguous"}
        assert far.connections == 1
    assert time.monotonic() - began < 4


def test_an_old_connection_gives_way_to_a_new_one(out: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2, "OLDEST", 0.05)
    with serving(vendor(fine)) as far:
        post(out, far.url)
        time.sleep(0.1)
        assert kinds(post(out, far.url, 2)) == ["200", "200"]
        assert far.connections == 2


def test_what_cannot_be_written_in_http2_asks_for_a_person(out: Connections) -> None:
    request = VendorRequest("POST", "http://127.0.0.1:1/x", {"apns-topic": "a\r\nb: c"}, http2=True)
    assert kinds(out.post(1, "account", [request], limits=Limits(), now=NOW)) == ["misconfigured"]
