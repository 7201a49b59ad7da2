"""Relative times, text folding and checks in memory: the small laws that rules stand on."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience.backends.database import Database
from audience.models import Event
from audience.rules.binding import Scope, bind
from audience.rules.bound import Constant
from audience.rules.fields import fold_text
from audience.rules.moments import comparable_day, comparable_moment, shift
from audience.rules.nodes import read_node
from tests import factories
from tests.audience.world import NOW, people
from tests.laws.rules_drawn import properties

zones = st.sampled_from([UTC, timezone(timedelta(hours=9))])
moments = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=zones)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2026-03-31", -1, "months", "2026-02-28"),
        ("2024-03-31", -1, "months", "2024-02-29"),
        ("2024-02-29", -1, "years", "2023-02-28"),
        ("2023-02-28", 1, "years", "2024-02-28"),
        ("2026-12-31", 2, "months", "2027-02-28"),
        ("2026-01-15", -1, "months", "2025-12-15"),
        ("2026-03-29", 1, "weeks", "2026-04-05"),
    ],
)
def test_months_and_years_keep_the_day_or_take_the_last(start: str, amount: int, unit: Any, end: str) -> None:
    assert shift(datetime.fromisoformat(f"{start}T12:00:00+00:00"), amount, unit) == datetime.fromisoformat(f"{end}T12:00:00+00:00")


@given(moments, st.integers(-1_000_000, 1_000_000), st.sampled_from(["minutes", "hours", "days", "weeks", "months", "years"]))
def test_no_span_is_too_long_and_later_is_later(moment: datetime, amount: int, unit: Any) -> None:
    found = shift(moment, amount, unit)
    assert found >= moment if amount >= 0 else found <= moment


@given(moments, moments)
def test_the_order_of_kept_instants_is_the_order_of_their_texts(one: datetime, other: datetime) -> None:
    assert (one < other) == (comparable_moment(one) < comparable_moment(other))
    assert len(comparable_moment(one)) == 27 and datetime.fromisoformat(comparable_moment(one)) == one


@given(st.dates(), st.dates())
def test_the_order_of_kept_days_is_the_order_of_their_texts(one: date, other: date) -> None:
    assert (one < other) == (comparable_day(one) < comparable_day(other))


@given(st.text())
def test_folding_twice_is_folding_once_and_knows_no_case_or_form(text: str) -> None:
    folded = fold_text(text)
    assert fold_text(folded) == folded
    assert fold_text(unicodedata.normalize("NFD", text)) == folded


@pytest.mark.django_db
def test_a_check_in_memory_answers_as_the_database_does() -> None:
    crowd = people(factories.workspace().pk, seed=11, size=40)
    events = list(Event.objects.filter(profile__in=[person for person in crowd if person.gone_at is None]))
    scope = Scope({}, lambda key: None, NOW + timedelta(days=2))

    @given(properties)
    def holds(test: dict[str, Any]) -> None:
        for name in {event.name for event in events}:
            node = bind(read_node({"event": name, "where": [test]}), scope)
            expected = {event.profile_id for event in events if event.name == name and _holds(test, event)}
            assert set(Database().ids(crowd[0].workspace_id, node)) == expected

    holds()


def _holds(test: dict[str, Any], event: Event) -> bool:
    answer = bind(read_node({"trigger": test}), Scope({}, lambda key: None, NOW, event.properties))
    assert isinstance(answer, Constant)
    return answer.everyone
