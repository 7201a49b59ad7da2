"""What somebody would get now is what a launch at this moment does to them, for every reason that there is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from audience import door as audience
from delivery import door as delivery
from tests import factories as make
from tests.workflow.test_triggers import happen
from workflow import pipeline, worker
from workflow.prospects import Prospect, prospects

pytestmark = pytest.mark.django_db(transaction=True)
QUIET = {"start": "21:00", "end": "11:00", "channels": ["email"], "zone": "UTC"}


def would(profile_id: int, now: datetime) -> Prospect:
    [person] = audience.load(make.workspace().pk, [profile_id])
    [only] = prospects(make.workspace().pk, person, now=now)
    return only


def launch(now: datetime, key: str = "spring-sale") -> int:
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    worker.drain(now=lambda: now)
    return run.pk


@pytest.mark.parametrize(
    ("holdout", "reasons"),
    [(0.0, {"", "no_consent", "unreachable", "suppressed", "duplicate"}), (0.4, {"", "holdout"})],
)
def test_a_launch_does_to_everybody_what_was_foretold(now: datetime, holdout: float, reasons: set[str]) -> None:
    people = {
        "abroad": make.profile(now=now, country="PT"),
        "without consent": make.profile(now=now, consents=()),
        "without address": make.profile(now=now, email=None),
        "suppressed": make.profile(now=now, email="no@example.com"),
        "first of two": make.profile(now=now, email="both@example.com"),
        "second of two": make.profile(now=now, email="both@example.com"),
    }
    delivery.suppress(make.workspace().pk, "email", "no@example.com", reason="bounced", source="tests", now=now)
    everybody = [*people.values(), *make.profiles(40, now=now)]
    rule = {"profile": "country", "op": "is", "value": "GB"}
    make.spring_sale(now=now, holdout=holdout)
    make.in_force("segment", "everyone", make.segment(title="Britons", rule=rule), now=now)
    make.release("campaign", "spring-sale", now=now)

    foretold = {profile_id: would(profile_id, now) for profile_id in everybody}
    run_id = launch(now)

    for profile_id, told in foretold.items():
        became = pipeline.why(make.workspace().pk, run_id, profile_id)
        expected = {"outside": {"not_considered"}, "left_out": {"left_out", "skipped"}, "would_get": {"sent"}}[told.verdict]
        assert became.state in expected and became.reason == told.reason, (profile_id, told, became)
    assert reasons <= {each.reason for each in foretold.values()}
    got = [each for each in foretold.values() if each.verdict == "would_get"]
    assert {each.shown for each in got} == {"Hello friend"}


def test_whoever_had_it_by_hand_would_not_get_it_again(now: datetime) -> None:
    ada = make.profile(now=now)
    make.spring_sale(now=now)
    assert would(ada, now).verdict == "would_get"
    launch(now)
    assert (would(ada, now).verdict, would(ada, now).reason) == ("left_out", "reached")


def test_what_has_to_wait_says_until_when_and_caps_count(now: datetime) -> None:
    ada = make.profile(now=now)
    make.spring_sale(now=now, reentry=True)
    make.in_force("sending_policy", "default", make.policy(quiet_hours=QUIET), now=now)
    make.release("campaign", "spring-sale", now=now)
    waits = would(ada, now)
    assert waits.verdict == "would_get" and waits.until == now + timedelta(hours=2)

    make.in_force("sending_policy", "default", make.policy(caps=[{"count": 1, "hours": 24}]), now=now)
    make.release("campaign", "spring-sale", now=now)
    assert (would(ada, now).verdict, would(ada, now).until) == ("would_get", None)
    launch(now)
    assert (would(ada, now).verdict, would(ada, now).reason) == ("left_out", "capped")


def test_an_event_may_bring_the_same_again_and_a_variant_is_named(now: datetime) -> None:
    ada = make.profile(now=now, external_id="ada")
    variants = [{"key": "warm", "weight": 1, "template": "offer"}, {"key": "cool", "weight": 1, "template": "offer"}]
    make.spring_sale(now=now, trigger={"type": "event", "event": "signed_up"}, template=None, variants=variants)
    before = would(ada, now)
    assert before.verdict == "would_get" and before.variant in {"warm", "cool"} and "signed_up" in before.starts
    happen("ada", "e1", now)
    worker.drain(now=lambda: now)
    [sent] = delivery.messages(make.workspace().pk, profile_id=ada).items
    assert (sent.state, ["warm", "cool"][sent.variant]) == ("sent", before.variant)
    assert would(ada, now).verdict == "would_get"


def test_a_campaign_whose_approval_no_longer_fits_goes_to_nobody(now: datetime) -> None:
    ada = make.profile(now=now)
    make.spring_sale(now=now)
    make.in_force("template", "offer", make.template(title="Another offer"), now=now)
    told = would(ada, now)
    assert told.verdict == "refused" and told.reason
