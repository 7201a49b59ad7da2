"""To launch is an approver's act, whichever door is used."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client

from governance import door as governance
from governance.door import Refused, Role
from tests import factories as make
from workflow import pipeline
from workflow.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def campaign(now: datetime) -> str:
    make.profiles(3, now=now)
    return make.spring_sale(now=now)


def launch_with(key: str, campaign: str) -> HttpResponse:
    return Client().post(
        f"/api/v1/campaigns/{campaign}/runs",
        json.dumps({"count": 3}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )


@pytest.mark.parametrize("name", ["vera", "ada"])
def test_nobody_below_approver_launches(campaign: str, now: datetime, name: str) -> None:
    with pytest.raises(Refused, match="needs approver"):
        pipeline.launch(make.person(name, now=now), campaign, now=now, typed_count=3)
    assert not Run.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
def test_a_lesser_key_with_the_scope_does_not_launch(campaign: str, now: datetime, role: Role) -> None:
    cleo = make.person("cleo", now=now)
    _, text = governance.create_api_key(cleo, "launcher", role, ["runs:launch"], None, now)
    answer = launch_with(text, campaign)
    assert answer.status_code == 403 and not Run.objects.exists()


def test_a_key_of_somebody_who_was_demoted_launches_no_more(campaign: str, now: datetime) -> None:
    cleo, dora = make.person("cleo", now=now), governance.User.objects.create_user("dora")
    governance.set_member(cleo, dora, role=Role.ADMIN, legal=False, now=now)
    maker = governance.actor_for(dora, cleo.workspace_id, "console")
    _, text = governance.create_api_key(maker, "launcher", Role.ADMIN, ["runs:launch"], None, now)
    governance.set_member(cleo, dora, role=Role.VIEWER, legal=False, now=now)
    answer = launch_with(text, campaign)
    assert answer.status_code == 403 and not Run.objects.exists()


@pytest.mark.parametrize("who", [{}, {"as_user": "ada"}])
def test_the_command_launches_for_nobody_and_for_no_author(
    campaign: str, now: datetime, who: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    make.person("ada", now=now)
    with pytest.raises(SystemExit) as ended:
        call_command("send_campaign", campaign, yes=True, no_wait=True, **who)
    assert ended.value.code == 3 and not Run.objects.exists()
    assert "person" in capsys.readouterr().err or who
