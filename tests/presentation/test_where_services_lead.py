"""No document makes this machine talk to what is behind its own walls: not by a form of an address, a name, or a redirect."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from presentation.services.answers import Unanswered
from presentation.services.client import Question, Way, ask
from tests.delivery.certificates import server_tls
from tests.delivery.dns.zone import name_server
from tests.presentation.standin import HERE, WAY, Asked, Reply, Traps, as_json, service
from tests.tables import over

FORMS = (
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://\u2460\u2461\u2466.0.0.\u2460:{port}/",
    "http://127.0.0.1%00.example.com:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://127.0.0.3:{port}/",
    "http://inside.example.com:{port}/",
    "http://alias.example.com:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "https://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/",
    "file:///etc/passwd",
)
ZONE = {
    "A inside.example.com": ["127.0.0.1"],
    "CNAME alias.example.com": ["inside.example.com"],
    "A good.example.com": [HERE],
    "A other.example.com": [HERE],
}


class Turning(dict[str, list[str]]):
    """A zone whose turning.example.com leads to another address each time it is asked for."""

    turns: Iterator[str]

    def get(self, place: Any, otherwise: Any = None) -> Any:
        return [next(self.turns)] if place == "A turning.example.com" else super().get(place, otherwise)


@pytest.fixture
def traps() -> Iterator[Traps]:
    made = Traps()
    yield made
    made.close()


def refusal(url: str, way: Way, **more: Any) -> str:
    with pytest.raises(Unanswered) as refused:
        ask(Question(url, **more), way, until=time.monotonic() + 3)
    assert "127.0" not in str(refused.value) and "example.com" not in str(refused.value)
    return str(refused.value)


def test_no_form_of_an_address_leads_inside(traps: Traps) -> None:
    with name_server(ZONE) as (server, _):
        for networks in ("", WAY):
            for form in FORMS:
                refusal(form.format(port=traps.port), Way(networks, server))
    assert traps.caught() == 0


def test_no_redirect_leads_inside(traps: Traps) -> None:
    wanted = [form.format(port=traps.port) for form in FORMS] + [f"//127.0.0.1:{traps.port}/"]

    def answer(asked: Asked) -> Reply:
        return 302, {"Location": wanted[int(asked.path[1:])].encode("utf-8").decode("latin-1")}, b""

    with name_server(ZONE) as (server, _), service(answer) as there:
        for place in range(len(wanted)):
            refusal(there.url(f"/{place}"), Way(WAY, server))
        assert len(there.asked) == len(wanted)
    assert traps.caught() == 0


def test_a_name_that_turns_is_looked_up_once_and_that_address_is_connected_to(traps: Traps) -> None:
    with name_server(ZONE) as (server, answering), service(lambda asked: as_json({"at": HERE})) as there:
        zone = Turning(ZONE)
        zone.turns = iter([HERE, HERE, *["127.0.0.1"] * 9])  # the stand-in looks twice for one answer
        answering.zone = zone
        url = there.url(host="turning.example.com")
        assert ask(Question(url), Way(WAY, server), until=time.monotonic() + 3) == {"at": HERE}
        assert [each for each in answering.asked if each.startswith("A ")] == ["A turning.example.com"]
        assert there.asked[0].headers["host"] == f"turning.example.com:{there.port}"
        for _ in range(2):  # new connections, as another way has other ones
            refusal(url.replace(str(there.port), str(traps.port)), Way(WAY, server))
    assert traps.caught() == 0


def test_a_redirect_to_a_name_that_turns_leads_nowhere(traps: Traps) -> None:
    with name_server(ZONE) as (server, answering):

        def answer(asked: Asked) -> Reply:
            return 307, {"Location": f"http://turning.example.com:{traps.port}/"}, b""

        zone = Turning(ZONE)
        zone.turns = iter(["127.0.0.1"] * 9)
        answering.zone = zone
        with service(answer) as there:
            assert "isn't public" in refusal(there.url(host="good.example.com"), Way(WAY, server))
    assert traps.caught() == 0


def test_redirects_end_after_three_and_leave_the_secret_with_whom_it_was_for() -> None:
    with name_server(ZONE) as (server, _):

        def answer(asked: Asked) -> Reply:
            left = int(asked.path.strip("/"))
            if not left:
                return as_json("here")
            host = "other" if left == 1 else "good"
            return 302, {"Location": f"http://{host}.example.com:{there.port}/{left - 1}"}, b""

        with service(answer) as there:
            good = there.url("/3", host="good.example.com")
            secret = ("Authorization", "Bearer not-for-others")
            assert ask(Question(good, secret), Way(WAY, server), until=time.monotonic() + 3) == "here"
            told = [(each.headers["host"].split(".")[0], "authorization" in each.headers) for each in there.asked]
            assert told == [("good", True), ("good", True), ("good", True), ("other", False)]
            assert refusal(there.url("/4", host="good.example.com"), Way(WAY, server)) == "more than 3 redirects"


@over("status, expected", [(302, "loses the question"), (303, "loses the question")])
def test_what_is_posted_is_not_turned_into_something_else(status: int, expected: str) -> None:
    with service(lambda asked: (status, {"Location": "/other"}, b"")) as there:
        assert expected in refusal(there.url(), Way(WAY), body=b"{}")


def test_tls_asks_the_looked_at_address_for_the_name_and_never_falls_back() -> None:
    tls = server_tls("good.example.com")
    with name_server(ZONE) as (server, _):

        def answer(asked: Asked) -> Reply:
            return (302, {"Location": f"http://good.example.com:{there.port}/"}, b"") if asked.path == "/down" else as_json("safe")

        with service(answer, tls=tls.context) as there:
            way = Way(WAY, server, tls.authority)
            good = there.url(host="good.example.com").replace("http:", "https:")
            assert ask(Question(good), way, until=time.monotonic() + 3) == "safe"
            assert "no TLS" in refusal(good + "down", way)
            assert "ConnectError" in refusal(there.url(host="other.example.com").replace("http:", "https:"), way)
            assert "ConnectError" in refusal(good, Way(WAY, server))


def test_outside_nothing_goes_without_tls() -> None:
    with name_server({"A out.example.com": ["203.0.112.9"]}) as (server, _):
        assert refusal("http://out.example.com/", Way(WAY, server)) == "an address outside without TLS"
