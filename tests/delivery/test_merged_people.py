"""Two who turn out to be one: their messages are one person's, for caps, for relaunches, for what waits and for whoever asks why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
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
    assert street.counts(waiting) == {"no_consent": 1, "merged": 1} and not street.vendor.accepted


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


def test_of_two_who_turn_out_to_be_one_before_either_was_written_to_one_is(street: Any) -> None:
    street.route("sendgrid")
    anonymous, ann = street.people(2)
    dispatch = street.launch([anonymous, ann], batch_size=1)
    merge(street, ann, anonymous)
    street.work()
    assert street.counts(dispatch) == {"sent": 1, "merged": 1} and street.why(dispatch, ann) == ("sent", "")


@pytest.mark.parametrize("first", [0, 1])
def test_whoever_got_it_under_one_number_does_not_get_it_under_the_other(street: Any, first: int) -> None:
    """Whichever of the two was written to before they were known to be one."""
    street.route("sendgrid")
    ids = street.people(2)
    dispatch = street.launch(ids, batch_size=1)
    street.work(pieces=1)
    merge(street, ids[first], ids[1 - first])
    street.work()
    assert street.counts(dispatch) == {"sent": 1, "merged": 1} and len(street.vendor.accepted) == 1
    assert street.why(dispatch, ids[first]) == ("sent", "")


def test_three_who_are_one_by_and_by_get_it_once(street: Any) -> None:
    street.route("sendgrid")
    a, b, c = street.people(3)
    dispatch = street.launch([a, b, c], batch_size=1)
    street.work(pieces=1)
    merge(street, b, a)
    merge(street, c, b)
    street.work()
    assert street.counts(dispatch) == {"sent": 1, "merged": 2} and street.why(dispatch, c) == ("sent", "")


def test_nobody_is_merged_unseen_between_the_making_of_a_message_and_its_last_look(street: Any) -> None:
    """A service message would need no agreement, so nothing else would keep it from the former address."""
    street.route("sendgrid")
    anonymous, ann = street.people(2)
    dispatch = street.launch([anonymous, ann], batch_size=1, message_class="service")
    made = street.lease()
    written = street.render(made)
    merge(street, ann, anonymous)
    delivery.send(made, written, vendors=street.vendors, clock=street.clock)
    assert street.counts(dispatch) == {"waiting": 1, "merged": 1}
    street.work()
    (theirs,) = audience.load(street.workspace_id, [ann])
    assert [mail.address for mail in street.vendor.accepted] == [theirs.email]


class Meanwhile(delivery.Connections):
    """Something happens while the first request is on its way."""

    def __init__(self, real: delivery.Connections, happens: Callable[[], object]) -> None:
        super().__init__()
        self._real, self._happens = real, happens

    def begin(self, *args: Any, **more: Any) -> Any:
        happens, self._happens = self._happens, lambda: None
        happens()
        return self._real.begin(*args, **more)


def test_while_it_is_on_its_way_to_one_the_other_is_left_out_and_gets_it_should_the_vendor_refuse(street: Any) -> None:
    street.route("sendgrid")
    anonymous, ann = street.people(2)
    dispatch = street.launch([anonymous, ann], batch_size=1)
    street.vendor.fault = lambda number: "ok" if number else "429"

    def happens() -> None:
        merge(street, ann, anonymous)
        street.work()

    flying = street.lease("w1")
    delivery.send(flying, street.render(flying), vendors=Meanwhile(street.vendors, happens), clock=street.clock)
    assert street.why(dispatch, ann)[0] == "sending" and street.counts(dispatch)["merged"] == 1 and not street.vendor.accepted
    street.clock.pass_(minutes=10)
    street.work()

    (theirs,) = audience.load(street.workspace_id, [ann])
    assert [mail.address for mail in street.vendor.accepted] == [theirs.email]
    assert street.counts(dispatch) == {"sent": 1, "merged": 1} and street.why(dispatch, ann) == ("sent", "")
    street.hear("bounce")
    summer = street.launch([ann], campaign_key="summer-sale")
    assert street.counts(dispatch) == {"bounced": 1, "merged": 1} and street.counts(summer) == {"suppressed": 1}


def test_whoever_gets_it_under_another_number_is_told_so_with_a_link_to_that_message(street: Any, client: Client) -> None:
    street.route("sendgrid")
    anonymous, ann = street.people(2)
    dispatch = street.launch([anonymous, ann], batch_size=1)
    merge(street, ann, anonymous)
    street.work(pieces=1)
    client.force_login(governance.User.objects.get(pk=street.person("cleo").user_id))
    page = client.get(f"/console/messages/{delivery.message_id(dispatch, 0)}/").content.decode()
    assert "one person with another of the run" in page and f"/console/messages/{delivery.message_id(dispatch, 1)}/" in page


def test_a_relaunch_passes_over_whoever_has_it_still_coming_under_another_number(street: Any) -> None:
    street.route("sendgrid")
    anonymous, ann = street.people(2)
    first = street.launch([anonymous, ann], batch_size=1)
    street.clock.pass_(minutes=1)
    merge(street, ann, anonymous)
    street.work(pieces=1)
    again = street.launch([ann], relaunch=1)
    street.work()
    assert street.counts(first) == {"sent": 1, "merged": 1} and street.counts(again) == {"reached": 1}


def test_a_relaunch_passes_over_whoever_got_it_under_one_number_and_not_under_the_other(street: Any) -> None:
    street.route("sendgrid")
    (dead,) = street.people(1, email="dead@example.com")
    (ann,) = street.people(1)
    first = street.launch([dead, ann])
    delivery.suppress(street.workspace_id, "email", "dead@example.com", reason="bounced", source="tests", now=street.clock())
    street.work()
    street.clock.pass_(minutes=1)
    merge(street, ann, dead)
    again = street.launch([ann], relaunch=1)
    assert street.counts(first) == {"sent": 1, "suppressed": 1} and street.counts(again) == {"reached": 1}


def test_what_an_event_set_off_goes_to_the_one_who_stays_though_it_was_made_for_the_other(street: Any) -> None:
    street.route("sendgrid")
    (anonymous,) = street.people(1)
    (ann,) = street.people(1, email="ann@example.com")
    about: Any = {"channel": "email", "message_class": "promotional", "topic": "offers", "template_revision_id": 1}
    of = delivery.Standing(workspace_id=street.workspace_id, kind="event", key="cart", day=street.clock().date(), **about)
    dispatch = delivery.standing(of, now=street.clock())
    street.decide(dispatch, [anonymous])
    made = street.lease()
    written = street.render(made)
    merge(street, ann, anonymous)
    delivery.send(made, written, vendors=street.vendors, clock=street.clock)
    street.work()
    assert [mail.address for mail in street.vendor.accepted] == ["ann@example.com"]


def test_of_two_places_that_are_tried_again_together_one_is(street: Any) -> None:
    street.route("sendgrid")
    anonymous, ann = street.people(2)
    dispatch = street.launch([anonymous, ann])
    street.vendor.fault = lambda number: "ok" if number else "429"
    street.work(pieces=1)
    merge(street, ann, anonymous)
    street.clock.pass_(minutes=10)
    street.work()
    assert street.counts(dispatch) == {"sent": 1, "merged": 1} and len(street.vendor.accepted) == 1


def test_of_a_request_that_is_split_the_half_of_somebody_merged_meanwhile_is_made_anew_for_the_one_who_stays(street: Any) -> None:
    """The other place of theirs was left out because this one was on its way; and where both of them were in it, one half is."""
    street.route("sendgrid")
    anonymous, ben, cleo, ann = street.people(4)
    dispatch = street.launch([anonymous, ben, cleo, ann], batch_size=3, message_class="service")
    street.vendor.fault = lambda number: "ok" if number else "400"

    def happens() -> None:
        merge(street, ann, anonymous)
        merge(street, cleo, ben)
        street.work()

    flying = street.lease("w1")
    delivery.send(flying, street.render(flying), vendors=Meanwhile(street.vendors, happens), clock=street.clock)
    street.work()
    there = audience.load(street.workspace_id, [ann, cleo])
    assert sorted(mail.address for mail in street.vendor.accepted) == sorted(person.email or "" for person in there)
    assert street.counts(dispatch) == {"sent": 2, "merged": 2}
