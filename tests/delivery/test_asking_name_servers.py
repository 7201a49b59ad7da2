"""Questions to a real name server on loopback: what it says, what it leaves unsaid, and how long anybody waits for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.domains.answers import LONGEST_ANSWER, Answer, Recorded, Recorder, merged
from delivery.domains.identity import sent_by
from delivery.domains.resolver import Resolver
from delivery.domains.verdicts import check
from tests.delivery.dns.zone import Zone, name_server
from tests.delivery.test_domain_verdicts import SENDER, SENDGRID, SOUND, URL

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ZONE: Zone = {
    "TXT plain.example": ["v=spf1 -all"],
    "TXT long.example": ["v=DKIM1; p=" + "A" * 900],
    "TXT huge.example": [f"text {n} " + "x" * 200 for n in range(250)] + ["v=spf1 mx -all"],
    "TXT strange.example": ["a\x00b\u202e\u2028c", "\ufffe"],
    "MX mail.example": ["20 b.example", "10 a.example"],
    "MX none.example": ["0 ."],
    "CNAME one.example": ["two.example"],
    "CNAME two.example": ["plain.example"],
    "CNAME! lazy.example": ["plain.example"],
    "CNAME! round.example": ["about.example"],
    "CNAME! about.example": ["round.example"],
    **{f"CNAME! far{n}.example": [f"far{n + 1}.example"] for n in range(20)},
    "TXT broken.example": ["!servfail"],
    "TXT silent.example": ["!timeout"],
    "TXT garbage.example": ["!garbage"],
    "A empty.example": ["192.0.2.1"],
}


@pytest.mark.parametrize(
    ("question", "status", "records", "why"),
    [
        ("TXT plain.example", "found", ["v=spf1 -all"], ""),
        ("TXT long.example", "found", ["v=DKIM1; p=" + "A" * 900], ""),
        ("MX mail.example", "found", ["10 a.example", "20 b.example"], ""),
        ("MX none.example", "found", ["0 ."], ""),
        ("TXT one.example", "found", ["v=spf1 -all"], ""),
        ("TXT lazy.example", "found", ["v=spf1 -all"], ""),
        ("TXT empty.example", "nothing", [], ""),
        ("TXT missing.example", "no_such_name", [], ""),
        ("TXT round.example", "unanswered", [], "its aliases lead in a circle"),
        ("TXT far0.example", "unanswered", [], "its aliases lead on and on"),
        ("TXT broken.example", "unanswered", [], "the name servers answered with an error"),
        ("TXT silent.example", "unanswered", [], "no name server answered in time"),
        ("TXT garbage.example", "unanswered", [], None),
        ("TXT " + "x" * 70 + ".example", "unanswered", [], "the name servers' answer can't be read"),
        ("TXT a..example", "unanswered", [], "the name servers' answer can't be read"),
    ],
)
def test_a_name_server_is_understood(question: str, status: str, records: list[str], why: str | None) -> None:
    kind, _, name = question.partition(" ")
    with name_server(ZONE) as (address, _):
        said = Resolver(address, each=0.3)(name, kind)  # type: ignore[arg-type]
    assert (said.status, list(said.records)) == (status, records)
    assert why is None or said.why == why


def test_aliases_are_told_of() -> None:
    with name_server(ZONE) as (address, _):
        assert Resolver(address)("one.example", "TXT").canonical == "plain.example"


def test_an_answer_too_large_for_one_packet_comes_by_tcp_and_is_cut() -> None:
    with name_server(ZONE) as (address, server):
        said = Resolver(address)("huge.example", "TXT")
    assert server.asked == ["TXT huge.example"] * 2
    assert said.records[0] == "v=spf1 mx -all" and len(said.records) == 64
    assert sum(map(len, said.records)) <= LONGEST_ANSWER


def test_texts_of_strangers_are_made_harmless() -> None:
    with name_server(ZONE) as (address, _):
        said = Resolver(address)("strange.example", "TXT")
    assert not any(char in text for text in said.records for char in "\x00\u202e\u2028")


def test_after_two_silences_nobody_is_asked_any_more() -> None:
    zone = {f"TXT s{n}.example": ["!timeout"] for n in range(9)}
    with name_server(zone) as (address, server):
        ask = Resolver(address, each=0.2)
        said = [ask(f"s{n}.example", "TXT").known for n in range(9)]
    assert said == [False] * 9 and len(set(server.asked)) == 2


def test_where_looking_up_is_off_nobody_is_asked() -> None:
    assert Resolver("off")("plain.example", "TXT") == Answer("unanswered", why="looking up is switched off (OMNI_DNS)")


def test_a_whole_domain_is_judged_by_a_real_server_and_again_by_what_was_kept() -> None:
    mail = sent_by(SENDER, SENDGRID)
    with name_server(SOUND) as (address, server):
        recorder = Recorder(Resolver(address), now=NOW)
        live = check(mail, recorder, public_url=URL)
    kept: dict[str, Any] = merged({}, recorder.answers, now=NOW)
    assert {verdict.level for verdict in live} == {"good"}
    assert len(server.asked) == len(set(server.asked)), "no question is asked twice"
    assert check(mail, Recorded(kept, now=NOW), public_url=URL) == live


def test_an_earlier_answer_outlives_a_silence_for_a_while_only() -> None:
    kept = merged({}, {"TXT a": Answer("found", ("v=spf1 -all",), at=NOW.isoformat())}, now=NOW)
    for days, status in [(1, "found"), (4, "unanswered")]:
        later = NOW + timedelta(days=days)
        silent = {"TXT a": Answer("unanswered", why="silence", at=later.isoformat())}
        assert Recorded(merged(kept, silent, now=later), now=later)("a", "TXT").status == status
    assert Recorded(kept, now=NOW + timedelta(days=4))("a", "TXT").why == "it was last looked up too long ago"
