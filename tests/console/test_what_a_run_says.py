"""A run's page tells what is known, and says so where nothing is."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from delivery import door as delivery
from delivery import evidence
from delivery.adapters.base import EventKind, VendorEvent
from delivery.models import Attempt, Dispatch, VendorAccount
from governance.door import User
from tests import factories as make
from workflow import pipeline, worker
from workflow.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def _page(run: Run, now: datetime) -> str:
    make.person("vera", now=now)
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    return " ".join(client.get(f"/console/runs/{run.pk}/").content.decode().split())


def _row(page: str, title: str) -> list[str]:
    """The cells of the row that begins with this title."""
    rest = page.partition(f'<th scope="row">{title}')[2].partition("</tr>")[0]
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", rest)]


def _tell(run: Run, kind: EventKind, numbers: range, now: datetime, *, vendor: str = "sendgrid", machine: bool = False) -> None:
    ids = [delivery.message_id(run.dispatch_id, n) for n in numbers]
    events = [VendorEvent(vendor, f"{kind}-{machine}-{each}", each, kind, now, machine=machine) for each in ids]
    evidence.take(events, home=run.workspace_id, now=now)


def test_what_nobody_told_of_is_not_none(now: datetime) -> None:
    make.profiles(8, now=now)
    run = pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now), now=now)
    worker.drain(now=lambda: now)
    page = _page(run, now)
    assert "The outbox reports nothing." in page and "By variant" not in page
    for title in ("Delivered", "Opened", "Clicked", "Unsubscribed", "Bounced", "Complained"):
        assert _row(page, title) == ["–", "–", "–"]

    _tell(run, "opened", range(2), now, vendor="omni")
    page = _page(run, now)
    assert _row(page, "Opened") == ["2", "25.0 %", "0"] and _row(page, "Clicked") == ["0", "0 %", "0"]
    assert _row(page, "Bounced") == ["–", "–", "–"] and "counted by OMNI itself" in page

    _tell(run, "delivered", range(2, 6), now)
    page = _page(run, now)
    assert _row(page, "Bounced") == ["0", "0 %", "–"] and "reports nothing" not in page


def test_a_run_that_should_be_sending_and_is_not_says_since_when(now: datetime) -> None:
    make.profiles(8, now=now)
    run = pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now), now=now)
    worker.drain(now=lambda: now)
    Dispatch.objects.filter(pk=run.dispatch_id).update(state="running", planned=9)  # as if one of its people still waited
    for ago, said in ((timedelta(), False), (timedelta(hours=1), True)):
        Attempt.objects.filter(dispatch_id=run.dispatch_id).update(posted_at=timezone.now() - ago)
        assert ("nothing went out since" in _page(run, now)) is said


def test_each_variant_and_the_held_out_are_told_apart(now: datetime) -> None:
    make.profiles(40, now=now)
    variants = [{"key": "warm", "weight": 1, "template": "offer"}, {"key": "cool", "weight": 1, "template": "offer"}]
    run = pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now, template=None, variants=variants, holdout=0.2), now=now)
    worker.drain(now=lambda: now)
    planned = delivery.facts(run.workspace_id, run.dispatch_id).planned
    warm, cool = delivery.by_variant(run.workspace_id, run.dispatch_id)
    assert warm.people + cool.people == planned and min(warm.people, cool.people) > 0
    assert 'warm<span class="table-sub">Offer</span>' in _page(run, now), "which letter that is"
    assert _row(_page(run, now), "warm") == [str(warm.people), "–", "–", "–"]

    _tell(run, "delivered", range(planned), now)
    _tell(run, "opened", range(planned), now, machine=True)
    _tell(run, "clicked", range(planned), now)
    page = _page(run, now)
    assert _row(page, "warm") == [
        str(warm.people), f"{warm.people} 100 %", f"0and {warm.people} by machines", f"{warm.people} 100 %",
    ]  # fmt: skip
    assert _row(page, "Held out") == [str(40 - planned), "–", "–", "–"]


def test_a_finished_run_tells_no_rate_and_a_pause_between_waves_counts_in_none(now: datetime) -> None:
    make.profiles(200, now=now)
    run = pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now, ramp=[0.5, 1.0], soak_minutes=60, batch_size=10), now=now)
    moments = iter(now + timedelta(milliseconds=step) for step in range(10**6))
    worker.drain(now=lambda: next(moments))
    delivery.housekeeping(now=next(moments))
    first = delivery.facts(run.workspace_id, run.dispatch_id)
    assert first.next_wave_at is not None and first.rate > 50 and "a second" not in _page(run, now)

    later = iter(now + timedelta(hours=2, milliseconds=step) for step in range(10**6))
    delivery.housekeeping(now=next(later))
    worker.drain(now=lambda: next(later))
    delivery.housekeeping(now=next(later))
    done = delivery.facts(run.workspace_id, run.dispatch_id)
    assert done.state == "done" and done.rate > 50, "two hours of waiting are no sending"
    assert "a second" not in _page(run, now)


def test_a_stopped_run_accounts_for_everybody_and_calls_no_wave_sent(now: datetime) -> None:
    make.profiles(8, now=now)
    ben = make.person("ben", now=now)
    run = pipeline.launch(ben, make.spring_sale(now=now, ramp=[0.5, 1.0]), now=now)
    delivery.stop(ben, run.dispatch_id, now=now, reason="wrong discount")
    page = _page(run, now)
    assert "<strong>Stopped.</strong> Wrong discount. 8 people got nothing from it." in page
    assert "Nothing has been handed over." in page and "100 % of 8" in page and "0 of 8 people looked at" in page
    assert {wave.state for wave in delivery.facts(run.workspace_id, run.dispatch_id).waves} == {"stopped"}


def test_what_holds_a_run_back_is_told_only_while_it_is_held_back_by_it(now: datetime) -> None:
    make.profiles(8, now=now)
    ben, minute = make.person("ben", now=now), timedelta(minutes=1)
    run = pipeline.launch(ben, make.spring_sale(now=now), now=now)
    switch, rest = "A kill switch holds it", "The vendor is left alone"
    delivery.kill(ben, "campaign", "spring-sale", True, reason="wrong prices", now=now)
    account = Dispatch.objects.values_list("account", flat=True).get(pk=run.dispatch_id)
    left = VendorAccount.objects.create(workspace_id=run.workspace_id, account=account, trouble="HTTP 401", blocked_until=timezone.now())
    for until, told in ((timezone.now() + minute, True), (timezone.now() - minute, False)):
        VendorAccount.objects.filter(pk=left.pk).update(blocked_until=until)
        page = _page(run, now)
        assert switch in page and (rest in page) is told, "what is over is no reason"
    delivery.stop(ben, run.dispatch_id, now=now, reason="wrong discount")
    VendorAccount.objects.filter(pk=left.pk).update(blocked_until=timezone.now() + minute)
    page = _page(run, now)
    assert switch not in page and rest not in page, "nothing of it waits any more"


def test_pages_about_messages_lead_to_their_run(now: datetime) -> None:
    make.profiles(1, now=now)
    run = pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now), now=now)
    worker.drain(now=lambda: now)
    make.person("vera", now=now)
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    [sent] = delivery.messages(run.workspace_id, dispatch_id=run.dispatch_id).items
    way = f"/console/runs/of/{run.dispatch_id}/"
    assert f'href="{way}"' in client.get(f"/console/messages/{sent.message_id}/").content.decode()
    assert client.get(way).headers["Location"] == f"/console/runs/{run.pk}/"
    assert client.get("/console/runs/of/987654/").status_code == 404
