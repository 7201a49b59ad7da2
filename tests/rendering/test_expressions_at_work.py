"""What expressions and filters make of values, in each locale's own way."""

from __future__ import annotations

from typing import Any

import pytest

from presentation.door import FILTERS
from rendering.door import Filled, Recipient, compile, fill
from rendering.filters import filters_for
from tests.presentation.letters import VARIABLES, Person, content, sms

DATA = {
    "total": 1234.5,
    "due": "2026-11-30",
    "at": "2026-11-30T09:05:00Z",
    "order": {
        "city": "Oslo",
        "lines": [{"name": "Lamp"}, {"name": "Chair"}],
        "items": 2,
        "day": "2026-12-01",
        "at": "2026-11-30T10:05:00+01:00",
    },
}
PERSON = Person(attributes={"first_name": "ada", "vip": True, "tags": ["red", "blue"]})


def said(expression: str, locale: str = "en", data: dict[str, Any] = DATA) -> str:
    body = sms(
        "x{{ " + expression + " }}x", locales={locale: {"text": "x{{ " + expression + " }}x"}}, default_locale=locale, variables=VARIABLES
    )
    (outcome,) = fill(compile(content(body), base_url="https://m.example.com"), [Recipient(1, PERSON, data, token="t")])
    assert isinstance(outcome, Filled), outcome
    return outcome.text.decode()[1:-1].replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("first_name|title", "Ada"),
        ("'mary-jane o’neil'|title", "Mary-Jane O’neil"),
        ("first_name|upper ~ '!'", "ADA!"),
        ("'éCOLE'|capitalize", "ÉCOLE"),
        ("'  a '|trim", "a"),
        ("'the quick brown fox'|truncate(12)", "the quick…"),
        ("'the quick'|truncate(3, '')", "the"),
        ("'banana'|replace('an', 'AN')", "bANANa"),
        ("city|default('you')", "you"),
        ("city if city is defined else 'nowhere'", "nowhere"),
        ("total", "1234.5"),
        ("total * 2", "2469"),
        ("0.1 + 0.2", "0.3"),
        ("7 / 2", "3.5"),
        ("total|round", "1235"),
        ("2.5|round", "3"),
        ("1.005|round(2)", "1.01"),
        ("-total|abs", "1234.5"),
        ("vip", "true"),
        ("due", "2026-11-30"),
        ("tags|join", "red, blue"),
        ("tags|join(' & ')", "red & blue"),
        ("tags|first ~ tags[1] ~ tags|last", "redblueblue"),
        ("tags|length", "2"),
        ("order.lines[1].name", "Chair"),
        ("order.items", "2"),
        ("order.nothing|default('-')", "-"),
        ("'yes' if vip and total >= 1000 and 'red' in tags else 'no'", "yes"),
        ("'yes' if not vip", ""),
        ("'{{ 1 }}'", "{{ 1 }}"),
    ],
)
def test_expressions_say(expression: str, expected: str) -> None:
    assert said(expression) == expected


@pytest.mark.parametrize(
    ("expression", "locale", "expected"),
    [
        ("total|money('EUR')", "en", "€1,234.50"),
        ("total|money('EUR')", "de", "1.234,50 €"),
        ("total|money('JPY')", "ja", "￥1,235"),
        ("total|money('USD')", "pt-BR", "US$ 1.234,50"),
        ("total|number", "fr", "1 234,5"),
        ("total|number(2)", "en", "1,234.50"),
        ("1234567|number(1)", "hi", "12,34,567.0"),
        ("2.675|money('USD')", "en", "$2.68"),
        ("0.256|percent", "tr", "%26"),
        ("0.256|percent", "en", "26%"),
        ("0.256|percent(1)", "de", "25,6 %"),
        ("due|date", "en", "Nov 30, 2026"),
        ("due|date('long')", "de", "30. November 2026"),
        ("order.day|date('long')", "de", "1. Dezember 2026"),
        ("order.at|time('short')", "de", "09:05"),
        ("due|date('short')", "en-GB", "30/11/2026"),
        ("at|time", "en-GB", "09:05"),
        ("at|time('short', zone)", "en-GB", "09:05"),
        ("at|time('short', 'Asia/Tokyo')", "ja", "18:05"),
        ("at|datetime('short')", "sv", "2026-11-30 09:05"),
        ("at|date('full')", "pl", "poniedziałek, 30 listopada 2026"),
    ],
)
def test_numbers_and_dates_are_written_as_the_locale_writes_them(expression: str, locale: str, expected: str) -> None:
    assert said(expression, locale) == expected


NIGHTS = "order.items|plural('one: # night', 'other: # nights')"
NOCE = "order.items|plural('one: # noc', 'few: # noce', 'many: # nocy', 'other: # nocy')"


@pytest.mark.parametrize(
    ("number", "expression", "locale", "expected"),
    [
        (1, NIGHTS, "en", "1 night"),
        (0, NIGHTS, "en", "0 nights"),
        (1.0, NIGHTS, "en", "1 night"),
        (1.5, NIGHTS, "en", "1.5 nights"),
        (1.0001, NIGHTS, "en", "1 night"),
        (-1, NIGHTS, "en", "-1 night"),
        (12345, NIGHTS, "de", "12.345 nights"),
        (0, NIGHTS, "fr", "0 night"),
        (1, NOCE, "pl", "1 noc"),
        (3, NOCE, "pl", "3 noce"),
        (12, NOCE, "pl", "12 nocy"),
        (22, NOCE, "pl", "22 noce"),
        (0.5, NOCE, "pl", "0,5 nocy"),
        (2, "order.items|plural('zero: none', 'two: a pair', 'other: #')", "ar", "a pair"),
        (1, NIGHTS, "ja", "1 nights"),
        (1000000, NIGHTS, "fr", "1 000 000 nights"),
        (3, "order.items|plural('one: one', 'other: # and #')", "en", "3 and 3"),
        (2, "(order.items + 1)|plural('one: # night', 'other: # nights')|upper", "en", "3 NIGHTS"),
    ],
)
def test_a_number_comes_with_the_word_that_the_language_has_for_it(number: float, expression: str, locale: str, expected: str) -> None:
    assert said(expression, locale, {**DATA, "order": {"items": number}}) == expected


@pytest.mark.parametrize(
    ("items", "expression", "locale", "expected"),
    [
        (["a", "b", "c"], "tags|list", "en", "a, b, and c"),
        (["a", "b", "c"], "tags|list", "de", "a, b und c"),
        (["a", "b"], "tags|list('or')", "fr", "a ou b"),
        (["a", "b", "c"], "tags|list", "ja", "a、b、c"),
        (["a", "b", "c"], "tags|list", "ar", "a وb وc"),
        (["{0}", "{x}"], "tags|list", "en", "{0} and {x}"),
        ([1, 2.5], "tags|list", "en", "1 and 2.5"),
        (["a"], "tags|list", "en", "a"),
        ([], "tags|list", "en", ""),
    ],
)
def test_a_list_is_joined_as_the_language_joins_it(items: list[Any], expression: str, locale: str, expected: str) -> None:
    variables = {**VARIABLES, "tags": {"source": "data.tags", "type": "list"}}
    text = "x{{ " + expression + " }}x"
    body = sms(text, locales={locale: {"text": text}}, default_locale=locale, variables=variables)
    person = Recipient(1, PERSON, {"tags": items}, token="t")
    (outcome,) = fill(compile(content(body), base_url="https://m.example.com"), [person])
    assert isinstance(outcome, Filled) and outcome.text.decode() == f"x{expected}x"


def test_every_filter_that_may_be_written_exists_and_no_other() -> None:
    assert set(filters_for("en")) == set(FILTERS)


def test_equal_numbers_of_different_types_are_each_shown_as_what_they_are() -> None:
    body = sms("{{ order.x }} {{ total }}", variables=VARIABLES)
    people = [
        Recipient(n, PERSON, {"order": {"x": x}, "total": y}) for n, (x, y) in enumerate([(1, 1), (True, 1.0), (1.0, 0), (False, -0.0)])
    ]
    outcomes = fill(compile(content(body), base_url="https://m.example.com"), people)
    assert [outcome.text.decode() for outcome in outcomes if isinstance(outcome, Filled)] == ["1 1", "true 1", "1 0", "false 0"]
