"""A launch sends what was approved to whom it was approved for, once, and says no in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from delivery import door as delivery
from delivery.models import OutboxMail
from governance.door import Refused
from tests import factories as make
from tests.together import together
from workflow import pipeline, worker
from workflow.models import Run
from workflow.outlook import look_ahead

pytestmark = pytest.mark.django_db(transaction=True)


def send_all(now: datetime) -> None:
    worker.drain(now=lambda: now)


def test_a_campaign_goes_from_a_segment_to_the_mailbox(now: datetime) -> None:
    make.profiles(30, now=now)
    key = make.spring_sale(now=now)
    run = pipeline.launch(make.person("ben", now=now), key, now=now, typed_count=30)
    assert OutboxMail.objects.count() == 0
    send_all(now)
    assert OutboxMail.objects.count() == 30
    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"sent": 30}
    assert OutboxMail.objects.first().subject == "Hello friend"  # type: ignore[union-attr]


@pytest.mark.postgres
def test_of_two_people_who_launch_at_the_same_moment_one_does(now: datetime) -> None:
    make.profiles(30, now=now)
    key = make.spring_sale(now=now)
    who = [make.person("ben", now=now), make.person("cleo", now=now)]
    acts = [partial(pipeline.launch, each, key, now=now + timedelta(seconds=place)) for place, each in enumerate(who)]
    outcomes = ["launched" if isinstance(each, Run) else "refused" if isinstance(each, Refused) else each for each in together(acts)]

    assert sorted(outcomes) == ["launched", "refused"]
    send_all(now + timedelta(seconds=5))
    assert OutboxMail.objects.count() == 30


def test_a_wrong_number_launches_nothing(now: datetime) -> None:
    make.profiles(3, now=now)
    key = make.spring_sale(now=now)
    with pytest.raises(Refused, match="found 30, expected 3"):
        pipeline.launch(make.person("ben", now=now), key, now=now, typed_count=30)
    assert not Run.objects.exists()


def test_launching_again_reaches_only_those_who_came_since(now: datetime) -> None:
    make.profiles(20, now=now)
    key = make.spring_sale(now=now)
    pipeline.launch(make.person("ben", now=now), key, now=now)
    send_all(now)
    make.profiles(2, now=now)
    again = pipeline.launch(make.person("ben", now=now), key, now=now + timedelta(minutes=5), typed_count=2)
    send_all(now + timedelta(minutes=5))
    assert OutboxMail.objects.count() == 22
    assert delivery.facts(again.workspace_id, again.dispatch_id).counts == {"sent": 2, "reached": 20}


def test_whoever_launches_by_hand_is_told_that_a_schedule_does_so_too(now: datetime) -> None:
    make.profiles(3, now=now)
    key = make.spring_sale(now=now, trigger={"type": "schedule", "cron": "0 12 * * MON", "zone": "Europe/Paris"}, reentry=True)

    def warned(at: datetime, planned_at: datetime | None = None) -> list[str]:
        looked = look_ahead(make.workspace().pk, key, now=at, planned_at=planned_at)
        return [finding.found for finding in looked.findings if finding.path == "/trigger"]

    noon = now + timedelta(hours=2)
    assert warned(now) == ["a schedule that sends it again on Monday 2 March at 12:00 (Europe/Paris)"]
    assert warned(noon, planned_at=noon) == []
    by_hand = pipeline.launch(make.person("ben", now=now), key, now=now)
    send_all(now)
    assert warned(noon, planned_at=noon) == [f"3 people who are in run {by_hand.pk} of the last 24 hours, too"]
    assert len(warned(now + timedelta(days=3))) == 1, "the run is no longer of the last day; the schedule stays"


def test_a_kill_switch_or_a_missing_policy_is_an_objection_before_anything_is_launched(now: datetime) -> None:
    make.profiles(3, now=now)
    key, ben = make.spring_sale(now=now, policy="quiet"), make.person("ben", now=now)

    def objections() -> list[str]:
        return [str(finding) for finding in look_ahead(make.workspace().pk, key, now=now).errors]

    [policy] = objections()
    assert "/policy" in policy and "'quiet'" in policy and "approved and released by itself" in policy
    make.in_force("sending_policy", "quiet", make.policy(), now=now)
    assert objections() == []
    delivery.kill(ben, "campaign", key, on=True, reason="wrong prices", now=now)
    [switch] = objections()
    assert "kill switch for the campaign spring-sale: wrong prices" in switch
    with pytest.raises(Refused, match="kill switch"):
        pipeline.launch(ben, key, now=now)
    delivery.kill(ben, "campaign", key, on=False, reason="mended", now=now)
    assert objections() == []


def test_what_a_schedule_launches_under_a_kill_switch_is_held_and_not_lost(now: datetime) -> None:
    make.profiles(3, now=now)
    key = make.spring_sale(now=now, trigger={"type": "schedule", "cron": "0 12 * * MON", "zone": "Europe/Paris"})
    ben, noon = make.person("ben", now=now), now + timedelta(hours=2)
    delivery.kill(ben, "campaign", key, on=True, reason="wrong prices", now=now)
    assert pipeline.tick(now=noon) == 1
    send_all(noon)
    assert OutboxMail.objects.count() == 0
    delivery.kill(ben, "campaign", key, on=False, reason="mended", now=noon)
    send_all(noon + timedelta(minutes=2))
    assert OutboxMail.objects.count() == 3


def test_a_template_changed_after_approval_stops_the_launch_and_is_named(now: datetime) -> None:
    make.profiles(3, now=now)
    key = make.spring_sale(now=now)
    make.in_force("template", "offer", make.template(title="Another offer"), now=now)
    with pytest.raises(Refused) as refusal:
        pipeline.launch(make.person("ben", now=now), key, now=now)
    assert any("offer" in str(finding) for finding in refusal.value.findings)


def test_an_audience_that_outgrew_its_approval_is_refused_with_both_numbers(now: datetime) -> None:
    make.profiles(10, now=now)
    key = make.spring_sale(now=now)
    make.profiles(10, now=now)
    with pytest.raises(Refused) as refusal:
        pipeline.launch(make.person("ben", now=now), key, now=now)
    assert "20" in str(refusal.value.findings[0]) and "10" in str(refusal.value.findings[0])


def test_an_empty_audience_is_an_error_and_never_everyone(now: datetime) -> None:
    make.profiles(3, now=now)
    make.put("segment", "everyone", make.segment(rule={"profile": "country", "op": "is", "value": "AQ"}), now=now)
    make.put("attribute", "first_name", make.attribute(), now=now)
    make.put("template", "offer", make.template(), now=now)
    make.in_force("campaign", "empty", make.campaign(), now=now)
    with pytest.raises(Refused, match="an empty audience"):
        pipeline.launch(make.person("ben", now=now), "empty", now=now)


def test_the_number_to_type_leaves_out_who_has_no_address_or_never_agreed(now: datetime) -> None:
    make.profiles(6, now=now)
    silent, stranger = make.profile(now=now, email=None), make.profile(now=now, consents=())
    key = make.spring_sale(now=now)
    ben = make.person("ben", now=now)
    ahead = pipeline.preview(ben.workspace_id, key, now=now)
    assert ahead.count == 6 and {word: list(people) for word, people in ahead.left_out.items()} == {
        "unreachable": [silent],
        "no_consent": [stranger],
    }
    run = pipeline.launch(ben, key, now=now, typed_count=6)
    send_all(now)
    view = delivery.facts(run.workspace_id, run.dispatch_id)
    assert (view.considered, view.planned) == (8, 6) and OutboxMail.objects.count() == 6
    assert pipeline.why(run.workspace_id, run.pk, stranger).state == "left_out"


def test_who_shares_an_address_with_a_refusal_gets_nothing_in_their_place(now: datetime) -> None:
    make.profile(now=now, email="ada@example.com", consents=(("email", "offers", "unsubscribed"),))
    make.profile(now=now, email="Ada@example.com")
    make.profile(now=now)
    ahead = pipeline.preview(make.workspace().pk, make.spring_sale(now=now), now=now)
    assert ahead.count == 1 and {word: len(people) for word, people in ahead.left_out.items()} == {"duplicate": 1, "no_consent": 1}


def test_a_limit_counts_those_who_would_get_a_message_and_goes_on_with_the_next(now: datetime) -> None:
    make.profile(now=now, email=None)
    make.profiles(3, now=now)
    key = make.spring_sale(now=now)
    ben = make.person("ben", now=now)
    for minute, expected in enumerate((2, 1)):
        then = now + timedelta(minutes=minute)
        run = pipeline.launch(ben, key, now=then, limit=2)
        send_all(then)
        assert delivery.facts(run.workspace_id, run.dispatch_id).planned == expected
    assert OutboxMail.objects.count() == 3


def test_launching_again_does_not_reach_an_address_through_another_profile_of_it(now: datetime) -> None:
    make.profile(now=now, email="ada@example.com")
    make.profiles(2, now=now)
    key = make.spring_sale(now=now)
    ben = make.person("ben", now=now)
    pipeline.launch(ben, key, now=now)
    send_all(now)
    make.profile(now=now, email="ADA@example.com")
    ahead = pipeline.preview(ben.workspace_id, key, now=now)
    assert ahead.count == 0 and {word: len(people) for word, people in ahead.left_out.items()} == {"reached": 3, "duplicate": 1}


def test_the_holdout_gets_nothing_and_why_says_so(now: datetime) -> None:
    ids = make.profiles(200, now=now)
    key = make.spring_sale(now=now, holdout=0.2)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    send_all(now)
    answers = [pipeline.why(run.workspace_id, run.pk, profile_id) for profile_id in ids]
    held = [why for why in answers if why.reason == "holdout"]
    assert 20 < len(held) < 60 and len(held) + OutboxMail.objects.count() == 200


def test_variants_share_the_audience_by_weight_and_keep_their_people(now: datetime) -> None:
    make.profiles(400, now=now)
    make.put("template", "brief", make.template(title="Brief", locales={"en": make.letter(subject="Brief")}), now=now)
    variants = [{"key": "long", "weight": 1.0, "template": "offer"}, {"key": "brief", "weight": 3.0, "template": "brief"}]
    key = make.spring_sale(now=now, template=None, variants=variants)
    pipeline.launch(make.person("ben", now=now), key, now=now)
    send_all(now)
    assert 0.65 < OutboxMail.objects.filter(subject="Brief").count() / 400 < 0.85


def test_a_shadow_run_decides_everything_and_sends_nothing(now: datetime) -> None:
    make.profiles(12, now=now)
    key = make.spring_sale(now=now)
    run = pipeline.launch(make.person("ben", now=now), key, now=now, shadow=True)
    send_all(now)
    assert OutboxMail.objects.count() == 0
    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"shadow": 12}


def test_a_person_who_left_in_between_gets_nothing(now: datetime) -> None:
    ids = make.profiles(5, now=now)
    key = make.spring_sale(now=now)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    from audience import door as audience

    audience.set_consent(run.workspace_id, ids[:1], channel="email", topic="offers", state="unsubscribed", source="tests", now=now)
    send_all(now)
    assert OutboxMail.objects.count() == 4
    assert pipeline.why(run.workspace_id, run.pk, ids[0]).reason == "no_consent"


def test_a_paused_run_sends_nothing_until_it_is_resumed(now: datetime) -> None:
    make.profiles(5, now=now)
    key = make.spring_sale(now=now)
    ben = make.person("ben", now=now)
    run = pipeline.launch(ben, key, now=now)
    delivery.pause(ben, run.dispatch_id, now=now)
    send_all(now)
    assert OutboxMail.objects.count() == 0
    delivery.resume(ben, run.dispatch_id, now=now)
    send_all(now + timedelta(seconds=10))
    assert OutboxMail.objects.count() == 5
