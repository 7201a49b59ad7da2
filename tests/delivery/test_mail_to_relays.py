"""SMTP on real sockets: the reply to the final dot is a mail's fate, and what came before it is surely not accepted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from delivery.adapters.base import Fate, Limits, VendorRequest, VendorResponse
from delivery.connections import Connections
from tests.delivery.certificates import server_tls
from tests.delivery.relay import OFFERS, Relay, relaying
from tests.delivery.wire import deaf_port

NOW = datetime(2026, 11, 28, tzinfo=UTC)
TEXT = b"Subject: Hello\r\n\r\nHello\r\n"


@pytest.fixture
def out(settings: Any) -> Iterator[Connections]:
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_timeout": 1.0})
    with Connections() as made:
        yield made


def post(
    out: Connections, port: int, many: int = 1, *, scheme: str = "smtp", body: bytes = TEXT, to: str = "ann{}@example.com", **terms: str
) -> list[VendorResponse | Fate]:
    terms = {"tls": "none", "connections": "1", **terms}
    requests = [
        VendorRequest("SMTP", f"{scheme}://localhost:{port}", {"from": "hello@example.com", "to": to.format(n), **terms}, body)
        for n in range(many)
    ]
    return out.post(1, "relay", requests, limits=Limits(concurrency=50), now=NOW)


def kinds(answers: list[VendorResponse | Fate]) -> list[str]:
    return [answer.kind if isinstance(answer, Fate) else f"{answer.status} {answer.headers['stage']}" for answer in answers]


def only(who: str, said: str, verb: str = "TEXT") -> Any:
    return lambda asked, argument: said if asked == verb and who in argument else ""


@pytest.mark.parametrize("offers", [OFFERS, tuple(one for one in OFFERS if one != "PIPELINING"), ("8BITMIME",)])
def test_each_mail_arrives_once_over_one_session(out: Connections, offers: tuple[str, ...]) -> None:
    relay = Relay(offers)
    with relaying(relay) as wire:
        answers = post(out, wire.port, 20)
        assert kinds(answers) == ["250 message"] * 20 and wire.connections == 1
    assert [recipient for _, recipient, _ in relay.taken] == [f"TO:<ann{n}@example.com>" for n in range(20)]
    assert {text for _, _, text in relay.taken} == {TEXT}
    assert isinstance(answers[3], VendorResponse) and answers[3].body == b"2.0.0 Ok: queued as Q4"


def test_several_sessions_share_a_window_and_are_kept(out: Connections) -> None:
    relay = Relay()
    with relaying(relay) as wire:
        assert set(kinds(post(out, wire.port, 40, connections="4") + post(out, wire.port, 40, connections="4"))) == {"250 message"}
        assert wire.connections <= 4 and wire.most_open <= 4
    assert len(relay.taken) == 80


def test_dots_at_the_beginning_of_lines_arrive_as_they_were_written(out: Connections) -> None:
    text, relay = b".one\r\n..two\r\n.\r\nthree\r\n", Relay()
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, 2, body=text)) == ["250 message"] * 2
    assert [got for _, _, got in relay.taken] == [text] * 2


@pytest.mark.parametrize("offers", [OFFERS, OFFERS[1:]])
@pytest.mark.parametrize(
    ("verb", "said", "stage"),
    [("RCPT", "550 5.1.1 Nobody", "rcpt"), ("MAIL", "451 4.3.0 Later", "mail"), ("TEXT", "554 5.7.1 Spam", "message")],
)
def test_a_refused_mail_is_answered_by_what_refused_it_and_the_others_go(
    out: Connections, offers: tuple[str, ...], verb: str, said: str, stage: str
) -> None:
    count = iter(range(100))
    relay = Relay(offers, lambda asked, argument: said if asked == verb and next(count) == 2 else "")
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, 5)) == ["250 message"] * 2 + [f"{said[:3]} {stage}"] + ["250 message"] * 2
        assert wire.connections == 1
    assert len(relay.taken) == 4


def test_a_line_that_goes_dead_after_the_dot_leaves_that_mail_in_doubt_and_no_other(out: Connections) -> None:
    relay = Relay(say=only("ann2@", "drop"))
    with relaying(relay) as wire:
        found = kinds(post(out, wire.port, 6))
    assert found[:4] == ["250 message", "250 message", "ambiguous", "transient"]
    assert "ambiguous" not in found[3:]
    assert [recipient for _, recipient, _ in relay.taken].count("TO:<ann2@example.com>") == 1


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("said", ["drop", "hang", "this is not SMTP"])
def test_what_breaks_before_the_text_is_surely_not_accepted(out: Connections, verb: str, said: str) -> None:
    relay = Relay(say=lambda asked, argument: said if asked == verb else "")
    began = time.monotonic()
    with relaying(relay) as wire:
        assert set(kinds(post(out, wire.port, 2))) == {"transient"}
    assert relay.taken == [] and time.monotonic() - began < 4


@pytest.mark.parametrize("said", ["hang", "\x00garbage", "250-and so on"])
def test_what_follows_the_dot_and_is_no_answer_leaves_the_mail_in_doubt(out: Connections, said: str) -> None:
    relay = Relay(say=lambda asked, argument: said if asked == "TEXT" else "")
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port)) == ["ambiguous"]
        assert wire.connections == 1
    assert len(relay.taken) == 1


def test_a_relay_that_closes_between_mails_is_called_again_for_the_rest(out: Connections) -> None:
    relay = Relay(say=only("ann1@", "421 4.3.2 Closing"))
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, 2)) == ["250 message", "421 message"]
        assert kinds(post(out, wire.port, 1)) == ["250 message"]


def test_starttls_is_required_unless_the_route_says_otherwise(out: Connections, settings: Any) -> None:
    relay = Relay()
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, tls="starttls")) == ["misconfigured"]
    assert relay.taken == []


def test_mail_travels_by_starttls_with_a_checked_certificate(out: Connections, settings: Any) -> None:
    made = server_tls()
    relay = Relay((*OFFERS, "STARTTLS"), tls=made.context)
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, tls="starttls")) == ["transient"], "nobody vouches for it"
        settings.OMNI = settings.OMNI.model_copy(update={"vendor_authorities": made.authority})
        out.close()
        with Connections() as again:
            assert kinds(post(again, wire.port, 5, tls="starttls", username="us", password="p:ss")) == ["250 message"] * 5
    assert relay.users == [("us", "p:ss")]


def test_words_slipped_in_before_tls_end_the_session(out: Connections, settings: Any) -> None:
    made = server_tls()
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_authorities": made.authority})
    relay = Relay((*OFFERS, "STARTTLS"), tls=made.context, after_starttls=b"250 AUTH PLAIN\r\n")
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, tls="starttls")) == ["transient"]
    assert relay.taken == []


def test_smtps_is_tls_from_the_first_byte(out: Connections, settings: Any) -> None:
    made = server_tls()
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_authorities": made.authority})
    relay = Relay()
    with relaying(relay, tls=made.context) as wire:
        assert kinds(post(out, wire.port, 3, scheme="smtps", tls="implicit")) == ["250 message"] * 3


@pytest.mark.parametrize("offer", ["AUTH PLAIN", "AUTH LOGIN", "AUTH LOGIN PLAIN"])
def test_the_relay_is_told_who_we_are_the_way_it_offers(out: Connections, offer: str) -> None:
    relay = Relay(("PIPELINING", "8BITMIME", offer))
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, username="ann", password="sécret")) == ["250 message"]
    assert relay.users == [("ann", "sécret")]


def test_refused_credentials_are_told_as_such_and_nothing_is_handed_over(out: Connections) -> None:
    relay = Relay(say=lambda asked, argument: "535 5.7.8 No" if asked == "AUTH" else "")
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, 3, username="ann", password="x")) == ["535 auth"] * 3
    assert relay.taken == []


def test_nobody_there_is_surely_not_accepted(out: Connections) -> None:
    assert kinds(post(out, deaf_port(), 2)) == ["transient"] * 2


def test_eight_bits_need_a_relay_that_takes_them(out: Connections) -> None:
    text = "Subject: x\r\n\r\nGrüße\r\n".encode()
    relay, seven = Relay(), Relay(("PIPELINING",))
    with relaying(relay) as wire, relaying(seven) as other:
        assert kinds(post(out, wire.port, body=text)) == ["250 message"]
        assert kinds(
            out.post(
                2,
                "relay",
                [VendorRequest("SMTP", f"smtp://localhost:{other.port}", {"from": "a@b.de", "to": "c@d.de", "tls": "none"}, text)],
                limits=Limits(),
                now=NOW,
            )
        ) == ["misconfigured"]
    assert any(line.endswith("BODY=8BITMIME") for line in relay.heard)


def test_an_international_local_part_needs_a_relay_that_takes_it(out: Connections) -> None:
    relay, plain = Relay(), Relay(("PIPELINING",))
    with relaying(relay) as wire, relaying(plain) as other:
        assert kinds(post(out, wire.port, to="jürgen{}@example.com")) == ["250 message"]
        answer = post(out, other.port, to="jürgen{}@example.com", username="")[0]
    assert isinstance(answer, VendorResponse) and (answer.status, answer.headers) == (550, {"stage": "rcpt", "enhanced": "5.1.6"})
    assert "SMTPUTF8" in " ".join(relay.heard) and plain.taken == []


def test_a_mail_larger_than_the_relay_takes_is_not_tried(out: Connections) -> None:
    relay = Relay(("PIPELINING", "SIZE 10"))
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port)) == ["552 message"]
    assert relay.taken == [] and not any(line.startswith("MAIL") for line in relay.heard)


@pytest.mark.parametrize("to", ["ann@example.com>\r\nRCPT TO:<eve@example.com", "ann @example.com", "<ann@example.com>", ""])
def test_an_envelope_that_would_say_more_than_it_should_is_not_written(out: Connections, to: str) -> None:
    relay = Relay()
    with relaying(relay) as wire:
        assert kinds(post(out, wire.port, to=to)) == ["misconfigured"]
    assert relay.taken == []
