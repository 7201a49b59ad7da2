"""Every adapter posts through the real connections to a vendor on a real socket, and each answer has the class it must have.

The vendor is our own (tests/adapters/vendors), or, with OMNI_TEST_LAB=http://host:port, a simulator that shares no code with us.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from delivery.adapters.base import OutgoingMessage
from delivery.adapters.registry import ADAPTERS
from tests.adapters import letters
from tests.adapters.vendors import everybody
from tests.adapters.vendors.judge import Judge, Lab, Own
from tests.adapters.vendors.sender import Sender

LAB = os.environ.get("OMNI_TEST_LAB", "")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE = 1.0  # seconds for one request
ANSWERS_WITHOUT_A_BODY = {"sendgrid", "apns", "webpush", "webhook"}  # whose success can't be malformed
CASES = [
    (key, channel)
    for key, found in ADAPTERS.items()
    for channel in sorted(found.channels)
    if key in letters.ACCOUNTS and key not in {"outbox", "smtp"} and (not LAB or found.tried == "lab")
]
each_vendor = pytest.mark.parametrize(("key", "channel"), CASES, ids=[f"{key}-{channel}" for key, channel in CASES])


@pytest.fixture
def judge() -> Iterator[Judge]:
    made: Judge = Lab(LAB) if LAB else Own(everybody.contracts())
    yield made
    made.close()


@pytest.fixture
def sender(key: str, channel: str, judge: Judge, settings: Any) -> Iterator[Sender]:
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_timeout": PATIENCE})
    made = Sender(key, channel, judge.url)
    yield made
    made.vendors.close()


def message(channel: str, address: str = "") -> OutgoingMessage:
    one = letters.messages(1, channel)[0]
    return replace(one, address=address) if address else one


def to_send(key: str, channel: str, judge: Judge, dead: str | None = None) -> OutgoingMessage:
    return message(channel, dead or letters.address_at(key, judge.url))


@each_vendor
def test_a_message_is_accepted_once_and_bears_our_id(sender: Sender, judge: Judge, key: str, channel: str) -> None:
    ours = to_send(key, channel, judge)
    fate = sender.send(ours)
    assert fate.kind == "accepted" and (fate.vendor_id or key == "webhook"), fate
    taken = judge.accepted(key)
    assert len(taken) == 1
    assert taken[0][1] == letters.id_at_the_vendor(key, ours) or (judge.is_lab and key == "webpush" and not taken[0][1])


@each_vendor
def test_too_many_is_throttled_for_as_long_as_the_vendor_says(sender: Sender, judge: Judge, key: str, channel: str) -> None:
    judge.misbehave(key, "http_429")
    fate = sender.send(to_send(key, channel, judge))
    assert (fate.kind, judge.accepted(key)) == ("throttled", [])
    assert fate.retry_after == 2.0 or key == "wechat"  # whose daily limit ends with the day


@each_vendor
def test_refused_credentials_need_a_person(sender: Sender, judge: Judge, key: str, channel: str) -> None:
    judge.misbehave(key, "http_401")
    assert (sender.send(to_send(key, channel, judge)).kind, judge.accepted(key)) == ("misconfigured", [])


@each_vendor
def test_an_address_that_never_works_is_named_as_such(sender: Sender, judge: Judge, key: str, channel: str) -> None:
    dead = letters.dead_address(key, judge.url)
    if dead is None:
        assert key == "webhook"
        return
    ours = to_send(key, channel, judge, dead)
    fate = sender.send(ours)
    assert (fate.kind, fate.culprit, judge.accepted(key)) == ("permanent_address", ours.message_id, [])


@each_vendor
@pytest.mark.parametrize("fault", ["reset", "hang", "accept_drop", "accept_500", "http_500", "http_503", "garbage"])
def test_silence_and_damage_are_in_doubt(sender: Sender, judge: Judge, key: str, channel: str, fault: str) -> None:
    judge.misbehave(key, fault)
    wanted = letters.DEFINITE.get((key, fault), "ambiguous")
    assert sender.send(to_send(key, channel, judge)).kind == wanted
    assert len(judge.accepted(key)) == (fault in ("accept_drop", "accept_500", "garbage"))


@each_vendor
def test_a_success_that_cannot_be_read_is_in_doubt(sender: Sender, judge: Judge, key: str, channel: str) -> None:
    judge.misbehave(key, "malformed")
    fate = sender.send(to_send(key, channel, judge))
    assert fate.kind in (("accepted", "ambiguous") if key in ANSWERS_WITHOUT_A_BODY else ("ambiguous",))


@each_vendor
def test_a_vendor_that_nobody_reaches_has_surely_taken_nothing(sender: Sender, judge: Judge, key: str, channel: str) -> None:
    nowhere = "http://127.0.0.1:9"
    sender.account = letters.account_at(key, nowhere)
    ours = message(channel, letters.address_at(key, nowhere))
    assert sender.send(ours).kind == "transient"


@pytest.mark.parametrize(("key", "channel"), [case for case in CASES if case[0] in letters.TOKENED and not (LAB and case[0] == "fcm")])
def test_a_token_that_went_stale_is_fetched_anew(sender: Sender, judge: Judge, key: str, channel: str) -> None:
    first, second = letters.messages(2, channel)
    assert sender.send(first).kind == "accepted"
    judge.spoil_tokens(key)
    account, fate = sender.send_once(second)
    assert fate.stale_token and fate.kind == "misconfigured"
    sender.tokens.forget(1, sender.adapter, account)
    assert sender.send(second).kind == "accepted" and len(judge.accepted(key)) == 2
