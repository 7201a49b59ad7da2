"""Rules ask what became of our own messages: of the ledger what was sent, of the vendors' word the rest."""

from __future__ import annotations

from typing import Any

import pytest

from audience import door as audience
from audience.door import SegmentBody
from delivery import door as delivery
from governance.door import Invalid, parse
from tests import factories

pytestmark = pytest.mark.django_db


def who(street: Any, **rule: Any) -> set[int]:
    body = parse(SegmentBody, factories.segment(rule=rule))
    return set(audience.resolve(street.workspace_id, body, as_of=street.clock()).ids)


def test_sent_is_what_a_vendor_surely_took(street: Any) -> None:
    street.route("sendgrid")
    ids = street.people(4)
    street.vendor.fault = lambda number: "accept_drop" if number == 1 else "ok"
    dispatch = street.launch(ids[:3], batch_size=2)
    street.work()
    assert street.counts(dispatch) == {"sent": 2, "in_doubt": 1}
    campaign = street.facts(dispatch).key
    assert who(street, message="sent", campaign=campaign) == who(street, message="sent") == set(ids[:2])
    assert who(street, message="sent", op="never") == set(ids[2:])
    assert who(street, message="sent", campaign="another") == who(street, message="sent", channel="sms") == set()
    assert who(street, message="sent", count=2) == set()

    street.hear("processed")
    assert who(street, message="sent", channel="email") == set(ids[:3])


def test_its_window_counts_from_the_last_look(street: Any) -> None:
    street.route("sendgrid")
    (ada,) = street.people(1)
    street.launch([ada])
    street.work()
    street.clock.pass_(days=10)
    assert who(street, message="sent", within={"last": 11, "unit": "days"}) == {ada}
    assert who(street, message="sent", within={"last": 9, "unit": "days"}) == set()
    after = {"sequence": [{"event": "message.sent"}, {"event": "message.delivered"}], "apart": {"amount": 3, "unit": "days"}}
    assert who(street, **after) == set() and who(street, **after, op="not_followed") == {ada}


def test_what_vendors_report_is_asked_by_campaign(street: Any) -> None:
    street.route("sendgrid")
    ids = street.people(3)
    dispatch = street.launch(ids)
    street.work()
    street.hear("delivered", street.vendor.accepted[:2])
    street.hear("open", street.vendor.accepted[:1])
    campaign = street.facts(dispatch).key
    assert len(who(street, message="delivered", campaign=campaign)) == 2
    (opener,) = who(street, message="opened", campaign=campaign)
    rule = parse(SegmentBody, factories.segment(rule={"message": "opened", "campaign": campaign}))
    told = audience.explain(street.workspace_id, rule, opener, as_of=street.clock())
    assert told.matched and told.facts["times"] == 1 and told.sentence == f"who opened a message of “{campaign}” at least once"
    assert who(street, all=[{"message": "sent"}, {"message": "opened", "op": "never"}]) == set(ids) - {opener}


def test_what_is_no_word_of_a_message_is_refused(street: Any) -> None:
    for rule, where in (({"message": "read"}, "/rule/message"), ({"message": "sent", "count": 0}, "/rule/count")):
        with pytest.raises(Invalid) as refused:
            who(street, **rule)
        assert [finding.path for finding in refused.value.findings] == [where]
    with pytest.raises(Invalid, match="campaign or channel: all that rules may ask"):
        who(street, event="message.sent", where=[{"property": "link", "op": "exists"}])
    assert delivery.in_doubt(street.workspace_id) == []
