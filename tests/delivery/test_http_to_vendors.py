"""What an HTTP exchange came to, judged on real sockets: only what was never written may be sent again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from delivery.adapters.base import Fate, Limits, VendorRequest, VendorResponse
from delivery.connections import Connections
from delivery.transports import origins, pool
from tests.delivery.certificates import server_tls
from tests.delivery.wire import Line, Wire, answering, deaf_port, serving

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def out(settings: Any) -> Iterator[Connections]:
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_timeout": 1.0})
    with Connections() as made:
        yield made


def post(out: Connections, url: str, many: int = 1, *, concurrency: int = 8, **more: Any) -> list[VendorResponse | Fate]:
    requests = [VendorRequest("POST", f"{url}/send", {"x-number": str(number)}, b"hello", **more) for number in range(many)]
    return out.post(1, "account", requests, limits=Limits(concurrency=concurrency), now=NOW)


def kinds(answers: list[VendorResponse | Fate]) -> set[str]:
    return {answer.kind if isinstance(answer, Fate) else str(answer.status) for answer in answers}


def test_a_request_arrives_whole_and_its_answer_comes_back_with_it(out: Connections) -> None:
    def behave(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 201 Created\r\nX-Message-Id: m1\r\ncontent-length: 4\r\n\r\nfine")

    with serving(behave) as vendor:
        assert post(out, vendor.url) == [VendorResponse(201, {"x-message-id": "m1", "content-length": "4"}, b"fine")]
    head = f"POST /send HTTP/1.1\r\nhost: 127.0.0.1:{vendor.port}\r\nx-number: 0\r\ncontent-length: 5\r\n\r\nhello"
    assert vendor.requests == [head.encode()]


def test_a_window_comes_back_in_its_own_order_over_few_connections(out: Connections) -> None:
    def behave(line: Line) -> None:
        while request := line.request():
            number = request.partition(b"x-number: ")[2].partition(b"\r\n")[0]
            time.sleep(0.02 if int(number) % 2 else 0)
            line.ok(number)

    with serving(behave) as vendor:
        for _ in range(5):
            answers = post(out, vendor.url, 40, concurrency=8)
            assert [answer.body for answer in answers if isinstance(answer, VendorResponse)] == [b"%d" % n for n in range(40)]
        assert vendor.connections <= 8 and vendor.most_open <= 8


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nfin\r\n1;x=y\r\ne\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\nx-after: all\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4, 4\r\n\r\nfine",
        b"HTTP/1.1 200\r\ncontent-length: 4\r\n\r\nfine",
        b"HTTP/1.1 200 OK\r\n\r\nfine",
        b"HTTP/1.0 200 OK\r\n\r\nfine",
    ],
)
@pytest.mark.parametrize("pieces", [1, 1_000])
def test_an_answer_is_read_however_it_is_framed_and_cut(out: Connections, answer: bytes, pieces: int) -> None:
    def behave(line: Line) -> None:
        line.request()
        size = max(1, len(answer) // pieces)
        for start in range(0, len(answer), size):
            line.say(answer[start : start + size])
        if b"chunked" in answer or b"length" in answer:
            line.until_closed()

    with serving(behave) as vendor:
        found = post(out, vendor.url)[0]
    assert isinstance(found, VendorResponse) and (found.status, found.body) == (200, b"fine")


def test_nobody_there_is_surely_not_accepted(out: Connections) -> None:
    assert kinds(post(out, f"http://127.0.0.1:{deaf_port()}", 5)) == {"transient"}


def test_a_machine_without_a_thread_left_has_posted_nothing_and_may_have_one_later(
    out: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with serving(answering) as vendor:
        with monkeypatch.context() as starved:
            starved.setattr(threading.Thread, "start", refuses)
            assert kinds(post(out, vendor.url, 3)) == {"transient"}
        assert vendor.requests == []
        assert kinds(post(out, vendor.url, 3)) == {"200"}


def test_a_name_that_nobody_has_is_surely_not_accepted(out: Connections) -> None:
    assert kinds(post(out, "http://nobody.invalid", 3)) == {"transient"}


def test_a_certificate_that_is_not_trusted_is_surely_not_accepted(out: Connections) -> None:
    with serving(answering, tls=server_tls().context) as vendor:
        assert kinds(post(out, vendor.url.replace("http:", "https:"), 3)) == {"transient"}
    assert vendor.requests == []


def test_a_trusted_certificate_of_another_name_is_refused_too(out: Connections, settings: Any) -> None:
    made = server_tls(name="elsewhere.example")
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_authorities": made.authority})
    with serving(answering, tls=made.context) as vendor:
        assert kinds(post(out, f"https://localhost:{vendor.port}")) == {"transient"}


def test_a_vendor_with_a_known_authority_is_talked_to_in_tls(out: Connections, settings: Any) -> None:
    made = server_tls()
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_authorities": made.authority})
    with serving(answering, tls=made.context) as vendor:
        assert kinds(post(out, f"https://localhost:{vendor.port}", 20, concurrency=4)) == {"200"}
        assert vendor.connections <= 4


def test_a_server_that_never_finishes_the_tls_handshake_is_surely_not_accepted(out: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "CONNECT_SECONDS", 0.2)
    with serving(Line.until_closed) as vendor:
        assert kinds(post(out, vendor.url.replace("http:", "https:"))) == {"transient"}


def test_whoever_waited_for_a_connection_in_vain_is_surely_not_accepted(out: Connections) -> None:
    def behave(line: Line) -> None:
        line.request()
        line.until_closed()

    with serving(behave) as vendor:
        answers = post(out, vendor.url, 3, concurrency=1)
    assert [answer.kind for answer in answers if isinstance(answer, Fate)] == ["ambiguous", "transient", "transient"]
    assert len(vendor.requests) == 1


def _reset(line: Line) -> None:
    line.request()
    line.reset()


def _close(line: Line) -> None:
    line.request()


def _reset_in_the_middle(line: Line) -> None:
    line.sock.recv(20)
    line.reset()


def _cut_short(line: Line) -> None:
    line.request()
    line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nfin")


def _hang(line: Line) -> None:
    line.request()
    line.until_closed()


def _drip(line: Line) -> None:
    line.request()
    line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n")
    for _ in range(400):
        line.say(b"x")
        time.sleep(0.05)


def _flood(line: Line) -> None:
    line.request()
    line.say(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000_000)


def _long_head(line: Line) -> None:
    line.request()
    line.say(b"HTTP/1.1 200 OK\r\n" + b"x-filler: yes\r\n" * 50_000)
    line.until_closed()


def _garbage(line: Line) -> None:
    line.request()
    line.say(b"\x00\x01\x02 not http at all\r\n\r\n")


def _two_lengths(line: Line) -> None:
    line.request()
    line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nfine!")
    line.until_closed()


def _huge_length(line: Line) -> None:
    line.request()
    line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n")
    line.until_closed()


def _broken_chunk(line: Line) -> None:
    line.request()
    line.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nfine\r\n0\r\n\r\n")
    line.until_closed()


def _half_a_chunked_answer(line: Line) -> None:
    line.request()
    line.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfine\r\n")


@pytest.mark.parametrize(
    "behave",
    [
        _reset,
        _close,
        _reset_in_the_middle,
        _cut_short,
        _hang,
        _drip,
        _flood,
        _long_head,
        _garbage,
        _two_lengths,
        _huge_length,
        _broken_chunk,
        _half_a_chunked_answer,
    ],
)
def test_what_was_written_and_not_answered_is_in_doubt_and_never_written_again(out: Connections, behave: Callable[[Line], None]) -> None:
    began = time.monotonic()
    with serving(behave) as vendor:
        assert kinds(post(out, vendor.url, 3)) == {"ambiguous"}
        assert vendor.connections == 3, "one connection for each, and no second try"
    assert time.monotonic() - began < 5


def test_a_vendor_that_closes_a_kept_connection_at_the_next_request_leaves_it_in_doubt_once(out: Connections) -> None:
    def behave(line: Line) -> None:
        line.request()
        line.ok()
        line.request()

    with serving(behave) as vendor:
        assert kinds(post(out, vendor.url)) == {"200"}
        assert kinds(post(out, vendor.url)) == {"ambiguous"}
        assert len(vendor.requests) == 2 and vendor.connections == 1


def test_a_connection_that_was_seen_to_close_carries_nothing_more(out: Connections) -> None:
    def behave(line: Line) -> None:
        line.request()
        line.ok()

    with serving(behave) as vendor:
        assert kinds(post(out, vendor.url)) == {"200"}
        time.sleep(0.2)
        assert kinds(post(out, vendor.url)) == {"200"}
        assert vendor.connections == 2


@pytest.mark.parametrize("head", [b"connection: close\r\n", b"Connection: keep-alive, Close\r\n"])
def test_a_vendor_that_says_goodbye_gets_a_new_connection(out: Connections, head: bytes) -> None:
    def behave(line: Line) -> None:
        line.request()
        line.ok(head=head)
        line.until_closed()

    with serving(behave) as vendor:
        assert kinds(post(out, vendor.url) + post(out, vendor.url)) == {"200"}
        assert vendor.connections == 2


def test_bytes_nobody_asked_for_are_never_taken_for_the_next_answer(out: Connections) -> None:
    def behave(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfineHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong")
        line.until_closed()

    with serving(behave) as vendor:
        answers = post(out, vendor.url) + post(out, vendor.url)
        assert [answer.body for answer in answers if isinstance(answer, VendorResponse)] == [b"fine", b"fine"]
        assert vendor.connections == 2


def test_a_redirect_is_an_answer_and_is_not_followed(out: Connections) -> None:
    with serving(answering) as elsewhere:

        def behave(line: Line) -> None:
            line.request()
            line.say(b"HTTP/1.1 307 Go\r\nlocation: %s/there\r\ncontent-length: 0\r\n\r\n" % elsewhere.url.encode())
            line.until_closed()

        with serving(behave) as vendor:
            assert kinds(post(out, vendor.url)) == {"307"}
        assert elsewhere.connections == 0


def test_an_idle_connection_is_let_go_before_the_vendor_does(out: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.1)
    with serving(answering) as vendor:
        post(out, vendor.url, 4)
        until = time.monotonic() + 5
        while vendor.open and time.monotonic() < until:
            time.sleep(0.02)
        assert vendor.open == 0


def test_an_old_connection_is_replaced_so_that_a_vendor_that_moved_is_found(
    out: Connections, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    moved: list[int] = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        return real("127.0.0.1", moved[-1], *args, **more) if host == "vendor.example" else real(host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(pool, "OLDEST", -1.0)
    monkeypatch.setattr(origins, "NAMES_LAST", 0.0)
    with serving(answering) as before, serving(answering) as after:
        moved.append(before.port)
        assert kinds(post(out, "http://vendor.example")) == {"200"}
        moved.append(after.port)
        assert kinds(post(out, "http://vendor.example")) == {"200"}
        assert (len(before.requests), len(after.requests)) == (1, 1)


@pytest.mark.parametrize(
    "request_",
    [
        VendorRequest("POST", "http://127.0.0.1:1/send", {"x-name": "Ada\r\nx-evil: yes"}),
        VendorRequest("POST", "http://127.0.0.1:1/send", {"x name": "Ada"}),
        VendorRequest("POST", "http://127.0.0.1:1/send", {"x-name": "\u4f60"}),
        VendorRequest("POST /x HTTP/1.1\r\nhost: elsewhere\r\n\r\nGET", "http://127.0.0.1:1/send"),
        VendorRequest("POST", "http://127.0.0.1:1/se nd"),
        VendorRequest("POST", "http://127.0.0.1:99999/send"),
        VendorRequest("POST", "http:///send"),
        VendorRequest("POST", "gopher://127.0.0.1/send"),
        VendorRequest("POST", "send"),
    ],
)
def test_what_cannot_be_put_on_the_wire_asks_for_a_person(out: Connections, request_: VendorRequest) -> None:
    assert kinds(out.post(1, "account", [request_], limits=Limits(), now=NOW)) == {"misconfigured"}


def test_the_usual_proxy_variables_are_not_trusted(out: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{deaf_port()}")
    with serving(answering) as vendor:
        assert kinds(post(out, vendor.url)) == {"200"}


def test_a_proxy_of_our_own_choice_is_asked_for_plain_urls(out: Connections, settings: Any) -> None:
    with serving(answering) as proxy:
        settings.OMNI = settings.OMNI.model_copy(update={"vendor_proxy": f"http://us:p%40ss@127.0.0.1:{proxy.port}"})
        assert kinds(post(out, "http://vendor.example")) == {"200"}
    assert proxy.requests[0].startswith(b"POST http://vendor.example/send HTTP/1.1\r\nhost: vendor.example\r\n")
    assert b"Proxy-Authorization: Basic dXM6cEBzcw==\r\n" in proxy.requests[0]


def test_tls_goes_through_the_proxys_tunnel_end_to_end(out: Connections, settings: Any) -> None:
    made = server_tls()
    with serving(answering, tls=made.context) as vendor, serving(_tunnel_to(vendor)) as proxy:
        update = {"vendor_proxy": f"http://127.0.0.1:{proxy.port}", "vendor_authorities": made.authority}
        settings.OMNI = settings.OMNI.model_copy(update=update)
        assert kinds(post(out, f"https://localhost:{vendor.port}", 6, concurrency=2)) == {"200"}
        assert proxy.connections <= 2 and proxy.requests[0].startswith(f"CONNECT localhost:{vendor.port} HTTP/1.1\r\n".encode())


def test_a_proxy_that_refuses_the_tunnel_means_surely_not_accepted(out: Connections, settings: Any) -> None:
    def refuse(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n")

    with serving(refuse) as proxy:
        settings.OMNI = settings.OMNI.model_copy(update={"vendor_proxy": f"http://127.0.0.1:{proxy.port}"})
        assert kinds(post(out, "https://localhost:1")) == {"transient"}


def _tunnel_to(vendor: Wire) -> Callable[[Line], None]:
    def tunnel(line: Line) -> None:
        line.request()
        with socket.create_connection(("127.0.0.1", vendor.port)) as far:
            line.say(b"HTTP/1.1 200 Connection established\r\n\r\n")

            def back() -> None:
                while data := far.recv(65_536):
                    line.say(data)

            threading.Thread(target=back, daemon=True).start()
            while data := line.sock.recv(65_536):
                far.sendall(data)

    return tunnel
