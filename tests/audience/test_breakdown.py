"""What sort of people a set is: by any attribute or field, added up where they are kept, the same on both databases."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from audience import door as audience
from audience.breakdown import _edges, _labels
from governance.door import Missing
from tests import factories
from tests.audience.statements import noting
from tests.audience.world import CATALOGUE, make_catalogue, people

pytestmark = pytest.mark.django_db


def home() -> int:
    return factories.workspace().pk


def attribute(name: str, kind: str, now: datetime, **more: Any) -> None:
    factories.put("attribute", name, factories.attribute(type=kind, title=f"The {name}", **more), now=now)


def having(name: str, values: list[Any], now: datetime) -> BitMap64:
    """A person for each of the values; None: who has nothing there."""
    return BitMap64(factories.profile(now=now, attributes={} if value is None else {name: value}) for value in values)


def bars(found: audience.Breakdown) -> list[tuple[str, int]]:
    return [(bar.label, bar.people) for bar in found.bars]


def test_texts_are_counted_as_rules_compare_them_and_shown_as_they_were_given(now: datetime) -> None:
    attribute("tier", "text", now)
    ids = having("tier", ["Gold", "gold", "Silver", "", None], now)
    found = audience.breakdown(home(), ids, "attribute:tier")
    assert bars(found) == [("Gold", 2), ("(empty)", 1), ("Silver", 1)]
    assert (found.people, found.missing, found.known, found.kinds, found.others, found.title) == (5, 1, 4, 3, 0, "The tier")


def test_beyond_the_most_frequent_values_the_rest_is_one_number(now: datetime) -> None:
    attribute("city", "text", now)
    ids = having("city", ["Rome"] * 3 + ["Oslo"] * 2 + ["Bonn", "Lima", None, None], now)
    found = audience.breakdown(home(), ids, "attribute:city", most=2)
    assert bars(found) == [("Rome", 3), ("Oslo", 2)]
    assert (found.kinds, found.others, found.missing, found.people) == (4, 2, 2, 9)


def test_only_the_given_people_are_counted_and_nobody_who_is_gone(now: datetime) -> None:
    attribute("city", "text", now)
    ids = having("city", ["Rome", "Rome", "Oslo"], now)
    having("city", ["Lima"], now)
    audience.erase(factories.person("cleo", now=now), audience.load(home(), [ids[0]])[0].external_id, now=now)
    assert bars(audience.breakdown(home(), ids, "attribute:city")) == [("Oslo", 1), ("Rome", 1)]
    nobody = audience.breakdown(home(), BitMap64(), "attribute:city")
    assert (bars(nobody), nobody.people, nobody.missing) == ([], 0, 0)


def test_lists_are_counted_item_by_item_each_person_once_for_each(now: datetime) -> None:
    attribute("likes", "list", now)
    ids = having("likes", [["Beach", "food", "beach"], ["Beach"], [], None], now)
    found = audience.breakdown(home(), ids, "attribute:likes")
    assert bars(found) == [("Beach", 2), ("food", 1)]
    assert (found.sort, found.people, found.missing, found.kinds, found.others) == ("items", 4, 2, 2, None)


def test_parts_of_objects_and_scores_are_asked_as_rules_call_them(now: datetime) -> None:
    fields = [{"name": "city", "type": "text"}, {"name": "since", "type": "date"}]
    attribute("address", "object", now, fields=fields)
    attribute("churn", "score", now, unit="points")
    attribute("home", "place", now)
    ids = having("address", [{"city": "Rome", "since": "2026-01-31"}, {"city": "ROME"}, None], now)
    assert bars(audience.breakdown(home(), ids, "attribute:address.city")) == [("Rome", 2)]
    since = audience.breakdown(home(), ids, "attribute:address.since")
    assert (bars(since), since.missing, since.title) == ([("Jan 2026", 1)], 2, "The address (since)")
    scored = having("churn", [{"value": 3, "at": "2026-03-01T09:00:00Z"}, {"value": 1, "at": "2026-02-01T09:00:00Z"}], now)
    churn = audience.breakdown(home(), scored, "attribute:churn")
    assert (bars(churn), churn.unit) == ([("1", 1), ("2", 0), ("3", 1)], "points")
    assert bars(audience.breakdown(home(), scored, "attribute:churn.at")) == [("Feb 2026", 1), ("Mar 2026", 1)]
    places = audience.breakdown(home(), having("home", [{"lat": 48.1, "lon": 11.6}, None], now), "attribute:home")
    assert (bars(places), places.missing) == ([("yes", 1)], 1), "never where"
    with pytest.raises(Missing):
        audience.breakdown(home(), ids, "attribute:address")


def test_yes_and_no_are_words(now: datetime) -> None:
    attribute("vip", "boolean", now)
    found = audience.breakdown(home(), having("vip", [True, False, False, None], now), "attribute:vip")
    assert bars(found) == [("no", 2), ("yes", 1)] and found.missing == 1


def test_whole_numbers_stand_in_bars_of_their_own_or_in_round_steps(now: datetime) -> None:
    attribute("stays", "number", now, unit="nights")
    few = audience.breakdown(home(), having("stays", [0, 1, 1, 3, None], now), "attribute:stays")
    assert bars(few) == [("0", 1), ("1", 2), ("2", 0), ("3", 1)]
    assert few.numbers is not None and (few.numbers.least, few.numbers.median, few.numbers.largest) == (0, 1, 3)
    assert (few.numbers.average, few.missing, few.unit) == (1.25, 1, "nights")
    wide = audience.breakdown(home(), having("stays", [-7, 12, 99], now), "attribute:stays")
    assert bars(wide) == [("−10 to −1", 1)] + [("0 to 9", 0), ("10 to 19", 1)] + [(f"{n}0 to {n}9", 0) for n in range(2, 9)] + [
        ("90 to 99", 1)
    ]


def test_broken_numbers_stand_in_steps_that_touch(now: datetime) -> None:
    attribute("nights", "number", now)
    found = audience.breakdown(home(), having("nights", [0.5, 1.25, 2.9], now), "attribute:nights")
    assert found.bars[0].label == "0.4 to under 0.6" and sum(bar.people for bar in found.bars) == 3
    (only,) = audience.breakdown(home(), having("nights", [0.1], now), "attribute:nights").bars
    assert (only.label, only.people) == ("0.1 to under 0.2", 1)


def test_a_few_who_are_far_out_don_t_flatten_everybody_else(now: datetime) -> None:
    attribute("spent", "number", now)
    values = [*range(1, 241), 10**9]
    rows = [audience.ProfileRow(external_id=f"s-{value}", attributes={"spent": value}) for value in values]
    assert not audience.upsert(home(), rows, source="tests", now=now).rejected
    ids = BitMap64(audience.ids_of(home(), [row.external_id for row in rows]).values())
    found = audience.breakdown(home(), ids, "attribute:spent")
    assert len(found.bars) > 10 and max(bar.people for bar in found.bars) < 30
    assert found.bars[-1].label == "240 or more" and sum(bar.people for bar in found.bars) == len(values)


def test_days_stand_by_months_without_gaps_and_longer_times_by_years(now: datetime) -> None:
    attribute("joined", "date", now)
    found = audience.breakdown(home(), having("joined", ["2025-11-30", "2026-01-01", "2026-01-31", None], now), "attribute:joined")
    assert bars(found) == [("Nov 2025", 1), ("Dec 2025", 0), ("Jan 2026", 2)] and found.missing == 1
    years = audience.breakdown(home(), having("joined", ["2020-05-01", "2023-12-31"], now), "attribute:joined")
    assert bars(years) == [("2020", 1), ("2021", 0), ("2022", 0), ("2023", 1)]
    decades = audience.breakdown(home(), having("joined", ["1931-05-01", "2023-12-31"], now), "attribute:joined")
    assert [bar.label for bar in decades.bars] == [f"{year}s" for year in range(1930, 2021, 10)]
    ages = audience.breakdown(home(), having("joined", ["0001-01-01", "9999-12-31"], now), "attribute:joined")
    assert (ages.bars[0].label, ages.bars[-1].label, len(ages.bars)) == ("0 to 99", "9900 to 9999", 100)


def test_the_profile_s_own_fields_are_counted_and_addresses_only_as_known_or_not(now: datetime) -> None:
    ids = BitMap64(
        [
            factories.profile(now=now, country="GB", phone="+447400123451"),
            factories.profile(now=now, country="DE", locale="de-DE", email=None),
            factories.profile(now=now - timedelta(days=31), country=None, zone=None),
        ]
    )
    assert bars(audience.breakdown(home(), ids, "profile:country")) == [("DE", 1), ("GB", 1)]
    assert bars(audience.breakdown(home(), ids, "profile:locale")) == [("en-GB", 2), ("de-DE", 1)]
    assert audience.breakdown(home(), ids, "profile:zone").missing == 1
    email, phone = audience.breakdown(home(), ids, "profile:email"), audience.breakdown(home(), ids, "profile:phone")
    assert (bars(email), email.missing, bars(phone), phone.missing) == ([("yes", 2)], 1, [("yes", 1)], 2)
    assert sum(bar.people for bar in audience.breakdown(home(), ids, "profile:created_at").bars) == 3


@pytest.mark.parametrize("subject", ["attribute:shoe_size", "profile:attributes", "profile:email_key", "country", "", "attribute:"])
def test_what_there_is_not_is_named(subject: str, now: datetime) -> None:
    with pytest.raises(Missing, match="broken down by"):
        audience.breakdown(home(), BitMap64(), subject)


def test_values_of_another_type_than_the_catalogue_s_count_as_not_known(now: datetime) -> None:
    make_catalogue()
    crowd = [person for person in people(home(), seed=5, size=120) if person.gone_at is None]
    ids = BitMap64(person.pk for person in crowd)

    def fits(name: str, value: Any) -> bool:
        kind = CATALOGUE[name]
        if isinstance(value, bool) or kind == "boolean":
            return isinstance(value, bool) and kind == "boolean"
        if kind in ("date", "datetime"):
            return isinstance(value, str) and value[:4].isdigit() and value[4:5] == "-" and ("T" in value) == (kind == "datetime")
        if kind in ("list", "place"):
            return isinstance(value, list) and all(isinstance(one, str) == (kind == "list") for one in value)
        return isinstance(value, {"text": str, "number": (int, float)}[kind])

    for name, kind in CATALOGUE.items():
        held = [person.folded[name] for person in crowd if fits(name, person.folded.get(name))]
        found = audience.breakdown(home(), ids, f"attribute:{name}", most=100)
        if kind == "place":
            assert found.known == sum(map(bool, held))
        elif kind == "list":
            expected = Counter(item for value in held for item in set(value))
            assert {bar.value: bar.people for bar in found.bars} == expected and found.known == sum(map(bool, held))
        else:
            assert (found.people, found.known) == (len(crowd), len(held)), name
            assert sum(bar.people for bar in found.bars) == len(held), name
            assert kind != "text" or {bar.value: bar.people for bar in found.bars} == Counter(held)


def test_however_many_people_there_are_only_sums_are_fetched(now: datetime) -> None:
    attribute("city", "text", now)
    few = having("city", [f"city-{number}" for number in range(5)], now)
    many = few | BitMap64(factories.profiles(300, now=now))

    def asked(ids: BitMap64) -> int:
        statements: list[str] = []
        with connection.execute_wrapper(noting(statements)):
            assert len(audience.breakdown(home(), ids, "attribute:city").bars) == 5
        return sum("audience_profile" in each for each in statements)

    assert asked(few) == asked(many) == 2, "the sums, and one person for each value, for how it is written"


numbers = st.one_of(st.integers(-(2**53), 2**53), st.floats(-(2**53), 2**53).filter(lambda one: abs(one) > 1e-6 or one == 0))


@given(st.lists(numbers, min_size=1, max_size=20))
def test_round_steps_hold_every_number_between_their_ends(values: list[float]) -> None:
    low, high = min(values), max(values)
    whole = all(value == int(value) for value in values)
    edges, step = _edges(low, high, whole=whole)
    assert float(edges[0]) <= low and high < float(edges[-1]) or low == high or float(edges[-1]) == high
    assert 2 <= len(edges) <= 27 and len(_labels(edges, step, whole=whole)) == len(edges) + 1
    assert all(after - before == step for before, after in zip(edges, edges[1:], strict=False))
