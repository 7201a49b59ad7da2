"""An event finds the campaigns it can trigger; the best one sends, once, and the others are recorded."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from audience import door as audience
from delivery.models import Message, OutboxMail
from delivery.states import Reason
from tests import factories as make
from workflow import pipeline, worker
from workflow.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def trigger(**changes: object) -> dict[str, object]:
    return {"type": "event", "event": "signed_up", **changes}


def happen(external_id: str, event_id: str, now: datetime, **properties: object) -> None:
    event = audience.NewEvent(event_id, "signed_up", external_id, now, properties)
    assert audience.record(make.workspace().pk, [event], now=now).accepted == 1


def send_all(now: datetime) -> None:
    worker.drain(now=lambda: now)


def test_an_event_sends_the_released_campaign_that_listens_to_it(now: datetime) -> None:
    make.profile(now=now, external_id="ada")
    make.spring_sale(now=now, trigger=trigger())
    happen("ada", "e1", now)
    send_all(now)
    assert OutboxMail.objects.count() == 1 and Run.objects.get().trigger == "event"


def test_the_same_event_again_sends_nothing_more(now: datetime) -> None:
    make.profile(now=now, external_id="ada")
    make.spring_sale(now=now, trigger=trigger())
    happen("ada", "e1", now)
    send_all(now)
    event = audience.NewEvent("e1", "signed_up", "ada", now)
    assert audience.record(make.workspace().pk, [event], now=now).duplicates == 1
    send_all(now)
    assert OutboxMail.objects.count() == 1


def test_a_rule_about_the_event_itself_decides(now: datetime) -> None:
    make.profile(now=now, external_id="ada")
    rule = {"trigger": {"property": "plan", "op": "is", "value": "pro"}}
    make.spring_sale(now=now, trigger=trigger(where=rule))
    happen("ada", "e1", now, plan="free")
    happen("ada", "e2", now, plan="pro")
    send_all(now)
    assert OutboxMail.objects.count() == 1


def test_the_higher_priority_wins_and_the_other_is_outranked(now: datetime) -> None:
    ada = make.profile(now=now, external_id="ada")
    make.put("template", "minor", make.template(title="Minor", locales={"en": make.letter(subject="Minor")}), now=now)
    make.spring_sale(now=now, trigger=trigger(), priority=90)
    make.in_force("campaign", "minor", make.campaign(template="minor", trigger=trigger(), priority=10), now=now)
    happen("ada", "e1", now)
    send_all(now)
    assert [mail.subject for mail in OutboxMail.objects.all()] == ["Hello friend"]
    loser = Run.objects.get(campaign_key="minor")
    assert Message.objects.get(dispatch_id=loser.dispatch_id).reason == Reason.OUTRANKED
    assert pipeline.why(loser.workspace_id, loser.pk, ada).reason == "outranked"


def test_somebody_who_does_it_all_the_time_stops_triggering(now: datetime) -> None:
    make.profile(now=now, external_id="ada")
    make.spring_sale(now=now, trigger=trigger())
    for number in range(15):
        happen("ada", f"e{number}", now)
        send_all(now)
    assert OutboxMail.objects.count() == 10
    assert Message.objects.filter(reason=Reason.CAPPED).count() == 5


def test_a_storm_that_waited_for_a_worker_triggers_no_more_than_one_that_did_not(now: datetime) -> None:
    make.profile(now=now, external_id="ada")
    make.spring_sale(now=now, trigger=trigger())
    for number in range(15):
        happen("ada", f"e{number}", now + timedelta(minutes=number))
    send_all(now + timedelta(hours=3))
    assert OutboxMail.objects.count() == 10
    assert Message.objects.filter(reason=Reason.CAPPED).count() == 5
