"""What a vendor account may be given: never more than its limits in any span, and nearly all of them used.

`OMNI_TEST_QUOTA=10000` gives an account that many messages a day, and a hundredth of them a minute.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience import door as audience
from delivery import door as delivery
from delivery import quotas
from delivery.quotas import Limit
from tests.delivery.conftest import Street
from tests.vendor_standin import Accepted

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
A_DAY = int(os.environ.get("OMNI_TEST_QUOTA", "80"))


def most_in(moments: Sequence[datetime], span: timedelta) -> int:
    """The most that any span of that length saw, however it is laid."""
    moments, first, most = sorted(moments), 0, 0
    for place, moment in enumerate(moments):
        while moment - moments[first] >= span:
            first += 1
        most = max(most, place - first + 1)
    return most


def work_until(street: Street, dispatch: int, done: int, *, step: float, at_most: timedelta) -> None:
    began = street.clock()
    while street.counts(dispatch).get("sent", 0) < done and street.clock() - began < at_most:
        street.work()
        street.clock.pass_(seconds=step)


def moments_of(accepted: Sequence[Accepted]) -> list[datetime]:
    return [one.at for one in accepted if one.at is not None]


@pytest.mark.django_db
@pytest.mark.parametrize("size", [100, 37])
def test_a_quota_is_never_exceeded_in_any_minute_and_nearly_all_used(street: Street, size: int) -> None:
    street.route("sendgrid", quotas=[{"count": 60, "per": "minute"}])
    dispatch = street.launch(street.people(400), batch_size=size)
    work_until(street, dispatch, 400, step=1, at_most=timedelta(minutes=12))

    moments = moments_of(street.vendor.accepted)
    assert len(moments) == 400 and most_in(moments, MINUTE) <= 60
    assert (max(moments) - min(moments)) <= 400 / 60 / 0.95 * MINUTE


@pytest.mark.django_db
def test_a_day_s_and_a_minute_s_quota_and_a_warm_up_are_kept_together_and_nearly_all_used(street: Street) -> None:
    """Two days of warm-up, a day of rest, then the whole quota: so much a minute, until the day's is used up."""
    days = {0: A_DAY // 4, 1: A_DAY // 2, 3: A_DAY}
    a_minute = A_DAY // 100 if A_DAY >= 1_000 else A_DAY // 4
    quotas = [{"count": A_DAY, "per": "day"}, {"count": a_minute, "per": "minute"}]
    midnight = street.clock.at = street.clock().replace(hour=0) + DAY
    street.route("sendgrid", quotas=quotas, warm_up={"began": midnight.date().isoformat(), "days": [days[0], days[1]]})
    dispatch = street.launch(street.people(sum(days.values()) + a_minute), batch_size=500)
    for number, allowed in days.items():
        street.clock.at = midnight + number * DAY
        work_until(street, dispatch, A_DAY * 2, step=5, at_most=allowed / a_minute / 0.95 * MINUTE)

    moments = moments_of(street.vendor.accepted)
    assert most_in(moments, MINUTE) <= a_minute and most_in(moments, DAY) <= A_DAY
    for number, allowed in days.items():
        of_it = [moment for moment in moments if midnight + number * DAY <= moment < midnight + (number + 1) * DAY]
        assert 0.95 * allowed <= len(of_it) <= allowed


@pytest.mark.django_db
def test_a_speed_is_never_exceeded_in_any_second_and_nearly_all_used(street: Street) -> None:
    street.route("sendgrid", per_second=40)
    dispatch = street.launch(street.people(400), batch_size=100)
    work_until(street, dispatch, 400, step=0.05, at_most=timedelta(seconds=30))

    moments = moments_of(street.vendor.accepted)
    assert len(moments) == 400 and most_in(moments, timedelta(seconds=1)) <= 40
    assert (max(moments) - min(moments)).total_seconds() <= 400 / 40 / 0.9


@pytest.mark.django_db
def test_a_mailbox_provider_s_limit_holds_its_people_back_and_nobody_else(street: Street) -> None:
    quota = {"count": 5, "per": "hour", "of": "recipient_domain", "domains": ["example.org", "example.net"]}
    street.route("sendgrid", quotas=[quota])
    elsewhere = street.people(30)
    there = street.people(8, domain="example.org")
    dispatch = street.launch([*elsewhere, *there], batch_size=20)
    street.work()
    assert street.counts(dispatch) == {"sent": 35, "waiting": 3}
    street.clock.pass_(minutes=30)
    street.work()
    assert street.counts(dispatch) == {"sent": 35, "waiting": 3}
    street.clock.pass_(minutes=40)
    street.work()
    assert street.counts(dispatch) == {"sent": 38}


@pytest.mark.django_db
def test_the_days_of_a_warm_up_are_kept_and_transactional_messages_are_not_held_back_by_it(street: Street) -> None:
    street.route("sendgrid", warm_up={"began": street.clock().date().isoformat(), "days": [10, 20]})
    dispatch = street.launch(street.people(60), batch_size=25)
    receipts = street.message_type()
    street.decide(receipts, street.people(3))
    sent = []
    for _ in range(3):
        street.work()
        sent.append(street.counts(dispatch).get("sent", 0))
        street.clock.pass_(days=1)
    assert street.counts(receipts) == {"sent": 3}
    assert sent == [7, 27, 60], "the three receipts are counted"


@pytest.mark.django_db
def test_campaigns_leave_room_for_transactional_messages_where_an_account_carries_both(street: Street) -> None:
    street.route("sendgrid", quotas=[{"count": 20, "per": "day"}], reserved=0.2)
    receipts = street.message_type()
    street.decide(receipts, street.people(1))
    street.work()
    dispatch = street.launch(street.people(40))
    street.work()
    assert street.counts(dispatch) == {"sent": 15, "waiting": 25}
    street.decide(receipts, street.people(4))
    street.work()
    assert street.counts(receipts) == {"sent": 5}
    [(why, _)] = delivery.troubled(street.workspace_id, now=street.clock()).values()
    assert why == "its limit of 20 messages in 24 hours is used up"


@pytest.mark.django_db
def test_what_the_last_look_stops_is_not_counted(street: Street) -> None:
    street.route("sendgrid", quotas=[{"count": 10, "per": "day"}])
    willing, ids = street.people(10), street.people(20)
    dispatch = street.launch([*ids, *willing], batch_size=30)
    audience.set_consent(street.workspace_id, ids, channel="email", topic="*", state="unsubscribed", source="test", now=street.clock())
    street.work()
    street.clock.pass_(days=1, minutes=30)
    street.work()
    assert street.counts(dispatch)["sent"] == 10


@pytest.mark.django_db
def test_an_account_that_asked_for_less_is_taken_slower_and_rests_longer_each_time(street: Street) -> None:
    street.route("sendgrid", per_second=100)
    dispatch = street.launch(street.people(200), batch_size=100)
    street.vendor.fault = lambda number: "429:unnamed"
    waits = []
    for _ in range(4):
        street.work()
        [(_, until)] = delivery.troubled(street.workspace_id, now=street.clock()).values()
        waits.append(round((until - street.clock()).total_seconds()))
        street.clock.at = until + timedelta(seconds=1)
    assert waits == sorted(set(waits)) and waits[-1] >= 4 * waits[0]
    street.vendor.fault = lambda number: "ok"
    began = street.clock()
    work_until(street, dispatch, 200, step=0.05, at_most=MINUTE)
    first = [moment for moment in moments_of(street.vendor.accepted) if moment < began + timedelta(seconds=2)]
    assert 0 < len(first) <= 60, "slower than it may be for a while"
    assert street.counts(dispatch) == {"sent": 200}


@given(
    count=st.integers(1, 40),
    per=st.sampled_from(["minute", "hour", "day"]),
    asks=st.lists(st.tuples(st.floats(0, 0.6), st.integers(1, 30)), max_size=60),
)
@settings(max_examples=150)
def test_no_span_however_it_is_laid_sees_more_than_its_quota(count: int, per: Any, asks: list[tuple[float, int]]) -> None:
    limit, now = Limit(count, per), datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    span, used, moments = timedelta(seconds=quotas.SPAN[per]), dict[int, int](), list[datetime]()
    for wait, wanted in asks:
        now += wait * span
        granted = min(wanted, count - quotas.used(limit, sorted(used.items()), now))
        assert granted >= 0
        if granted:
            used[quotas.share_of(limit, now)] = used.get(quotas.share_of(limit, now), 0) + granted
            moments += [now + span / 240] * granted  # posted half a share later
        else:
            assert quotas.free_at(limit, sorted(used.items()), now) > now
    assert most_in(moments, span) <= count
