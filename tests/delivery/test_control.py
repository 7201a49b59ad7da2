"""People can pause, stop, kill and open waves; what they stopped stays stopped from the moment the act returned."""

from __future__ import annotations

import pytest

from delivery import door as delivery
from delivery.models import VendorEvent
from governance.door import AuditEntry, Invalid, Missing, Refused
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def test_a_paused_dispatch_is_not_leased_and_resumes_where_it_was(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(300))
    street.work(pieces=1)

    delivery.pause(street.person("ada"), dispatch, now=street.clock(), reason="a typo?")
    assert street.lease() is None
    delivery.resume(street.person("ben"), dispatch, now=street.clock())
    street.work()

    assert street.counts(dispatch) == {"sent": 300} and set(street.vendor.times().values()) == {1}
    assert list(AuditEntry.objects.filter(subject=f"dispatch:{dispatch}").order_by("n").values_list("action", flat=True)) == [
        "dispatch.paused",
        "dispatch.resumed",
    ]


def test_work_that_was_leased_before_a_pause_sends_nothing_after_it(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(100))
    work = street.lease()
    assert work is not None
    rendered = street.render(work)

    delivery.pause(street.person("ada"), dispatch, now=street.clock())
    outcome = delivery.send(work, rendered, vendors=street.vendors, clock=street.clock)

    assert outcome.halted and street.vendor.requests == 0 and street.counts(dispatch) == {"waiting": 100}


def test_a_stopped_dispatch_never_sends_the_rest(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(300)
    dispatch = street.launch(ids)
    street.work(pieces=1)

    delivery.stop(street.person("ada"), dispatch, now=street.clock(), reason="wrong price")
    street.work()

    assert street.counts(dispatch) == {"sent": 100, "cancelled": 200}
    assert street.why(dispatch, ids[250]) == ("cancelled", "cancelled")
    with pytest.raises(Refused, match="stopped"):
        delivery.resume(street.person("ben"), dispatch, now=street.clock())


def test_what_was_refused_when_the_dispatch_stopped_is_cancelled(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "429"
    dispatch = street.launch(street.people(10))
    street.work()

    delivery.stop(street.person("ada"), dispatch, now=street.clock())

    assert street.counts(dispatch) == {"cancelled": 10}


def test_a_kill_switch_thrown_between_two_windows_leaves_the_answers_of_both_written(street: Street) -> None:
    street.route("twilio")
    dispatch = street.launch(street.numbers(350), channel="sms", batch_size=350)

    def during_the_second_window(number: int) -> str:
        if number == 150:
            delivery.kill(street.person("ada"), "campaign", "spring-sale", True, reason="wrong price", now=street.clock())
        return "ok"

    street.vendor.fault = during_the_second_window
    street.work()

    assert street.vendor.requests == 200 and street.counts(dispatch) == {"sent": 200, "waiting": 150}


@pytest.mark.parametrize(("scope", "key"), [("workspace", ""), ("vendor", "sendgrid"), ("campaign", "spring-sale")])
def test_a_kill_switch_stops_what_it_names_until_an_approver_releases_it(street: Street, scope: str, key: str) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(100))
    leased = street.lease()
    assert leased is not None

    delivery.kill(street.person("ada"), scope, key, True, reason="bounces", now=street.clock())  # type: ignore[arg-type]
    assert street.send(leased).halted
    street.clock.pass_(minutes=2)
    assert street.lease() is None and street.vendor.requests == 0
    with pytest.raises(Refused):
        delivery.kill(street.person("ada"), scope, key, False, reason="fine", now=street.clock())  # type: ignore[arg-type]
    delivery.kill(street.person("ben"), scope, key, False, reason="fine", now=street.clock())  # type: ignore[arg-type]
    street.work()

    assert street.counts(dispatch) == {"sent": 100}


def test_another_campaigns_switch_stops_nothing_here(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(10))
    delivery.kill(street.person("ada"), "campaign", "another", True, reason="x", now=street.clock())
    street.work()
    assert street.counts(dispatch) == {"sent": 10}


@pytest.mark.parametrize(
    ("scope", "key", "reason", "path"),
    [
        ("workspace", "x", "why", "/key"),
        ("vendor", "", "why", "/key"),
        ("vendor", "sendgrid", " ", "/reason"),
        ("planet", "x", "why", "/scope"),
    ],
)
def test_a_wrong_switch_names_the_field(street: Street, scope: str, key: str, reason: str, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        delivery.kill(street.person("ada"), scope, key, True, reason=reason, now=street.clock())  # type: ignore[arg-type]
    assert [finding.path for finding in refused.value.findings] == [path]


def test_viewers_control_nothing_and_strangers_find_nothing(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(1))
    with pytest.raises(Refused):
        delivery.pause(street.person("vera"), dispatch, now=street.clock())
    with pytest.raises(Refused):
        delivery.resume(street.person("ada"), dispatch, now=street.clock())
    with pytest.raises(Missing):
        delivery.pause(street.person("ada"), dispatch + 1, now=street.clock())


def test_a_wave_that_bounces_pauses_the_dispatch_instead_of_opening_the_next(street: Street) -> None:
    street.route("sendgrid")
    street.policy(halt={"bounced": 0.05, "at_least": 20})
    dispatch = street.launch(street.people(400), ramp=(0.1, 1.0), soak_minutes=0, policy_key="manners")
    street.work()
    first = len(street.vendor.accepted)
    street.hear("bounce", street.vendor.accepted[: first // 5])
    assert VendorEvent.objects.exists()

    street.keep_house()
    street.work()

    assert len(street.vendor.accepted) == first
    view = street.facts(dispatch)
    assert view.state == "paused" and "bounced" in view.state_reason
