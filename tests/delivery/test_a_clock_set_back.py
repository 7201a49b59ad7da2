"""The senders' clock is set back an hour, or leaps a day, in the middle of a send: everything arrives once, only later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def jump(street: Street, hours: int, *, rounds_of: timedelta = timedelta(hours=1)) -> None:
    """The clock jumps, and life goes on for forty rounds."""
    street.clock.pass_(hours=hours)
    for _ in range(40):
        street.work()
        street.reconcile()
        street.clock.pass_(seconds=rounds_of.total_seconds())


@pytest.mark.parametrize("hours", [-1, -25, 25])
def test_a_clock_that_jumps_in_the_middle_of_a_send_loses_and_doubles_nothing(street: Street, hours: int) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "429" if number == 3 else "ok"
    dispatch = street.launch(street.people(500), batch_size=100)
    street.work(pieces=2)
    jump(street, hours)
    assert street.counts(dispatch) == {"sent": 500} and set(street.vendor.times().values()) == {1}


@pytest.mark.parametrize("hours", [-1, -25, 25])
def test_a_request_in_doubt_is_not_sent_again_because_a_clock_jumped(street: Street, hours: int) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop" if number == 1 else "ok"
    dispatch = street.launch(street.people(300), batch_size=100)
    street.work(pieces=2)
    jump(street, hours)
    assert street.counts(dispatch) == {"sent": 200, "in_doubt": 100} and set(street.vendor.times().values()) == {1}
    street.hear("delivered")
    assert street.counts(dispatch) == {"delivered": 300}


@pytest.mark.parametrize("hours", [-1, 25])
def test_a_transactional_message_is_asked_about_and_not_doubled_when_the_clock_jumped(street: Street, hours: int) -> None:
    street.route("twilio")
    codes = street.message_type(channel="sms")
    street.vendor.fault = lambda number: "accept_drop" if number == 0 else "ok"
    street.decide(codes, street.numbers(3))
    street.work()
    jump(street, hours, rounds_of=timedelta(minutes=10))
    assert street.counts(codes) == {"sent": 3} and set(street.vendor.times().values()) == {1}
