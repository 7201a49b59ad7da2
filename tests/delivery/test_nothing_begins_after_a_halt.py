"""What waits for a connection, a session or a stream when something is halted doesn't begin any more, and is not lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import h2.settings
import pytest
from django.db import OperationalError, connection

from delivery import door as delivery
from delivery import permits
from delivery.adapters.base import Fate, Limits, VendorRequest, VendorResponse
from delivery.connections import Connections, Posting
from delivery.models import Attempt
from delivery.permits import Permit
from delivery.states import AttemptState
from governance import door as governance
from tests.delivery.conftest import Street
from tests.delivery.relay import OFFERS, Relay, relaying
from tests.delivery.test_http2_to_vendors import Far
from tests.delivery.wire import Line, serving

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def valid() -> Permit:
    permit = Permit()
    permit.renew(time.monotonic())
    return permit


@pytest.fixture
def out(settings: Any) -> Iterator[Connections]:
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_timeout": 3.0})
    with Connections() as made:
        yield made


def begin(out: Connections, permit: Permit, requests: list[VendorRequest], concurrency: int = 1) -> Posting:
    return out.begin(1, "account", requests, limits=Limits(concurrency=concurrency), now=NOW, permit=permit)


def posts(url: str, many: int, **more: Any) -> list[VendorRequest]:
    return [VendorRequest("POST", f"{url}/send", {"x-number": str(n)}, b"%d" % n, **more) for n in range(many)]


def mails(port: int, many: int) -> list[VendorRequest]:
    terms = {"from": "hello@example.com", "tls": "none", "connections": "1"}
    return [
        VendorRequest("SMTP", f"smtp://localhost:{port}", {**terms, "to": f"ann{n}@example.com"}, b"Subject: Hi\r\n\r\nHi\r\n")
        for n in range(many)
    ]


def said(answers: list[VendorResponse | Fate]) -> list[str]:
    return [answer.kind if isinstance(answer, Fate) else str(answer.status) for answer in answers]


def gently(answers: list[VendorResponse | Fate]) -> bool:
    """Whether what didn't begin falls due at once and speaks against nobody."""
    return all(answer.retry_after == 0 and "not begun" in answer.detail for answer in answers if isinstance(answer, Fate))


def test_a_permit_lapses_by_itself_and_is_renewed_from_when_it_was_asked_for() -> None:
    permit = Permit()
    assert not permit.holds()
    permit.renew(time.monotonic() - permits.HOLDS / 2)
    assert permit.holds() and not permit.is_young()
    permit.renew(time.monotonic() - permits.HOLDS)
    assert not permit.holds()
    permit.renew(time.monotonic())
    assert permit.holds() and permit.is_young()
    permit.take_back()
    assert not permit.holds() and not permit.is_young()


def test_without_a_permit_nothing_is_dialled(out: Connections) -> None:
    with serving(lambda line: line.until_closed()) as vendor:
        answers = begin(out, Permit(), posts(vendor.url, 3)).answers()
        assert said(answers) == ["transient"] * 3 and gently(answers) and vendor.connections == 0


def test_requests_that_wait_for_a_connection_dont_begin(out: Connections) -> None:
    permit = valid()

    def behave(line: Line) -> None:
        while line.request():
            permit.take_back()
            line.ok()

    with serving(behave) as vendor:
        answers = begin(out, permit, posts(vendor.url, 5)).answers()
        assert said(answers) == ["200", *["transient"] * 4] and gently(answers) and len(vendor.requests) == 1
        assert said(begin(out, valid(), posts(vendor.url, 1)).answers()) == ["200"]
        assert vendor.connections == 1, "the connection was given back whole"


def test_requests_that_wait_for_a_stream_dont_begin(out: Connections) -> None:
    permit = valid()

    def answer(far: Far, stream: int, body: bytes) -> None:
        permit.take_back()
        far.ok(stream)

    one_at_a_time = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    with serving(lambda line: Far(line, answer, one_at_a_time).serve()) as vendor:
        answers = begin(out, permit, posts(vendor.url, 5, http2=True), concurrency=8).answers()
        assert sorted(said(answers)) == ["200", *["transient"] * 4] and gently(answers) and len(vendor.requests) == 1
        assert said(begin(out, valid(), posts(vendor.url, 1, http2=True), concurrency=8).answers()) == ["200"]
        assert vendor.connections == 1, "every turn was passed on"


@pytest.mark.parametrize("offers", [OFFERS, OFFERS[1:]])
def test_mails_that_wait_for_a_session_dont_begin_and_an_envelope_gets_no_text(out: Connections, offers: tuple[str, ...]) -> None:
    permit = valid()

    def halted_at(verb: str) -> Callable[[str, str], str]:
        def say(asked: str, argument: str) -> str:
            if asked == verb:
                permit.take_back()
            return ""

        return say

    for verb, taken in (("TEXT", 1), ("DATA", 0), ("MAIL", 0)):
        permit.renew(time.monotonic())
        relay = Relay(offers, say=halted_at(verb))
        with relaying(relay) as wire:
            answers = begin(out, permit, mails(wire.port, 5)).answers()
            assert said(answers) == [*["250"] * taken, *["transient"] * (5 - taken)] and gently(answers), verb
            assert len(relay.taken) == taken
            relay.say = lambda verb, argument: ""
            assert said(begin(out, valid(), mails(wire.port, 2)).answers()) == ["250", "250"]


# ── on the whole street ───────────────────────────────────────────────────────────────────────────────────────────


def slowly(verb: str, argument: str) -> str:
    if verb == "TEXT":
        time.sleep(0.05)
    return ""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("halt", ["kill", "pause"])
def test_once_a_halt_was_answered_a_slow_relay_gets_no_further_mail(street: Street, relayed: Any, halt: str) -> None:
    """One session, 60 mails that were all admitted: the halt comes in their middle, by another process as it were."""
    relay = Relay(say=slowly)
    relayed(relay, connections=1)
    dispatch, counted = street.launch(street.people(60)), list[int]()
    ada, ben = street.person("ada"), street.person("ben")

    def press() -> None:
        try:
            while len(relay.taken) < 5:
                time.sleep(0.005)
            if halt == "kill":
                delivery.kill(ada, "vendor", "smtp", True, reason="drill", now=street.clock())
                delivery.standstill(street.workspace_id, scope="vendor", key="smtp")
            else:
                delivery.pause(ada, dispatch, now=street.clock())
                delivery.standstill(street.workspace_id, dispatch_id=dispatch)
            counted.append(len(relay.taken))
        finally:
            connection.close()

    thread = threading.Thread(target=press)
    thread.start()
    street.work()
    thread.join()
    time.sleep(0.2)
    assert counted == [len(relay.taken)] and 5 <= counted[0] < 60
    assert street.counts(dispatch)["sent"] == counted[0], "the ledger knows which"

    if halt == "kill":
        delivery.kill(ben, "vendor", "smtp", False, reason="over", now=street.clock())
    else:
        delivery.resume(ben, dispatch, now=street.clock())
    street.clock.pass_(minutes=1)
    street.work()
    assert street.counts(dispatch) == {"sent": 60}
    assert len({recipient for _, recipient, _ in relay.taken}) == len(relay.taken) == 60


@pytest.mark.django_db
def test_while_nothing_is_halted_a_slow_relay_gets_every_mail_at_its_own_pace(street: Street, relayed: Any) -> None:
    relay = Relay(say=slowly)
    relayed(relay, connections=1)
    dispatch = street.launch(street.people(40))
    began = time.monotonic()
    street.work()
    assert time.monotonic() - began > permits.HOLDS, "longer than one permit"
    assert street.counts(dispatch) == {"sent": 40}
    assert set(Attempt.objects.values_list("state", flat=True)) == {AttemptState.SENT}, "none of them was put off"


@pytest.mark.django_db
def test_a_worker_that_cant_ask_whether_it_may_begins_nothing_after_a_second(
    street: Street, relayed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, epoch = Relay(say=slowly), governance.epoch

    def away(workspace_id: int) -> int:
        if relay.taken:
            raise OperationalError("the database is away")
        return epoch(workspace_id)

    relayed(relay, connections=1)
    dispatch = street.launch(street.people(60))
    work = street.lease()
    assert work is not None
    monkeypatch.setattr(governance, "epoch", away)
    street.send(work)
    assert 10 < len(relay.taken) < 35 and street.counts(dispatch)["sent"] == len(relay.taken)

    monkeypatch.undo()
    street.work()
    assert street.counts(dispatch) == {"sent": 60} and len(relay.taken) == 60


@pytest.mark.django_db
def test_a_standstill_counts_what_is_unanswered_and_waits_no_longer_than_a_permit_holds(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(3))
    assert delivery.standstill(street.workspace_id, dispatch_id=dispatch) == 0

    work = street.lease()
    assert work is not None
    street.crash_after_admit(work)
    began = time.monotonic()
    assert delivery.standstill(street.workspace_id, scope="campaign", key=work.dispatch.key) == 3
    assert delivery.left_before(3) == " 3 messages had left before."
    assert time.monotonic() - began >= permits.HOLDS
    for scope, key, many in (("workspace", "", 3), ("vendor", "sendgrid", 3), ("vendor", "twilio", 0), ("campaign", "another", 0)):
        assert delivery.standstill(street.workspace_id, scope=scope, key=key) == many
