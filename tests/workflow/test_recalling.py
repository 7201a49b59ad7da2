"""The recall of anything that a run was approved with halts it: nothing more of it is handed to a vendor."""

from __future__ import annotations

from datetime import datetime

import pytest

from delivery import door as delivery
from delivery.models import OutboxMail
from governance import door as governance
from tests import factories as make
from workflow import pipeline, worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("kind", "key"), [("segment", "everyone"), ("template", "offer"), ("campaign", "spring-sale"), ("segment", "all-of-them")]
)
def test_a_recalled_document_halts_the_run_that_uses_it(now: datetime, kind: str, key: str) -> None:
    make.profiles(3, now=now)
    make.put("segment", "all-of-them", make.segment(), now=now)
    campaign = make.spring_sale(now=now)
    make.put("segment", "everyone", make.segment(rule={"segment": "all-of-them"}), now=now)
    make.release("campaign", campaign, now=now)
    run = pipeline.launch(make.person("ben", now=now), campaign, now=now)

    number = governance.released(run.workspace_id, kind, key).number
    governance.recall(make.person("ben", now=now), kind, key, number=number, reason="wrong", now=now)
    worker.drain(now=lambda: now)

    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"recalled": 3}
    assert not OutboxMail.objects.exists()


def test_a_revision_that_the_run_does_not_use_halts_nothing(now: datetime) -> None:
    make.profiles(3, now=now)
    run = pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now), now=now)
    make.put("segment", "everyone", make.segment(title="Another"), now=now)
    governance.recall(make.person("ben", now=now), "segment", "everyone", number=2, reason="wrong", now=now)

    worker.drain(now=lambda: now)

    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"sent": 3}


@pytest.mark.parametrize("named", [None, "manners"])
def test_a_recalled_policy_holds_the_run_instead_of_letting_it_go_without_manners(now: datetime, named: str | None) -> None:
    make.profiles(3, now=now)
    policy = named or "default"
    make.in_force("sending_policy", policy, make.policy(), now=now)
    run = pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now, policy=named), now=now)
    number = governance.released(run.workspace_id, "sending_policy", policy).number

    governance.recall(make.person("ben", now=now), "sending_policy", policy, number=number, reason="too lax", now=now)
    worker.drain(now=lambda: now)

    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"waiting": 3}
    assert not OutboxMail.objects.exists()
