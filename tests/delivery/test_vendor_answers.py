"""What vendors answer decides what may be sent again: surely refused yes, perhaps accepted no."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from delivery import door as delivery
from delivery.adapters.base import Unsupported
from delivery.adapters.twilio import Twilio
from delivery.models import Attempt
from delivery.states import AttemptState
from tests import factories
from tests.delivery.conftest import Street
from tests.delivery.wire import deaf_port

pytestmark = pytest.mark.django_db


def test_a_throttled_request_waits_as_long_as_it_was_told_and_goes_again(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "429" if number == 0 else "ok"
    dispatch = street.launch(street.people(10))

    street.work()
    assert street.counts(dispatch) == {"sending": 10} and street.facts(dispatch).trouble == "HTTP 429"
    street.clock.pass_(seconds=1)
    assert street.lease() is None
    street.clock.pass_(seconds=1)
    street.work()

    assert street.counts(dispatch) == {"sent": 10}
    assert set(street.vendor.times().values()) == {1}


@pytest.mark.parametrize("fault", ["accept_drop", "drop", "accept_500", "500"])
def test_an_unanswered_or_broken_answer_is_in_doubt_and_never_sent_again_by_itself(street: Street, fault: str) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: fault if number == 0 else "ok"
    dispatch = street.launch(street.people(200))

    street.work()
    street.clock.pass_(hours=5)
    street.work()
    street.reconcile()
    street.work()

    assert street.counts(dispatch) == {"sent": 100, "in_doubt": 100}
    assert max(street.vendor.times().values()) == 1
    assert [attempt.count for attempt in delivery.in_doubt(street.workspace_id)] == [100]


def test_a_success_that_cannot_be_read_is_in_doubt(street: Street) -> None:
    street.route("twilio")
    street.vendor.fault = lambda number: "garbage"
    dispatch = street.launch(street.numbers(2), channel="sms")

    street.work()

    assert street.counts(dispatch) == {"in_doubt": 2}


def test_what_failed_before_a_byte_was_written_is_simply_tried_again(street: Street, settings: Any) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(10))
    there = street.vendors
    settings.OMNI = settings.OMNI.model_copy(update={"sendgrid_base_url": f"http://127.0.0.1:{deaf_port()}"})
    street.vendors = delivery.Connections()

    street.work()
    street.vendors.close()
    assert street.counts(dispatch) == {"sending": 10}
    street.vendors = there
    street.clock.pass_(seconds=5)
    street.work()

    assert street.counts(dispatch) == {"sent": 10}


def test_the_recipient_whom_the_vendor_names_fails_and_the_others_get_theirs(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(10)
    street.vendor.fault = lambda number: "400:3" if number == 0 else "ok"
    dispatch = street.launch(ids)

    street.work()

    assert street.counts(dispatch) == {"sent": 9, "bad_address": 1}
    assert street.why(dispatch, ids[3]) == ("failed", "bad_address")
    assert street.vendor.requests == 2


def test_an_unnamed_culprit_is_found_by_halves(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(16)
    bad = factories.profile(now=street.clock(), email="poison@example.com")
    street.vendor.refuse = {"poison@example.com"}
    dispatch = street.launch([*ids, bad])

    street.work()

    assert street.counts(dispatch) == {"sent": 16, "rejected": 1}
    assert street.why(dispatch, bad) == ("failed", "rejected")
    assert set(street.vendor.times().values()) == {1}


def test_wrong_credentials_burn_no_message_and_show_as_trouble(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "401" if number == 0 else "ok"
    dispatch = street.launch(street.people(10))

    street.work()
    assert "401" in street.facts(dispatch).trouble
    street.clock.pass_(seconds=61)
    street.work()

    assert street.counts(dispatch) == {"sent": 10}


def test_one_recipient_per_request_goes_in_windows_of_the_concurrency(street: Street) -> None:
    street.route("twilio")
    ids = street.numbers(40)
    street.vendor.fault = lambda number: "400" if number == 7 else "ok"
    dispatch = street.launch(ids, channel="sms")

    street.work()

    assert street.counts(dispatch) == {"sent": 39, "bad_address": 1}
    assert Attempt.objects.filter(dispatch_id=dispatch).count() == 40


def test_a_window_that_is_in_the_air_when_the_vendor_asks_for_rest_is_written_down_first(street: Street) -> None:
    street.route("twilio")
    street.vendor.fault = lambda number: "429" if number == 5 else "ok"
    dispatch = street.launch(street.numbers(350), channel="sms", batch_size=350)

    outcome = street.work()[0]
    assert outcome.halted and outcome.counts == {"sent": 199, "refused": 1}
    assert Attempt.objects.filter(dispatch_id=dispatch, state=AttemptState.POSTING).count() == 0
    street.clock.pass_(seconds=3)
    street.work()

    assert street.counts(dispatch) == {"sent": 350}
    assert set(street.vendor.times().values()) == {1}


def test_a_fault_of_ours_in_one_window_leaves_no_other_in_doubt(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    street.route("twilio")
    dispatch = street.launch(street.numbers(350), channel="sms", batch_size=350)
    build, built = Twilio.build, list[int]()

    def breaks(self: Twilio, request: Any, account: Any) -> Any:
        built.append(1)
        if len(built) == 150:
            raise Unsupported("a fault in the adapter")
        return build(self, request, account)

    monkeypatch.setattr(Twilio, "build", breaks)
    with pytest.raises(Unsupported):
        street.work()
    street.clock.pass_(seconds=61)
    street.work()

    assert street.counts(dispatch) == {"sent": 250, "in_doubt": 100}
    assert set(street.vendor.times().values()) == {1}


def test_a_rate_is_kept_over_all_requests(street: Street) -> None:
    street.route("twilio", per_second=10.0)
    dispatch = street.launch(street.numbers(80), channel="sms")
    began = street.clock()

    for _ in range(60):
        street.work()
        street.clock.pass_(seconds=0.5)

    assert street.counts(dispatch) == {"sent": 80}
    moments = sorted(one.at for one in street.vendor.accepted if one.at)
    assert (moments[-1] - began).total_seconds() >= 80 / 10 - 2


@pytest.mark.parametrize(("route", "rate", "people"), [("twilio", 1.0, 40), ("twilio", 0.2, 4), ("sendgrid", 20.0, 250)])
def test_a_rate_far_below_one_window_is_kept_and_everybody_is_reached(street: Street, route: str, rate: float, people: int) -> None:
    street.route(route, per_second=rate)
    ids = street.numbers(people) if route == "twilio" else street.people(people)
    dispatch = street.launch(ids, channel="sms" if route == "twilio" else "email")
    began = street.clock()

    while street.counts(dispatch) != {"sent": people} and (street.clock() - began).total_seconds() < 4 * people / rate:
        street.work()
        street.clock.pass_(seconds=1)

    assert street.counts(dispatch) == {"sent": people}
    moments = sorted(one.at for one in street.vendor.accepted if one.at)
    assert all((later - moment).total_seconds() >= 0.8 for moment, later in zip(moments, moments[max(1, int(rate)) :], strict=False))


def test_a_vendor_that_answers_nobody_is_left_alone_and_the_campaign_waits(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(300), batch_size=10)
    street.vendor.fault = lambda number: "500"
    began = street.clock()

    while (street.clock() - began).total_seconds() < 600:
        street.work()
        street.clock.pass_(seconds=1)
    assert street.counts(dispatch)["in_doubt"] <= 10 * (3 + 600 // 60 + 4), "what is tried while it is away, and no more"

    street.vendor.fault = lambda number: "ok"
    for _ in range(61):
        street.work()
        street.clock.pass_(seconds=1)
    counts = street.counts(dispatch)
    assert counts["sent"] == 300 - counts["in_doubt"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_answer_waits_for_a_database_that_was_restarted_meanwhile(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(20), batch_size=10)

    def lose_the_database(number: int) -> str:
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        other.close()
        return "ok"

    street.vendor.fault = lose_the_database
    street.work()

    assert street.counts(dispatch) == {"sent": 20}


def test_a_policy_lowers_what_one_request_may_carry(street: Street) -> None:
    street.route("sendgrid")
    street.policy(max_per_request=10)
    street.launch(street.people(95), policy_key="manners")

    street.work()

    assert street.vendor.requests == 10 and len(street.vendor.accepted) == 95
