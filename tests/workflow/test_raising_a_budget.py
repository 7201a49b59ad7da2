"""A run that its budget halted goes on when a person raises it: on its page, by the API, from the shell."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from delivery import door as delivery
from delivery.budgets import TOO_LITTLE
from delivery.halts import halt
from governance.door import User
from tests import factories as make
from tests.workflow.test_api import Api
from workflow import pipeline
from workflow.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    now = timezone.now()
    make.profiles(2, now=now)
    key = make.spring_sale(now=now, budget={"micros": 1_250_000, "currency": "USD"})
    return pipeline.launch(make.person("ben", now=now), key, now=now)


def test_the_page_offers_it_and_says_who_did_it(run: Run) -> None:
    make.person("ben", now=timezone.now())
    client = Client()
    client.force_login(User.objects.get(username="ben"))
    delivery.pause(make.person("ben", now=timezone.now()), run.dispatch_id, now=timezone.now())
    assert "Raise this run’s budget" in client.get(f"/console/runs/{run.pk}/").content.decode()

    refused = client.post(f"/console/runs/{run.pk}/act/", {"act": "budget", "budget": "a lot"})
    taken = client.post(f"/console/runs/{run.pk}/act/", {"act": "budget", "budget": "$1,250.50", "reason": "it goes well"})

    assert (refused.status_code, taken.status_code) == (422, 302)
    assert delivery.facts(run.workspace_id, run.dispatch_id).budget_micros == 1_250_500_000
    page = client.get(f"/console/runs/{run.pk}/").content.decode()
    assert "Raised the budget" in page and "it goes well" in page


def test_a_run_that_a_guard_stopped_says_so_and_offers_what_helps(run: Run) -> None:
    ben, client = make.person("ben", now=timezone.now()), Client()
    client.force_login(User.objects.get(username="ben"))
    halt(run.workspace_id, run.dispatch_id, f"1.25 USD is spent, and {TOO_LITTLE}", by="budget", now=timezone.now())

    page = client.get(f"/console/runs/{run.pk}/").content.decode()
    home = client.get("/console/").content.decode()
    assert "<strong>Halted.</strong> 1.25 USD is spent" in page and "Paused" not in page
    assert 'data-look="primary" type="button" data-dialog-open="budget"' in page
    assert "Halted: Spring sale." in home and "is halted because 1.25 USD is spent" in home

    delivery.raise_budget(ben, run.dispatch_id, 2_000_000, now=timezone.now())
    page = client.get(f"/console/runs/{run.pk}/").content.decode()
    assert "was spent, and is 2.00" in page
    assert 'data-look="primary" type="button" data-dialog-open="resume"' in page


def test_the_api_raises_it_and_says_what_is_spent(run: Run) -> None:
    api = Api("runs:launch", "runs:read")

    less = api.call("POST", f"runs/{run.pk}/budget", {"micros": 1})
    more = api.call("POST", f"runs/{run.pk}/budget", {"micros": 2_000_000, "reason": "more"}).json()

    assert less.status_code == 422 and "more than 1.25" in less.content.decode()
    assert (more["budget_micros"], more["cost_micros"]) == (2_000_000, 0)


def test_a_command_controls_a_run_as_a_person(run: Run) -> None:
    def control(*words: Any) -> str:
        said = StringIO()
        call_command("control_run", str(run.pk), *words, "--as", "ben", stdout=said)
        return said.getvalue()

    assert "is paused" in control("pause", "--reason", "lunch")
    assert "is paused" in control("budget", "--micros", "2000000")
    assert "is running" in control("resume")
    view = delivery.facts(run.workspace_id, run.dispatch_id)
    assert (view.state, view.budget_micros) == ("running", 2_000_000)
