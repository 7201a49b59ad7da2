"""Each planned instant launches once, whoever ticks and however often; never before the release, never too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.door import Actor, Revision
from governance.models import Document
from tests import factories as make
from tests.together import together
from workflow import pipeline
from workflow.cron import explain_cron, parse_cron, previous_time, times
from workflow.models import Occurrence, Run

MONDAY = {"type": "schedule", "cron": "0 9 * * MON", "zone": "Europe/Paris", "late_limit_minutes": 60}


@pytest.mark.django_db(transaction=True)
def test_a_tick_launches_what_is_due_and_the_next_tick_nothing(now: datetime) -> None:
    make.profiles(3, now=now)
    make.spring_sale(now=now - timedelta(days=1), trigger=MONDAY)
    at_nine = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert [pipeline.tick(now=at_nine + timedelta(minutes=late)) for late in (-1, 0, 1, 30)] == [0, 1, 0, 0]
    assert Run.objects.get().planned_at == at_nine


@pytest.mark.django_db(transaction=True)
def test_a_missed_instant_is_caught_up_once_within_the_late_limit(now: datetime) -> None:
    make.profiles(3, now=now)
    make.spring_sale(now=now - timedelta(days=8), trigger=MONDAY)
    at_nine = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert pipeline.tick(now=at_nine + timedelta(minutes=59)) == 1
    assert pipeline.tick(now=at_nine + timedelta(minutes=61)) == 0


@pytest.mark.django_db(transaction=True)
def test_a_campaign_released_after_its_hour_waits_for_the_next(now: datetime) -> None:
    make.profiles(3, now=now)
    at_nine = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    make.spring_sale(now=at_nine + timedelta(minutes=5), trigger=MONDAY)
    assert pipeline.tick(now=at_nine + timedelta(minutes=10)) == 0


@pytest.mark.django_db(transaction=True)
def test_a_refused_instant_is_remembered_with_its_reason(now: datetime) -> None:
    make.profiles(3, now=now)
    at_nine = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    make.spring_sale(now=at_nine - timedelta(days=1), trigger=MONDAY)
    make.profiles(30, now=now)
    assert [pipeline.tick(now=at_nine), pipeline.tick(now=at_nine + timedelta(minutes=1))] == [0, 0]
    refused = Occurrence.objects.get()
    assert refused.outcome == "refused" and "grew" in refused.reason


@pytest.mark.django_db(transaction=True)
def test_a_campaign_that_cannot_be_read_or_launched_does_not_hold_up_the_others(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    make.profiles(3, now=now)
    earlier = now - timedelta(days=1)
    make.spring_sale(now=earlier, trigger=MONDAY)
    for key in ("aged", "broken", "zoo"):
        make.in_force("campaign", key, make.campaign(title=key, trigger=MONDAY), now=earlier)
    _age("aged")
    launch = pipeline.launch

    def failing(actor: Actor, key: str, **more: Any) -> Run:
        if key == "broken":
            raise ZeroDivisionError("a fault of ours")
        return launch(actor, key, **more)

    monkeypatch.setattr(pipeline, "launch", failing)
    at_nine = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert pipeline.tick(now=at_nine) == 2
    assert set(Run.objects.values_list("campaign_key", flat=True)) == {"spring-sale", "zoo"}
    monkeypatch.undo()
    assert pipeline.tick(now=at_nine + timedelta(minutes=1)) == 1, "what failed stays due"


def _age(key: str) -> None:
    """Give a campaign's revision a body of an older schema. Revisions are immutable: a new one takes the released one's place."""
    document = Document.objects.get(kind="campaign", key=key)
    old = document.released
    assert old is not None
    body = {**old.body, "long_gone": True}
    aged = Revision.objects.create(
        workspace_id=old.workspace_id, document=document, number=99, body=body, sha256="0" * 64, via="command", created_at=old.created_at
    )
    Document.objects.filter(pk=document.pk).update(released=aged)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_schedulers_at_once_launch_an_instant_once(now: datetime) -> None:
    make.profiles(3, now=now)
    make.spring_sale(now=now - timedelta(days=1), trigger=MONDAY)
    at_nine = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    started = together([lambda: pipeline.tick(now=at_nine)] * 8)
    assert sum(started) == 1 and Run.objects.count() == 1


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns"])
def test_a_daily_time_happens_once_a_day_through_both_clock_changes(zone: str) -> None:
    upcoming = times("30 2 * * *", zone, datetime(2026, 1, 1, tzinfo=UTC))
    instants = [next(upcoming) for _ in range(365)]
    gaps = {later - earlier for earlier, later in zip(instants, instants[1:], strict=False)}
    assert min(gaps) >= timedelta(hours=22) and max(gaps) <= timedelta(hours=26)


@given(st.integers(0, 365 * 24 * 60))
def test_the_latest_instant_within_the_limit_is_found(minutes: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = previous_time("0 * * * *", "Europe/Berlin", now=moment, within=timedelta(hours=1))
    assert found is not None and moment - timedelta(hours=1) < found <= moment


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("* * * * *", "15 minutes"),
        ("60 * * * *", "valid cron line"),
        ("0 0 31 2 *", "valid cron line"),
        ("@every 5m", "unsupported"),
        ("@reboot", "unsupported"),
        ("R 9 * * *", "reproducible"),
        ("a b c d e", "valid cron line"),
        ("* * * * * * * *", "five fields"),
        ("0 9 * * MON#6", "valid cron line"),
        ("", "five fields"),
    ],
)
def test_a_cron_line_that_could_surprise_is_refused_in_words(line: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse_cron(line)


@pytest.mark.parametrize(("day", "words"), [("11", "the 11th day"), ("22", "the 22nd day"), ("23", "the 23rd day"), ("31", "the 31st day")])
def test_days_of_the_month_are_counted_as_people_count_them(day: str, words: str) -> None:
    assert explain_cron(f"0 9 {day} * *", "UTC") == f"At 09:00 on {words} of every month, UTC"
