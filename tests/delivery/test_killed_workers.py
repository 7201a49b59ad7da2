"""Workers die at every instant: nothing is lost, and nothing goes twice that a vendor's answer could not settle."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from delivery import door as delivery
from delivery.adapters.base import VendorResponse
from delivery.adapters.twilio import Twilio
from delivery.connections import Posting
from delivery.models import Attempt, Batch
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def test_a_worker_that_dies_before_the_last_look_costs_nothing(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(100))
    assert street.lease("dies") is not None

    assert street.lease() is None, "the lease still runs"
    street.clock.pass_(seconds=61)
    street.work()

    assert street.counts(dispatch) == {"sent": 100}
    assert set(street.vendor.times().values()) == {1}


def test_what_a_surely_dead_worker_held_is_taken_up_at_once(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(200), batch_size=100)
    assert street.lease("lives") is not None and street.lease("dies") is not None

    assert delivery.let_go("dies", now=street.clock()) == 1
    street.work()

    assert street.counts(dispatch) == {"sent": 100, "waiting": 100}, "the other one's lease still runs"


def test_freeing_the_work_of_one_who_lives_costs_a_lease_and_doubles_nothing(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(100))
    slow = street.lease("slow")
    assert slow is not None
    assert delivery.let_go("slow", now=street.clock()) == 1
    street.work()
    assert street.send(slow).halted == "the lease was lost"
    assert street.counts(dispatch) == {"sent": 100} and set(street.vendor.times().values()) == {1}


def test_a_worker_that_dies_after_the_last_look_leaves_its_request_in_doubt(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(200))
    work = street.lease()
    assert work is not None
    street.crash_after_admit(work)

    street.clock.pass_(seconds=61)
    street.work()

    assert street.counts(dispatch) == {"sent": 100, "in_doubt": 100}
    assert set(street.vendor.times().values()) == {1} and len(street.vendor.accepted) == 100


def test_a_worker_that_dies_after_the_vendor_accepted_is_proven_by_an_event(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(200))
    work = street.lease()
    assert work is not None
    street.crash_after_post(work)
    street.clock.pass_(seconds=61)
    street.work()
    assert street.counts(dispatch) == {"sent": 100, "in_doubt": 100}

    street.hear("processed")
    street.clock.pass_(hours=1)
    street.reconcile()
    street.work()

    assert street.counts(dispatch) == {"sent": 200}
    assert set(street.vendor.times().values()) == {1}


@pytest.mark.parametrize(("windows", "doubtful"), [(1, 100), (2, 200), (3, 200)])
def test_a_kill_leaves_at_most_what_the_vendor_takes_at_once_in_doubt(street: Street, windows: int, doubtful: int) -> None:
    street.route("twilio")
    dispatch = street.launch(street.numbers(350), channel="sms", batch_size=350)
    work = street.lease()
    assert work is not None
    street.crash_after_post(work, windows=windows)

    street.clock.pass_(seconds=61)
    street.work()

    assert doubtful <= Twilio.limits.concurrency
    assert street.counts(dispatch) == {"sent": 350 - doubtful, "in_doubt": doubtful}
    assert set(street.vendor.times().values()) == {1}


def test_a_worker_that_was_paused_past_its_lease_stops_itself(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(100))
    work = street.lease("paused")
    assert work is not None
    street.clock.pass_(seconds=45)  # fewer than two time-outs are left

    outcome = street.send(work)

    assert outcome.halted == "the lease is nearly over" and street.vendor.requests == 0
    street.work()
    assert street.counts(dispatch) == {"sent": 100}


def test_a_worker_whose_work_was_taken_over_writes_nothing(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(100))
    slow = street.lease("slow")
    assert slow is not None
    rendered = street.render(slow)
    street.clock.pass_(seconds=61)
    quick = street.lease("quick")
    assert quick is not None
    late = type(slow)(**{name: getattr(slow, name) for name in slow.__slots__} | {"leased_until": street.clock() + timedelta(hours=1)})

    outcome = delivery.send(late, rendered, vendors=street.vendors, clock=street.clock)

    assert outcome.halted == "the lease was lost" and street.vendor.requests == 0
    street.send(quick)
    assert street.counts(dispatch) == {"sent": 100}


def test_an_answer_that_comes_after_the_lease_was_lost_is_still_the_truth(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(100))
    work = street.lease("slow")
    assert work is not None
    real = street.vendor.fault

    def while_the_vendor_thinks(number: int) -> str:
        street.clock.pass_(seconds=200)
        street.reconcile()
        assert street.work() == []
        assert street.counts(dispatch) == {"in_doubt": 100}
        return real(number)

    street.vendor.fault = while_the_vendor_thinks
    street.send(work)

    assert street.counts(dispatch) == {"sent": 100}


def test_an_answer_that_comes_after_its_request_was_replaced_changes_nothing(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(5))
    work = street.lease("slow")
    assert work is not None

    def while_the_vendor_thinks(number: int) -> str:
        street.vendor.fault = lambda number: "429"
        street.clock.pass_(seconds=200)
        street.reconcile()
        (doubt,) = delivery.in_doubt(street.workspace_id)
        delivery.resolve_in_doubt(street.person("ben"), doubt.pk, "resend", now=street.clock())
        street.work()
        return "ok"

    street.vendor.fault = while_the_vendor_thinks
    street.send(work)

    assert street.counts(dispatch) == {"sending": 5}, "the second request was refused and will be made again"
    assert list(Attempt.objects.order_by("pk").values_list("resolved_by", flat=True)) == ["person", "vendor"]


def test_what_kills_workers_is_cut_until_the_culprit_is_alone(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(20)
    poison = ids[13]
    dispatch = street.launch(ids)

    for _ in range(200):
        work = street.lease()
        if work is None:
            if street.facts(dispatch).state == "done":
                break
            street.clock.pass_(seconds=61)
        elif poison in work.ids:
            continue  # rendering it kills the process
        else:
            street.send(work)

    assert street.counts(dispatch) == {"sent": 19, "poison": 1}
    assert street.why(dispatch, poison) == ("failed", "poison")
    assert set(street.vendor.times().values()) == {1}


def test_a_decided_message_that_kills_workers_takes_no_other_down(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(5)
    dispatch = street.message_type()
    street.decide(dispatch, ids)

    for _ in range(60):
        work = street.lease()
        if work is None:
            street.clock.pass_(seconds=61)
        elif ids[2] not in work.ids:
            street.send(work)

    assert street.counts(dispatch) == {"sent": 4, "poison": 1}


def test_giving_work_back_is_no_crash(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "429" if number < 10 else "ok"
    dispatch = street.launch(street.people(10))
    for _ in range(12):
        street.work()
        street.clock.pass_(seconds=3)
    assert street.counts(dispatch) == {"sent": 10}
    assert Batch.objects.count() == 1 and Attempt.objects.count() == 11


def test_a_refusal_that_comes_after_another_worker_has_closed_the_work_is_no_loss(street: Street) -> None:
    """While the vendor is slow, the lease runs out, and another worker finds nothing to do: the message is of no use any more."""
    street.route("twilio")
    dispatch = street.message_type(channel="sms", key="code")
    street.decide(dispatch, street.numbers(1), expires_at=street.clock() + timedelta(hours=1))
    work = street.lease("slow")
    assert work is not None

    class Slow(delivery.Connections):
        def begin(self, *_: Any, **__: Any) -> Any:
            street.clock.pass_(hours=2)
            street.work()
            return Posting([VendorResponse(429, {}, b"")])

    delivery.send(work, street.render(work), vendors=Slow(), clock=street.clock)
    street.clock.pass_(minutes=5)
    street.work()
    assert street.counts(dispatch) == {"expired": 1}


def test_a_refusal_that_comes_after_a_stop_leaves_nothing_on_its_way(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(4))
    work = street.lease()
    assert work is not None

    class Stopped(delivery.Connections):
        def begin(self, *_: Any, **__: Any) -> Any:
            delivery.stop(street.person("ben"), dispatch, now=street.clock())
            return Posting([VendorResponse(429, {}, b"")])

    delivery.send(work, street.render(work), vendors=Stopped(), clock=street.clock)
    assert street.counts(dispatch) == {"cancelled": 4}
