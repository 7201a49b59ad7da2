"""Who gets a message is decided at the last moment: what changed since the launch counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pyroaring import BitMap64

from audience import door as audience
from delivery import door as delivery
from delivery import evidence
from delivery.adapters.base import VendorEvent
from delivery.models import Dispatch
from delivery.suppression import suppressed_people
from governance.door import AuditEntry, Invalid, Refused
from tests import factories
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def test_a_person_who_opts_out_during_a_send_gets_nothing_from_later_batches(street: Street) -> None:
    street.route("sendgrid")
    others = street.people(200)
    ada = factories.profile(now=street.clock(), email="ada@example.com")  # created last: with one wave the order is by id
    dispatch = street.launch([*others, ada])

    street.work(pieces=1)
    audience.set_consent(
        street.workspace_id, [ada], channel="email", topic="offers", state="unsubscribed", source="tests", now=street.clock()
    )
    street.work()

    assert street.vendor.received_by("ada@example.com") == 0
    assert street.why(dispatch, ada) == ("skipped", "no_consent")
    assert street.counts(dispatch) == {"sent": 200, "no_consent": 1}


def test_a_suppressed_address_gets_nothing(street: Street) -> None:
    street.route("sendgrid")
    ada = factories.profile(now=street.clock(), email="ada@example.com")
    ben = factories.profile(now=street.clock(), email="ben@example.com")
    delivery.suppress(street.workspace_id, "email", "BEN@example.com", reason="bounced", source="tests", now=street.clock())
    dispatch = street.launch([ada, ben])
    delivery.suppress(street.workspace_id, "email", "ADA@example.com", reason="bounced", source="tests", now=street.clock())

    street.work()

    assert street.why(dispatch, ada) == ("skipped", "suppressed")
    assert street.why(dispatch, ben) == ("left_out", "suppressed"), "known at launch, so not counted as somebody who would be reached"


def test_an_unsubscription_from_marketing_leaves_transactional_people_in(street: Street) -> None:
    ids = street.people(3)
    [ada] = audience.load(street.workspace_id, ids[:1])
    delivery.suppress(street.workspace_id, "email", ada.email or "", reason="unsubscribed", source="tests", now=street.clock())
    [ben] = audience.load(street.workspace_id, ids[1:2])
    delivery.suppress(street.workspace_id, "*", ben.email or "", reason="complained", source="tests", now=street.clock())

    def stopped(message_class: str) -> set[int]:
        return set(suppressed_people(street.workspace_id, "email", BitMap64(ids), message_class=message_class))

    assert stopped("promotional") == {ids[0], ids[1]} and stopped("transactional") == {ids[1]}


def test_people_without_an_address_and_people_who_are_gone_are_unreachable(street: Street) -> None:
    street.route("sendgrid")
    silent = factories.profile(now=street.clock(), email=None)
    dispatch = street.launch([silent, 10**9])

    street.work()

    assert street.counts(dispatch) == {"unreachable": 2}


def test_a_message_that_cannot_be_rendered_fails_alone(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(5)
    street.sick = {ids[2]}
    dispatch = street.launch(ids)

    street.work()

    assert street.why(dispatch, ids[2]) == ("failed", "invalid")
    assert street.counts(dispatch) == {"sent": 4, "invalid": 1}


def test_a_cap_counts_what_other_campaigns_sent(street: Street) -> None:
    street.route("sendgrid")
    street.policy(caps=[{"count": 1, "hours": 24}])
    ids = street.people(20)
    street.launch(ids[:10], campaign_key="first", policy_key="manners")
    second = street.launch(ids, campaign_key="second", policy_key="manners")

    street.work()

    assert street.counts(second) == {"sent": 10, "capped": 10}
    street.clock.pass_(hours=24)
    third = street.launch(ids, campaign_key="third", policy_key="manners")
    street.work()
    assert street.counts(third) == {"sent": 20}


def test_the_strictest_of_several_caps_counts(street: Street) -> None:
    street.route("sendgrid")
    street.policy(caps=[{"count": 2, "hours": 168}, {"count": 1, "hours": 1}])
    ids = street.people(3)
    seen = []
    for hour in range(4):
        dispatch = street.launch(ids, campaign_key=f"campaign-{hour}", policy_key="manners")
        street.work()
        seen.append(street.counts(dispatch))
        street.clock.pass_(minutes=50)
    assert seen == [{"sent": 3}, {"capped": 3}, {"sent": 3}, {"capped": 3}]


def test_a_capped_message_may_wait_instead(street: Street) -> None:
    street.route("sendgrid")
    street.policy(caps=[{"count": 1, "hours": 2}], caps_then="postpone")
    ids = street.people(3)
    street.launch(ids, campaign_key="first", policy_key="manners")
    second = street.launch(ids, campaign_key="second", policy_key="manners")
    street.work()
    assert street.counts(second) == {"waiting": 3}

    for _ in range(3):
        street.clock.pass_(hours=1)
        street.work()

    assert street.counts(second) == {"sent": 3}


def test_quiet_hours_postpone_by_each_persons_own_clock_and_keep_the_number(street: Street) -> None:
    """Nine in the morning in London is five in New York; eight there is one in the afternoon."""
    street.route("sendgrid")
    street.policy(quiet_hours={"start": "21:00", "end": "08:00", "channels": ["email"]})
    london, york = street.people(3), street.people(2, zone="America/New_York")
    unknown = street.people(1, zone=None, country="US")  # Hawaii is plausible, so it waits for eight there
    dispatch = street.launch([*london, *york, *unknown], policy_key="manners")
    street.work()
    assert street.counts(dispatch) == {"sent": 3, "waiting": 3}
    assert street.why(dispatch, york[0]) == ("planned", "postponed")
    number = delivery.why(street.workspace_id, dispatch, york[0]).message_id

    street.clock.pass_(hours=4)
    street.work()
    assert street.counts(dispatch) == {"sent": 5, "waiting": 1}
    assert delivery.why(street.workspace_id, dispatch, york[0]).message_id == number

    street.clock.pass_(hours=5)
    street.work()
    assert street.counts(dispatch) == {"sent": 6}
    assert street.facts(dispatch).state == "done"


def test_what_would_wait_past_its_end_is_skipped(street: Street) -> None:
    street.route("sendgrid")
    street.policy(quiet_hours={"start": "21:00", "end": "08:00", "channels": ["email"]})
    york = street.people(2, zone="America/New_York")
    dispatch = street.launch(york, policy_key="manners", expires_at=street.clock() + timedelta(hours=2))

    street.work()

    assert street.counts(dispatch) == {"quiet_hours": 2}


def test_an_expired_dispatch_sends_nothing(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(2), expires_at=street.clock() + timedelta(hours=1))
    street.clock.pass_(hours=1)

    street.work()

    assert street.counts(dispatch) == {"expired": 2}


PRICES = {"currency": "USD", "per": "message", "otherwise_micros": 1_000, "countries": {"GB": 500}}


def test_a_run_halts_before_it_passes_its_budget(street: Street) -> None:
    street.route("sendgrid", price=PRICES)
    dispatch = street.launch(street.people(10), budget_micros=3_600, batch_size=4, currency="USD")

    street.work()

    view = street.facts(dispatch)
    assert (view.counts, view.state, view.cost_micros) == ({"sent": 7, "waiting": 3}, "paused", 3_500)
    assert "0.0035 USD of its budget of 0.0036 USD is spent" in view.state_reason
    assert view.shown == "halted" and view.out_of_money and view.state_reason == f"halted: {view.why}"
    halted = AuditEntry.objects.get(action="dispatch.halted", subject=f"dispatch:{dispatch}")
    assert halted.data["reason"] in view.state_reason


def test_nobody_is_lost_when_the_budget_is_raised(street: Street) -> None:
    street.route("sendgrid", price=PRICES)
    dispatch = street.launch(street.people(10), budget_micros=1_100, batch_size=4)
    ben = street.person("ben")
    street.work()

    delivery.resume(ben, dispatch, now=street.clock())
    street.work()
    assert (street.counts(dispatch), street.facts(dispatch).state) == ({"sent": 2, "waiting": 8}, "paused")

    delivery.raise_budget(ben, dispatch, 5_000, now=street.clock())
    raised = street.facts(dispatch)
    assert (raised.shown, raised.out_of_money, "and is 0.005" in raised.why) == ("halted", False, True)
    delivery.resume(ben, dispatch, now=street.clock())
    street.work()

    assert (street.counts(dispatch), street.facts(dispatch).state) == ({"sent": 10}, "done")
    assert set(street.vendor.times().values()) == {1}
    assert AuditEntry.objects.get(action="dispatch.budget_raised").data == {"from": 1_100, "to": 5_000, "currency": "USD", "reason": ""}


def test_texts_of_one_request_each_halt_at_the_last_that_is_paid(street: Street) -> None:
    street.route("twilio", price={"currency": "USD", "otherwise_micros": 1_000})
    dispatch = street.launch(street.numbers(6), channel="sms", budget_micros=4_999)

    street.work()

    assert (street.counts(dispatch), street.facts(dispatch).state) == ({"sent": 4, "waiting": 2}, "paused")


def test_only_an_approver_raises_a_budget_and_only_upwards(street: Street) -> None:
    street.route("sendgrid", price=PRICES)
    dispatch = street.launch(street.people(1), budget_micros=1_000)

    with pytest.raises(Refused, match="approver"):
        delivery.raise_budget(street.person("ada"), dispatch, 2_000, now=street.clock())
    with pytest.raises(Invalid, match="more than 0.001"):
        delivery.raise_budget(street.person("ben"), dispatch, 1_000, now=street.clock())
    free = street.launch(street.people(1, domain="example.org"), campaign_key="free")
    with pytest.raises(Refused, match="no budget"):
        delivery.raise_budget(street.person("ben"), free, 2_000, now=street.clock())


def test_money_of_refused_requests_is_free_again(street: Street) -> None:
    street.route("sendgrid", price=PRICES)
    street.vendor.fault = lambda number: "429" if number == 0 else "ok"
    dispatch = street.launch(street.people(4), budget_micros=2_000)

    street.work()
    street.clock.pass_(seconds=3)
    street.work()

    assert street.counts(dispatch) == {"sent": 4}
    assert Dispatch.objects.get(pk=dispatch).committed_micros == 2_000


def test_outside_production_only_listed_addresses_are_reached(street: Street, settings: Any) -> None:
    street.route("sendgrid")
    settings.OMNI = settings.OMNI.model_copy(update={"allowed_recipients": "ada@example.com,@example.org"})
    ada, bob = (factories.profile(now=street.clock(), email=f"{name}@example.com") for name in ("ada", "bob"))
    eve = factories.profile(now=street.clock(), email="eve@example.org")
    dispatch = street.launch([ada, bob, eve])

    street.work()

    assert street.why(dispatch, bob) == ("skipped", "not_allowed")
    assert len(street.vendor.accepted) == 2


def test_a_live_rule_is_asked_again_where_the_campaign_says_so(street: Street) -> None:
    street.route("sendgrid")
    stayed, moved = factories.profile(now=street.clock()), factories.profile(now=street.clock(), country="FR")
    dispatch = street.launch([stayed, moved], recheck_rule={"profile": "country", "op": "is", "value": "GB"})

    street.work()

    assert street.why(dispatch, moved) == ("skipped", "not_matching")
    assert street.counts(dispatch) == {"sent": 1, "not_matching": 1}


def test_recalling_a_revision_halts_what_pins_it(street: Street) -> None:
    from governance import door as governance

    street.route("sendgrid")
    factories.in_force("sending_policy", "pinned", factories.policy(), now=street.clock())
    pin = governance.released(street.workspace_id, "sending_policy", "pinned")
    ids = street.people(4)
    dispatch = street.launch(ids, pins=[pin.id], batch_size=2)
    street.work(pieces=1)

    governance.recall(street.person("ben"), "sending_policy", "pinned", number=pin.number, reason="wrong", now=street.clock())
    street.work()

    assert street.counts(dispatch) == {"sent": 2, "recalled": 2}


def test_a_cap_on_a_topic_counts_that_topic_only(street: Street) -> None:
    street.route("sendgrid")
    street.policy(caps=[{"count": 1, "hours": 24, "topic": "offers"}])
    ids = street.people(4, consents=(("email", "offers", "subscribed"), ("email", "news", "subscribed")))
    seen = []
    for place, topic in enumerate(["offers", "news", "offers", "news"]):
        dispatch = street.launch(ids, campaign_key=f"campaign-{place}", topic=topic, policy_key="manners")
        street.work()
        seen.append(street.counts(dispatch))
    assert seen == [{"sent": 4}, {"sent": 4}, {"capped": 4}, {"sent": 4}]


def test_a_cap_by_calendar_days_counts_from_each_persons_midnight(street: Street) -> None:
    """Nine in the evening in London is six the next morning in Tokyo: there a new day has begun."""
    street.route("sendgrid")
    street.policy(caps=[{"count": 1, "days": 1}])
    london, tokyo = street.people(3), street.people(2, zone="Asia/Tokyo")
    street.launch([*london, *tokyo], campaign_key="first", policy_key="manners")
    street.work()
    street.clock.pass_(hours=12)
    evening = street.launch([*london, *tokyo], campaign_key="second", policy_key="manners")
    street.work()
    assert street.counts(evening) == {"sent": 2, "capped": 3}
    street.clock.pass_(hours=3, seconds=1)
    midnight = street.launch([*london, *tokyo], campaign_key="third", policy_key="manners")
    street.work()
    assert street.counts(midnight) == {"sent": 3, "capped": 2}


def test_texts_to_the_usa_wait_for_the_morning_there_whatever_the_policy_says(street: Street) -> None:
    """Nine in the morning in London is four in New York."""
    street.route("twilio")
    consents = (("sms", "offers", "subscribed"),)
    there = [factories.profile(now=street.clock(), phone="+12125550101", country=None, zone=None, consents=consents)]
    there.append(factories.profile(now=street.clock(), phone="+447911123456", country="US", zone="America/New_York", consents=consents))
    here = factories.profile(now=street.clock(), phone="+447911123457", country="GB", zone="America/New_York", consents=consents)
    dispatch = street.launch([*there, here], channel="sms")
    street.work()
    assert street.counts(dispatch) == {"sent": 1, "waiting": 2}
    street.clock.pass_(hours=4)
    street.work()
    assert street.counts(dispatch) == {"sent": 3}


def test_a_country_has_quiet_hours_of_its_own(street: Street) -> None:
    street.route("sendgrid")
    france = {"country": "FR", "start": "20:00", "end": "10:30", "sundays": True}
    street.policy(quiet_hours={"start": "22:00", "end": "07:00", "channels": ["email"], "countries": [france]})
    paris = street.people(2, country="FR", zone="Europe/Paris")
    dispatch = street.launch([*street.people(1), *paris], policy_key="manners")
    street.work()
    assert street.counts(dispatch) == {"sent": 1, "waiting": 2}
    street.clock.pass_(minutes=31)
    street.work()
    assert street.counts(dispatch) == {"sent": 3}
    street.clock.pass_(days=6)  # a Sunday
    sunday = street.launch(
        [*street.people(1), *street.people(2, country="FR", zone="Europe/Paris")], campaign_key="b", policy_key="manners"
    )
    street.work()
    assert street.counts(sunday) == {"sent": 1, "waiting": 2}


def test_an_address_that_keeps_bouncing_is_given_up_unless_something_arrived_in_between(street: Street) -> None:
    street.route("sendgrid")
    street.policy(soft_bounces={"count": 3, "days": 10})
    worn, living = street.people(2)
    for day in range(3):
        first = len(street.vendor.accepted)
        street.launch([worn, living], campaign_key=f"day-{day}", policy_key="manners")
        street.work()
        for one in street.vendor.accepted[first:]:
            happens(street, one.message_id, "blocked")
        if day == 1:
            happens(street, street.vendor.accepted[first + 1].message_id, "delivered")
        street.clock.pass_(days=1)
    last = street.launch([worn, living], campaign_key="last", policy_key="manners")
    street.work()
    assert (street.why(last, worn), street.why(last, living)[0]) == (("left_out", "suppressed"), "sent")


def happens(street: Street, message_id: str, kind: Any) -> None:
    event = VendorEvent("sendgrid", f"{kind}-{message_id}", message_id, kind, street.clock())
    evidence.take([event], home=street.workspace_id, now=street.clock())
