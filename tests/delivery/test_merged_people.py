"""Two who turn out to be one: their messages are one person's, for caps, for relaunches, for what waits and for whoever asks why."""

from __future__ import annotations

from typing import Any

import pytest

from audience import door as audience
from delivery import door as delivery
from tests import factories

pytestmark = pytest.mark.django_db


def merge(street: Any, stays: int, goes: int) -> None:
    names = {person.id: person.external_id for person in audience.load(street.workspace_id, [stays, goes])}
    assert audience.merge(street.person("cleo"), names[stays], names[goes], now=street.clock()) is not None


def test_whom_a_campaign_reached_before_is_not_reached_again_by_its_relaunch(street: Any) -> None:
    street.route("sendgrid")
    ids = street.people(3)
    first = street.launch(ids[:1])
    street.work()
    street.clock.pass_(minutes=5)
    merge(street, ids[1], ids[0])
    street.clock.pass_(minutes=5)

    second = street.launch(ids[1:], relaunch=1)
    street.work()

    assert street.counts(second) == {"sent": 1, "reached": 1}
    assert street.why(first, ids[1]) == ("sent", "") and street.why(second, ids[1]) == ("left_out", "reached")


def test_whom_a_campaign_failed_to_reach_before_is_reached_by_its_relaunch(street: Any) -> None:
    street.route("sendgrid")
    (dead,) = street.people(1, email="dead@example.com")
    (alive,) = street.people(1)
    delivery.suppress(street.workspace_id, "email", "dead@example.com", reason="bounced", source="tests", now=street.clock())
    street.launch([dead], left_out={})
    street.work()
    street.clock.pass_(minutes=5)
    merge(street, alive, dead)
    again = street.launch([alive], relaunch=1)
    street.work()
    assert street.counts(again) == {"sent": 1}


def test_caps_count_what_both_were_sent(street: Any) -> None:
    street.route("sendgrid")
    street.policy(caps=[{"hours": 24, "count": 1}])
    anonymous, ann, ben = street.people(3)
    street.launch([anonymous])
    street.work()
    merge(street, ann, anonymous)
    second = street.launch([ann, ben], campaign_key="summer-sale", policy_key="manners")
    street.work()
    assert street.counts(second) == {"sent": 1, "capped": 1}
    assert street.why(second, ann) == ("skipped", "capped")


def test_what_was_decided_for_one_is_sent_to_the_other(street: Any) -> None:
    street.route("sendgrid")
    (anonymous,) = street.people(1, email=None, consents=())
    (ann,) = street.people(1, email="ann@example.com")
    dispatch = street.message_type()
    (n,) = street.decide(dispatch, [anonymous])
    merge(street, ann, anonymous)
    street.work()
    assert [mail.address for mail in street.vendor.accepted] == ["ann@example.com"]
    assert [each.message_id for each in delivery.messages(street.workspace_id, profile_id=ann).items] == [delivery.message_id(dispatch, n)]


def test_a_refusal_by_a_link_in_an_old_mail_is_hers(street: Any) -> None:
    """And a message that waits for the one who went never leaves in her name."""
    street.route("sendgrid")
    anonymous, ann = street.people(2)
    waiting = street.launch([anonymous, ann])
    merge(street, ann, anonymous)
    refusal: Any = {"channel": "email", "topic": "offers", "state": "unsubscribed", "source": "one-click"}
    audience.set_consent(street.workspace_id, [anonymous], **refusal, now=street.clock())
    street.work()
    assert street.counts(waiting) == {"no_consent": 1, "unreachable": 1} and not street.vendor.accepted


def test_what_both_were_sent_is_what_rules_ask(street: Any) -> None:
    street.route("sendgrid")
    anonymous, ann = street.people(2)
    street.launch([anonymous])
    street.launch([ann], campaign_key="summer-sale")
    street.work()
    merge(street, ann, anonymous)
    body = factories.segment(rule={"message": "sent", "op": "exactly", "count": 2})
    rule = audience.SegmentBody.model_validate(body)
    assert set(audience.resolve(street.workspace_id, rule, as_of=street.clock()).ids) == {ann}
