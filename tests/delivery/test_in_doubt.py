"""An unanswered request: proven by the vendor's events, looked up, repeated once, or listed until a person decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audience import door as audience
from delivery import door as delivery
from delivery.models import Attempt
from delivery.states import AttemptState
from governance.door import AuditEntry, Missing, Refused
from tests import factories
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def test_one_event_about_any_message_proves_the_whole_request(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop"
    dispatch = street.launch(street.people(50))
    street.work()
    assert street.counts(dispatch) == {"in_doubt": 50}

    street.hear("delivered", street.vendor.accepted[:1])

    assert street.counts(dispatch) == {"sent": 49, "delivered": 1}
    assert Attempt.objects.get().resolved_by == "event"


def test_what_the_vendor_never_got_is_sent_again_once_its_feed_is_proven_live(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "drop" if number == 0 else "ok"
    dispatch = street.launch(street.people(200))
    street.work(pieces=1)
    street.clock.pass_(seconds=1)
    street.work()
    assert street.counts(dispatch) == {"sent": 100, "in_doubt": 100}

    street.hear("delivered")  # of a request made after the silent one
    street.reconcile()
    assert street.counts(dispatch)["in_doubt"] == 100, "the window has not passed yet"
    street.clock.pass_(minutes=15)
    assert street.reconcile().resent == 0, "the feed may have stopped since then, with the silent one's events in it"
    street.launch(street.people(1), campaign_key="later")
    street.work()
    street.hear("delivered")
    assert street.reconcile().resent == 0, "what was held back comes out in a heap, and its event may be in it"
    street.clock.pass_(minutes=1)
    street.hear("deferred")
    assert street.reconcile().resent == 1
    street.work()

    assert street.counts(dispatch) == {"sent": 100, "delivered": 100}
    assert set(street.vendor.times().values()) == {1} and len(street.vendor.accepted) == 201
    assert street.facts(dispatch).state == "done"


def test_while_one_neighbour_was_not_heard_of_nothing_is_sent_again(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop" if number == 1 else "ok"
    dispatch = street.launch(street.people(300))
    for _ in range(3):
        street.work(pieces=1)
        street.clock.pass_(seconds=1)
    street.clock.pass_(minutes=20)
    street.hear("delivered", street.vendor.accepted[200:])  # the feed speaks of the third request: the first two are still under way

    assert street.reconcile().resent == 0
    street.hear("delivered", street.vendor.accepted[:200])
    assert street.counts(dispatch) == {"delivered": 300} and max(street.vendor.times().values()) == 1


def test_an_event_of_an_earlier_request_proves_nothing_about_a_later_one(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop" if number == 1 else "ok"
    dispatch = street.launch(street.people(200))
    street.work(pieces=1)
    street.clock.pass_(seconds=1)
    street.work()
    street.hear("delivered", street.vendor.accepted[:100])
    street.clock.pass_(days=3)

    assert street.reconcile().resent == 0
    assert street.counts(dispatch)["in_doubt"] == 100


def test_without_any_events_everything_unanswered_is_listed_for_ever(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop" if number % 2 else "ok"
    dispatch = street.launch(street.people(400))
    street.work()
    for _ in range(5):
        street.clock.pass_(days=1)
        street.reconcile()
        street.work()

    assert street.counts(dispatch) == {"sent": 200, "in_doubt": 200}
    assert sum(attempt.count for attempt in delivery.in_doubt(street.workspace_id, dispatch_id=dispatch)) == 200
    assert max(street.vendor.times().values()) == 1


def test_a_person_may_say_that_it_was_sent_send_it_again_or_give_it_up(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "drop" if number < 3 else "ok"
    dispatch = street.launch(street.people(30), batch_size=10)
    street.work()
    ben = street.person("ben")
    first, second, third = delivery.in_doubt(street.workspace_id)

    delivery.resolve_in_doubt(ben, first.pk, "sent", now=street.clock())
    delivery.resolve_in_doubt(ben, second.pk, "resend", now=street.clock())
    delivery.resolve_in_doubt(ben, third.pk, "give_up", now=street.clock())
    street.clock.pass_(seconds=10)  # three silent requests in a row: the account rests
    street.work()

    assert street.counts(dispatch) == {"sent": 20, "given_up": 10}
    assert len(street.vendor.accepted) == 10
    assert AuditEntry.objects.filter(action="attempt.resolved").count() == 3


def test_many_doubts_of_one_account_do_not_stand_before_those_of_another(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "drop" if number == 0 else "ok"
    dispatch = street.launch(street.people(10))
    street.work()
    street.clock.pass_(minutes=1)
    street.launch(street.people(10), campaign_key="later")
    street.work()
    street.clock.pass_(minutes=20)
    lost = Attempt.objects.get(state=AttemptState.IN_DOUBT)
    for place in range(600):  # an account whose webhook is broken
        lost.pk, lost.account, lost.dispatch_id, lost.batch_id = None, "other", dispatch + 1, None
        lost.posted_at = street.clock() - timedelta(minutes=16, seconds=place / 100)
        lost.save(force_insert=True)
    for kind in ("delivered", "deferred"):
        street.hear(kind)
        street.clock.pass_(minutes=1)

    street.reconcile()
    street.work()

    assert street.counts(dispatch) == {"sent": 10}


def test_what_the_vendor_says_of_another_account_proves_nothing_about_this_one(street: Street) -> None:
    """A heap of the first account's events comes out, and only the second one's feed goes on."""
    street.route("sendgrid", key="first")
    street.route("sendgrid", key="second", weight=50)
    street.vendor.fault = lambda number: "drop" if number == 0 else "ok"
    dispatch = street.launch(street.people(10), route_key="first")
    street.work()
    street.clock.pass_(minutes=1)
    street.launch(street.people(10), campaign_key="later", route_key="first")
    street.launch(street.people(10), campaign_key="elsewhere", route_key="second")
    street.work()
    first, second = street.vendor.accepted[:10], street.vendor.accepted[10:]
    street.clock.pass_(minutes=20)
    street.hear("delivered", first)
    for kind in ("delivered", "deferred"):
        street.clock.pass_(minutes=2)
        street.hear(kind, second)
        assert street.reconcile().resent == 0
    street.work()
    assert street.counts(dispatch) == {"in_doubt": 10}

    street.hear("deferred", first)
    assert street.reconcile().resent == 1
    street.work()
    assert street.counts(dispatch) == {"sent": 10}


def test_a_request_is_resolved_once_and_by_an_approver(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "drop"
    street.launch(street.people(3))
    street.work()
    attempt = delivery.in_doubt(street.workspace_id)[0]

    with pytest.raises(Refused):
        delivery.resolve_in_doubt(street.person("ada"), attempt.pk, "sent", now=street.clock())
    delivery.resolve_in_doubt(street.person("ben"), attempt.pk, "sent", now=street.clock())
    with pytest.raises(Missing):
        delivery.resolve_in_doubt(street.person("ben"), attempt.pk, "resend", now=street.clock())


def test_an_unanswered_transactional_mail_is_sent_once_more_and_not_twice(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop"
    dispatch = street.message_type()
    street.decide(dispatch, street.people(1))

    for _ in range(10):
        street.work()
        street.clock.pass_(minutes=1)

    assert list(street.vendor.times().values()) == [2], "a doubled reset beats a missing one; a third is sent by nobody"
    assert street.counts(dispatch) == {"in_doubt": 1}


def test_a_transactional_text_is_looked_up_before_anything_is_repeated(street: Street) -> None:
    street.route("twilio")
    street.vendor.fault = lambda number: {0: "accept_drop", 1: "drop"}.get(number, "ok")
    dispatch = street.message_type(channel="sms")
    street.decide(dispatch, street.numbers(2))

    for _ in range(3):
        street.work()
        street.clock.pass_(minutes=1)

    assert street.counts(dispatch) == {"sent": 2}
    assert set(street.vendor.times().values()) == {1} and len(street.vendor.accepted) == 2
    assert sorted(Attempt.objects.exclude(resolved_by="vendor").values_list("resolved_by", flat=True)) == ["lookup", "resend"]


def test_two_like_texts_to_one_person_are_not_taken_for_each_other(street: Street) -> None:
    """The vendor lists one of them: which one, nobody can tell, so neither is called sent."""
    street.route("twilio")
    street.vendor.fault = lambda number: {0: "drop", 1: "accept_drop"}.get(number, "ok")
    dispatch, ada = street.message_type(channel="sms"), street.numbers(1)[0]
    street.decide(dispatch, [ada, ada])

    for _ in range(90):
        street.work()
        street.clock.pass_(minutes=1)

    assert street.counts(dispatch) == {"in_doubt": 2}
    assert len(delivery.in_doubt(street.workspace_id)) == 2 and len(street.vendor.accepted) == 1


def test_a_campaigns_like_text_is_not_taken_for_a_transactional_one(street: Street) -> None:
    """Two templates can say the same: the one text that the vendor lists may be either's."""
    street.route("twilio")
    street.vendor.fault = lambda number: {0: "accept_drop", 1: "drop"}.get(number, "ok")
    ada = street.numbers(1)
    campaign = street.launch(ada, channel="sms")
    street.work()
    message = street.message_type(channel="sms")
    street.decide(message, ada)

    for _ in range(90):
        street.work()
        street.clock.pass_(minutes=1)

    assert street.counts(campaign) == {"in_doubt": 1} and street.counts(message) == {"in_doubt": 1}
    assert len(street.vendor.accepted) == 1


def test_a_stopped_dispatch_repeats_nothing(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "drop" if number == 0 else "ok"
    dispatch = street.launch(street.people(300))
    street.work(pieces=1)
    street.clock.pass_(seconds=1)
    street.work(pieces=1)
    street.hear("delivered")

    delivery.stop(street.person("ada"), dispatch, now=street.clock(), reason="no")
    street.clock.pass_(hours=1)

    assert street.reconcile().resent == 0
    assert street.counts(dispatch) == {"delivered": 100, "in_doubt": 100, "cancelled": 100}


def test_where_nothing_follows_a_probe_to_the_seed_address_does(street: Street) -> None:
    seed = factories.profile(now=street.clock(), external_id="our-own-mailbox")
    street.route("sendgrid", seed="our-own-mailbox")
    street.vendor.fault = lambda number: "drop" if number == 1 else "ok"
    dispatch = street.launch([each for each in street.people(200) if each != seed], template_revision_id=999)
    street.work(pieces=1)
    street.clock.pass_(seconds=1)
    street.work()
    street.hear("delivered")
    street.clock.pass_(minutes=16)

    assert street.reconcile().resent == 0, "nobody has spoken about anything later"
    assert street.reconcile().resent == 0, "one probe at a time"
    street.work()
    assert len(street.vendor.accepted) == 101, "the probe"
    street.hear("delivered")
    street.clock.pass_(minutes=1)
    street.hear("deferred")
    assert street.reconcile().resent == 1
    street.work()
    assert street.counts(dispatch) == {"delivered": 100, "sent": 100} and set(street.vendor.times().values()) == {1}


def test_a_repeat_that_surely_failed_leaves_the_first_request_in_doubt_once_it_is_of_no_use(street: Street) -> None:
    """The vendor may have the first: to call the message skipped would say that nobody got it."""
    street.route("sendgrid")
    ids = street.people(1)
    dispatch = street.message_type()
    street.decide(dispatch, ids, expires_at=street.clock() + timedelta(minutes=5))
    street.vendor.fault = lambda number: ["accept_drop", "429"][min(number, 1)]
    street.work()
    street.clock.pass_(minutes=2)
    street.work()
    assert len(street.vendor.accepted) == 1
    street.clock.pass_(minutes=20)
    street.work()
    assert street.counts(dispatch) == {"in_doubt": 1}
    assert [attempt.count for attempt in delivery.in_doubt(street.workspace_id)] == [1]
    street.hear("processed")
    assert street.counts(dispatch) == {"sent": 1}


def test_who_is_left_out_of_what_a_person_has_sent_again_is_in_doubt_as_before(street: Street) -> None:
    """A person's word that it was lost is no evidence: to call the message skipped would say that nobody got it."""
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop" if number == 0 else "ok"
    ids = street.people(3)
    dispatch = street.launch(ids, batch_size=3)
    street.work()
    (first,) = delivery.in_doubt(street.workspace_id)
    audience.set_consent(
        street.workspace_id, [ids[0]], channel="email", topic="*", state="unsubscribed", source="tests", now=street.clock()
    )
    delivery.resolve_in_doubt(street.person("ben"), first.pk, "resend", now=street.clock())
    street.work()
    assert street.counts(dispatch) == {"in_doubt": 1, "sent": 2}
    assert [(one.count, one.posted_at) for one in delivery.in_doubt(street.workspace_id)] == [(1, first.posted_at)]

    street.hear("processed")
    assert street.counts(dispatch) == {"sent": 3}


def test_stopping_leaves_in_doubt_what_a_person_wanted_sent_again(street: Street) -> None:
    street.route("sendgrid")
    street.vendor.fault = lambda number: "accept_drop"
    dispatch = street.launch(street.people(3), batch_size=3)
    street.work()
    (first,) = delivery.in_doubt(street.workspace_id)
    delivery.resolve_in_doubt(street.person("ben"), first.pk, "resend", now=street.clock())
    delivery.stop(street.person("ada"), dispatch, now=street.clock(), reason="no")
    street.keep_house()
    assert street.counts(dispatch) == {"in_doubt": 3}
    street.hear("processed")
    assert street.counts(dispatch) == {"sent": 3}


def test_stopping_leaves_in_doubt_what_an_unanswered_request_may_have_brought(street: Street) -> None:
    """Its repeat was refused and will not be tried again; the first may have arrived all the same."""
    street.route("sendgrid")
    dispatch = street.message_type()
    street.decide(dispatch, street.people(1))
    street.vendor.fault = lambda number: ["accept_drop", "429"][min(number, 1)]
    street.work()
    street.clock.pass_(minutes=2)
    street.work()

    delivery.stop(street.person("ada"), dispatch, now=street.clock(), reason="no")
    street.keep_house()

    assert street.counts(dispatch) == {"in_doubt": 1}
    street.hear("processed")
    assert street.counts(dispatch) == {"sent": 1}


def test_a_refused_repeat_that_is_tried_again_is_still_the_last_one(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.message_type()
    street.decide(dispatch, street.people(1))
    street.vendor.fault = lambda number: "429" if number in (1, 2) else "accept_drop"

    for _ in range(20):
        street.work()
        street.clock.pass_(minutes=1)

    assert list(street.vendor.times().values()) == [2], "a third is sent by nobody"
    assert street.counts(dispatch) == {"in_doubt": 1}
