"""Transactional and event messages: numbered in the transaction that decided them, cancellable until their last look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from delivery import door as delivery
from delivery.models import Decision, Dispatch
from governance.door import Conflict, Invalid, Missing, Refused
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def test_a_decided_message_is_accepted_then_sent(street: Street) -> None:
    street.route("sendgrid")
    ada = street.people(1)[0]
    dispatch = street.message_type()
    (n,) = street.decide(dispatch, [ada])
    token = delivery.message_id(dispatch, n)
    assert delivery.timeline(street.workspace_id, token).state == "accepted"

    street.work()

    assert delivery.timeline(street.workspace_id, token).state == "sent"
    assert street.vendor.accepted[0].message_id == token


def test_transactional_goes_before_promotional(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(200)
    street.launch(ids)
    receipts = street.message_type()
    street.clock.pass_(minutes=5)
    street.decide(receipts, ids[:1])

    work = street.lease()

    assert work is not None and work.dispatch.id == receipts


def test_a_transactional_message_needs_no_consent_but_heeds_dead_addresses(street: Street) -> None:
    street.route("sendgrid")
    unwilling, dead = street.people(1, consents=()), street.people(1, email="dead@example.com", consents=())
    delivery.suppress(street.workspace_id, "email", "dead@example.com", reason="bounced", source="tests", now=street.clock())
    dispatch = street.message_type()
    street.decide(dispatch, [*unwilling, *dead])

    street.work()

    assert street.counts(dispatch) == {"sent": 1, "suppressed": 1}


def test_a_decision_can_be_taken_back_until_its_last_look(street: Street) -> None:
    street.route("sendgrid")
    first, second = street.people(2)
    dispatch = street.message_type()
    ns = street.decide(dispatch, [first, second])
    tokens = delivery.message_ids(dispatch, ns)

    assert delivery.cancel(street.workspace_id, tokens[0], now=street.clock())
    street.work()
    assert not delivery.cancel(street.workspace_id, tokens[1], now=street.clock())
    assert not delivery.cancel(street.workspace_id, tokens[0], now=street.clock())

    assert street.counts(dispatch) == {"sent": 1, "cancelled": 1}
    with pytest.raises(Missing):
        delivery.cancel(street.workspace_id, "no-such-message", now=street.clock())


def test_a_decision_cancelled_while_it_is_rendered_is_not_sent(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.message_type()
    ns = street.decide(dispatch, street.people(2))
    work = street.lease()
    assert work is not None
    rendered = street.render(work)

    assert delivery.cancel(street.workspace_id, delivery.message_id(dispatch, ns[0]), now=street.clock())
    delivery.send(work, rendered, vendors=street.vendors, clock=street.clock)

    assert street.counts(dispatch) == {"sent": 1, "cancelled": 1}


def test_messages_wait_for_their_moment_and_expire_after_it(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.message_type()
    street.decide(dispatch, street.people(1), due_at=street.clock() + timedelta(minutes=10))
    street.decide(dispatch, street.people(1), expires_at=street.clock() + timedelta(minutes=5))
    street.clock.pass_(minutes=6)
    street.work()
    assert street.counts(dispatch) == {"expired": 1, "waiting": 1}

    street.clock.pass_(minutes=4)
    street.work()
    assert street.counts(dispatch) == {"expired": 1, "sent": 1}


def test_what_was_rolled_back_was_never_decided(street: Street) -> None:
    street.route("sendgrid")
    dispatch, ids = street.message_type(), street.people(2)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        street.decide(dispatch, ids)
        raise ZeroDivisionError
    assert street.lease() is None
    assert len(set(street.decide(dispatch, ids) + street.decide(dispatch, ids))) == 4


def test_one_message_type_has_one_dispatch_a_day(street: Street) -> None:
    street.route("sendgrid")
    assert street.message_type() == street.message_type()
    assert street.message_type() != street.message_type(day=street.clock().date() + timedelta(days=1))
    assert Dispatch.objects.count() == 2


def test_a_losing_message_is_recorded_with_its_reason_and_never_sent(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.message_type(key="welcome")
    ada = street.people(1)[0]
    delivery.decide(dispatch, [delivery.NewDecision(ada, {}, skip="outranked")], now=street.clock())

    street.work()

    assert street.why(dispatch, ada) == ("skipped", "outranked") and not street.vendor.accepted


def test_a_key_is_used_once_and_a_different_request_under_it_is_refused(street: Street) -> None:
    street.route("sendgrid")
    of = delivery.Standing(
        workspace_id=street.workspace_id,
        kind="transactional",
        key="receipt",
        day=street.clock().date(),
        template_revision_id=1,
        channel="email",
        message_class="transactional",
    )
    new, once = delivery.NewDecision(street.people(1)[0], {}), delivery.Once("order-7", "a" * 64)
    assert delivery.decided(street.workspace_id, once) is None
    message = delivery.decide_one(of, new, once=once, now=street.clock())

    with pytest.raises(delivery.AlreadyDecided), transaction.atomic():
        delivery.decide_one(of, new, once=once, now=street.clock())

    assert delivery.decided(street.workspace_id, once) == message and Decision.objects.count() == 1
    with pytest.raises(Conflict):
        delivery.decided(street.workspace_id, delivery.Once("order-7", "b" * 64))
    with pytest.raises(Invalid):
        delivery.Once("", "a" * 64)


def test_a_stopped_message_type_decides_nothing_more(street: Street) -> None:
    street.route("sendgrid")
    dispatch, ids = street.message_type(), street.people(2)
    street.decide(dispatch, ids[:1])
    delivery.stop(street.person("ada"), dispatch, now=street.clock())
    with pytest.raises(Refused):
        street.decide(dispatch, ids[1:])
    assert street.lease() is None


def test_payloads_are_cleared_when_nothing_can_need_them(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.message_type()
    delivery.decide(dispatch, [delivery.NewDecision(street.people(1)[0], {"code": "1234"})], now=street.clock())
    street.work()
    assert Decision.objects.get().payload == {"code": "1234"}

    from delivery.housekeeping import sweep

    sweep(now=street.clock.pass_(days=31))
    assert Decision.objects.get().payload == {}
    assert street.facts(dispatch).state == "done"
