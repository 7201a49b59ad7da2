"""Laws of incoming values and rows: folding twice is folding once; rows in any chunks end as they would one by one."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience import door as audience
from audience.ingest import upsert as chunks
from audience.models import Profile, ProfileFeed
from audience.rules.fields import fold_text
from audience.values import LARGEST, Unfit, comparable, from_text
from tests.audience.conftest import CATALOGUE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "number": st.integers(-LARGEST, LARGEST) | st.floats(-LARGEST, LARGEST),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "datetime": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    "list": st.lists(TEXT, max_size=3),
}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_folding_twice_is_folding_once_and_case_never_matters(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)
    assert fold_text(text.casefold()) == fold_text(text)


@pytest.mark.parametrize("type_", sorted(VALUES))
@given(data=st.data())
def test_the_kept_form_of_a_value_is_kept_as_it_is(type_: Any, data: st.DataObject) -> None:
    shown, folded = comparable(type_, data.draw(VALUES[type_]))
    assert comparable(type_, shown) == (shown, folded)
    assert comparable(type_, folded)[1] == folded


@pytest.mark.parametrize("type_", ["number", "boolean", "date", "datetime"])
@given(data=st.data())
def test_a_value_spelled_in_a_cell_is_read_back(type_: Any, data: st.DataObject) -> None:
    value = data.draw(VALUES[type_])
    spelled = repr(value) if isinstance(value, float) else str(value)
    assert comparable(type_, from_text(type_, f" {spelled} ")) == comparable(type_, value)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize("type_", sorted(VALUES))
@given(value=JUNK, cell=st.text())
def test_whatever_comes_it_is_kept_or_refused_in_words(type_: Any, value: Any, cell: str) -> None:
    try:
        comparable(type_, value)
        comparable(type_, from_text(type_, cell))
    except Unfit as unfit:
        assert str(unfit) and unfit.found
    except TypeError:
        raise AssertionError(f"{value!r}") from None


FIELDS: dict[str, list[str | None]] = {
    "email": [None, "", "ann@example.com", "Ben@Example.com"],
    "country": [None, "", "fr", "DE"],
    "zone": [None, "", "Asia/Calcutta"],
}
ROWS = st.builds(
    lambda who, attributes, fields: audience.ProfileRow(who, **fields, attributes=attributes),
    st.sampled_from(["a", "b", "c", "ä"]),
    st.fixed_dictionaries({}, optional={name: st.none() | VALUES[body["type"]] for name, body in CATALOGUE.items()}),
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in FIELDS.items()}),
)


def after(rows: list[audience.ProfileRow]) -> dict[str, tuple[Any, ...]]:
    """What one would expect: each row over what is there, one by one."""
    people: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    canonical = {"fr": "FR", "Asia/Calcutta": "Asia/Kolkata", "Ben@Example.com": "Ben@example.com"}
    for row in rows:
        fields, attributes = people.setdefault(row.external_id, ({}, {}))
        for name in FIELDS:
            if (value := getattr(row, name)) is not None:
                fields[name] = canonical.get(value, value) or None
        for name, value in row.attributes.items():
            attributes[name] = None if value is None else comparable(CATALOGUE[name]["type"], value)  # type: ignore[arg-type]
    return {
        who: (
            *(fields.get(name) for name in FIELDS),
            {name: pair[0] for name, pair in attributes.items() if pair},
            {name: pair[1] for name, pair in attributes.items() if pair},
        )
        for who, (fields, attributes) in people.items()
    }


def same(one: Any, other: Any) -> bool:
    """Equal, whole numbers and fractions told apart by value only, as JSON does."""
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-15, abs_tol=1e-320)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=9), at_once=st.integers(1, 4))
def test_rows_in_chunks_end_as_they_would_one_by_one(workspace_id: int, rows: list[audience.ProfileRow], at_once: int) -> None:
    Profile.objects.all().delete()
    ProfileFeed.objects.all().delete()
    usual, chunks.AT_ONCE = chunks.AT_ONCE, at_once
    try:
        outcome = audience.upsert(workspace_id, rows, source="test", now=NOW)
        fed = ProfileFeed.objects.count()
        again = audience.upsert(workspace_id, [row for row in rows if _alone(row, rows)], source="test", now=NOW)
    finally:
        chunks.AT_ONCE = usual
    kept = {row.external_id: (row.email, row.country, row.zone, row.attributes, row.folded) for row in Profile.objects.all()}
    expected = after(rows)
    assert kept.keys() == expected.keys()
    for who, values in expected.items():
        assert all(same(one, other) for one, other in zip(values, kept[who], strict=True)), (values, kept[who])
    assert not outcome.rejected and outcome.taken == len(rows)
    assert outcome.created == len(expected) and fed == outcome.created + outcome.updated
    assert again.created == again.updated == 0 and ProfileFeed.objects.count() == fed, "the same rows again change nothing"


def _alone(row: audience.ProfileRow, rows: list[audience.ProfileRow]) -> bool:
    return sum(other.external_id == row.external_id for other in rows) == 1
