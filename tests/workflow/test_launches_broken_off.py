"""A launch dies at any point before its commit: nobody is planned; after it: everybody is. The next launch reaches exactly who it should.

`OMNI_TEST_KILLS=100` breaks off at more points than ten.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime
from random import Random

import pytest

from delivery.models import Dispatch, LeftOut, Message, OutboxMail, Slice
from tests import factories as make
from tests.simulation.chaos import Arm, Chaos, Killed
from workflow import pipeline, worker
from workflow.models import Occurrence, Run

pytestmark = pytest.mark.django_db(transaction=True)
KILLS, PEOPLE = int(os.environ.get("OMNI_TEST_KILLS", "10")), 60


def planned() -> Counter[str]:
    """What a launch leaves behind, by table."""
    counted = {model.__name__: model._default_manager.count() for model in (Dispatch, Slice, Message, LeftOut, Run, Occurrence)}
    return Counter({name: count for name, count in counted.items() if count})


def test_a_launch_that_dies_plans_nobody_and_the_next_one_exactly_who_it_should(now: datetime) -> None:
    draw = Random(11)
    make.profiles(PEOPLE, now=now, domain="willing.example")
    make.profiles(20, now=now, domain="silent.example", consents=())
    key, ben = make.spring_sale(now=now, batch_size=50), make.person("ben", now=now)
    chaos = Chaos(draw, lambda: None)

    def statements() -> int:
        """How many a whole launch takes, by one whose last commit is never reached."""
        chaos.arm = counting = Arm(10_000, Killed(), False)
        with pytest.raises(ZeroDivisionError), chaos.playing(), pytest.MonkeyPatch.context() as patch:
            patch.setattr("workflow.pipeline.bells.ring", lambda: 1 // 0)
            pipeline.launch(ben, key, now=now)
        return 10_000 - counting.countdown

    statements()  # the first one asks what later ones remember
    whole = statements()
    assert whole > 10 and not planned()
    for _ in range(KILLS):
        chaos.arm = Arm(draw.randrange(whole), Killed(), draw.random() < 0.5)
        with pytest.raises(Killed), chaos.playing():
            pipeline.launch(ben, key, now=now)
        assert not planned(), chaos.struck[-1]

    pipeline.launch(ben, key, now=now, typed_count=PEOPLE)
    worker.drain(now=lambda: now)
    reached = Counter(OutboxMail.objects.values_list("recipient", flat=True))
    assert len(reached) == PEOPLE and set(reached.values()) == {1} and all(name.endswith("@willing.example") for name in reached)


def test_a_launch_whose_commit_is_never_answered_is_whole_and_not_launched_again(now: datetime) -> None:
    make.profiles(PEOPLE, now=now)
    at = {"type": "schedule", "cron": "0 10 * * *", "zone": "UTC", "late_limit_minutes": 60}
    make.spring_sale(now=now, trigger=at)
    ten, chaos = now.replace(hour=10), Chaos(Random(11), lambda: None)
    with pytest.raises(Killed), chaos.playing(), pytest.MonkeyPatch.context() as patch:
        real = pipeline.schedules.claim

        def claim(*given: object, **more: object) -> bool:
            chaos.commits = [Killed()]  # the commit that follows is the launch's
            return real(*given, **more)  # type: ignore[arg-type]

        patch.setattr("workflow.pipeline.schedules.claim", claim)
        pipeline.tick(now=ten)
    assert pipeline.tick(now=ten) == 0 and Run.objects.count() == 1
    worker.drain(now=lambda: ten)
    assert set(Counter(OutboxMail.objects.values_list("recipient", flat=True)).values()) == {1} and OutboxMail.objects.count() == PEOPLE
