"""A canary protects everybody after it: a wave opens only once the one before was reported on and harmed nobody, surely."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import baselines, evidence
from delivery import door as delivery
from delivery.adapters.base import VendorEvent
from delivery.ramps import surely_at_least
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def canary(street: Street, people: int = 100, **limits: Any) -> int:
    """A launch in two waves, a tenth first; sent."""
    street.policy(halt=limits)
    dispatch = street.launch(street.people(people), ramp=(0.1, 1.0), soak_minutes=5, policy_key="manners", batch_size=10)
    street.work()
    return dispatch


def tick(street: Street, **span: float) -> None:
    street.clock.pass_(**span)
    street.keep_house()
    street.work()


def happens(street: Street, kind: Any, many: int, *, after: int = 0) -> None:
    """The vendor tells this of the first so many messages that it took after those."""
    some = street.vendor.accepted[after : after + many]
    told = [VendorEvent("sendgrid", f"{kind}-{one.message_id}", one.message_id, kind, street.clock()) for one in some]
    evidence.take(told, home=street.workspace_id, now=street.clock())


@given(st.integers(0, 5_000), st.integers(1, 5_000))
def test_what_is_sure_is_never_more_than_what_was_seen_and_comes_near_it_with_numbers(number: int, of: int) -> None:
    if number > of:
        return
    assert 0 <= surely_at_least(number, of) <= number / of
    assert surely_at_least(number, of) < surely_at_least(number * 100, of * 100) or number == 0


def test_a_wave_waits_for_the_vendors_reports_where_it_reports(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_SECRET_HOOK", street.vendor.public_key())
    street.route("sendgrid", secrets={"api_key": "SENDGRID_KEY", "webhook_key": "HOOK"})
    dispatch = canary(street)
    first = len(street.vendor.accepted)
    tick(street)
    tick(street, hours=1)
    assert len(street.vendor.accepted) == first
    assert street.facts(dispatch).next_wave_waits.startswith(f"the vendor has reported on 0 of {first} messages, and 80% are")
    happens(street, "delivered", first * 7 // 10)
    tick(street, seconds=5)
    assert len(street.vendor.accepted) == first
    happens(street, "delivered", first)
    tick(street, seconds=5)
    assert len(street.vendor.accepted) == 100 and street.facts(dispatch).next_wave_waits == ""


def test_a_person_may_open_a_wave_that_nobody_reported_on(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_SECRET_HOOK", street.vendor.public_key())
    street.route("sendgrid", secrets={"api_key": "SENDGRID_KEY", "webhook_key": "HOOK"})
    dispatch = canary(street)
    delivery.open_next_wave(street.person("ben"), dispatch, now=street.clock())
    street.work()
    assert len(street.vendor.accepted) == 100


def test_a_vendor_that_never_reports_is_not_waited_for(street: Street) -> None:
    street.route("sendgrid")  # no webhook key anywhere
    canary(street)
    tick(street)
    tick(street, minutes=5)
    assert len(street.vendor.accepted) == 100


def test_a_bounce_among_a_dozen_halts_nothing(street: Street) -> None:
    street.route("sendgrid")
    dispatch = canary(street, people=300, at_least=5)
    assert 12 <= len(street.vendor.accepted) <= 60
    happens(street, "bounced", 1)
    tick(street)
    tick(street, minutes=5)
    assert street.facts(dispatch).state != "paused" and len(street.vendor.accepted) == 300


def test_a_small_wave_is_judged_by_what_was_refused_and_not_by_bounces(street: Street) -> None:
    street.route("sendgrid")
    dispatch = canary(street)
    happens(street, "bounced", len(street.vendor.accepted))
    tick(street)
    assert street.facts(dispatch).state == "running", "fewer than 500"
    second = street.launch(street.people(100), campaign_key="second", ramp=(0.1, 1.0), soak_minutes=5, policy_key="manners")
    street.vendor.fault = lambda number: "400"
    street.work()
    tick(street)
    assert street.facts(second).state == "paused" and "refused by the vendor" in street.facts(second).state_reason


def test_a_wave_that_cannot_be_rendered_halts_the_rest(street: Street) -> None:
    street.route("sendgrid")
    people = street.people(100)
    street.sick = set(people)
    dispatch = street.launch(people, ramp=(0.1, 1.0), soak_minutes=5, policy_key=street.policy())
    street.work()
    tick(street)
    assert street.facts(dispatch).state == "paused" and "could not be rendered" in street.facts(dispatch).state_reason
    assert street.facts(dispatch).waiting >= 80


def test_people_who_leave_in_numbers_halt_the_rest(street: Street) -> None:
    street.route("sendgrid")
    dispatch = canary(street, people=1_000, at_least=50, unsubscribed=0.02)
    happens(street, "unsubscribed", 20, after=len(street.vendor.accepted) - 50)
    tick(street)
    assert street.facts(dispatch).state == "paused" and "unsubscribed" in street.facts(dispatch).state_reason


def test_what_is_sent_in_one_wave_halts_when_it_harms_too(street: Street) -> None:
    street.route("sendgrid")
    street.policy(halt={"at_least": 10})
    dispatch = street.launch(street.people(100), policy_key="manners", batch_size=20)
    street.work(pieces=2)
    happens(street, "bounced", 20)
    street.clock.pass_(seconds=31)
    street.keep_house()
    assert street.facts(dispatch).state == "paused"
    assert "bounced, more than" in street.facts(dispatch).state_reason


@pytest.mark.parametrize(("usual", "state"), [(10, "paused"), (100, "running"), (None, "running")])
def test_three_times_as_many_as_usual_leaving_is_too_many(
    street: Street, monkeypatch: pytest.MonkeyPatch, usual: int | None, state: str
) -> None:
    monkeypatch.setattr(baselines, "ENOUGH", 100)
    street.route("sendgrid")
    street.policy(halt={"at_least": 10, "unsubscribed": 0.9})
    if usual is not None:
        before = street.launch(street.people(200), occurrence="before")
        street.work()
        happens(street, "unsubscribed", usual)
        street.keep_house()
        assert street.facts(before).state == "done"
        street.clock.pass_(hours=2)
    dispatch = street.launch(street.people(100), policy_key="manners", batch_size=50)
    street.work(pieces=1)
    happens(street, "unsubscribed", 20, after=len(street.vendor.accepted) - 50)
    street.clock.pass_(seconds=31)
    street.keep_house()
    assert street.facts(dispatch).state == state
