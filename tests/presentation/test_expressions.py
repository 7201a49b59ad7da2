"""What an expression may say is an allow-list, checked when a template is saved."""

from __future__ import annotations

import time

import pytest

from presentation.door import problems

DECLARED = {"first_name": "text", "total": "number", "due": "date", "tags": "list", "order": "object", "vip": "boolean"}


def words(source: str) -> str:
    return "; ".join(str(problem) for problem in problems(source, DECLARED))


@pytest.mark.parametrize(
    "source",
    [
        "{{ first_name }}",
        "{{first_name|default('there')|title}}",
        "{{ 'Dear ' ~ first_name if first_name is defined else 'Hello' }}",
        "{{ total * 2 + 1 }} and {{ -total / 4 }}",
        "{{ total|money('EUR') }}, {{ total|money(order.currency) }}",
        "{{ due|date('long') }} {{ tags|join(', ') }} {{ tags[0] }}",
        "{{ order.lines[0].name|upper }} {{ order['the city'] }}",
        "{{ 'a' if total > 3 and not vip or first_name in ['Ada', 'Bob'] else 'b' }}",
        "{{ '}}' }} {{ \"{{\" }} costs { 3 }",
        "{{ unsubscribe_url }}",
        "{{ ((((((((((1)))))))))) }}",
    ],
)
def test_what_letters_need_is_allowed(source: str) -> None:
    assert words(source) == ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hi\n{{ ''.__class__.__mro__[1].__subclasses__() }}", "line 2: attribute __class__ is not allowed"),
        ("{{ first_name.__init__ }}", "line 1: attribute __init__ is not allowed"),
        ("{{ order['__class__'] }}", "line 1: attribute __class__ is not allowed"),
        ("{{ order['\\x5f\\x5fclass\\x5f\\x5f'] }}", "line 1: attribute __class__ is not allowed"),
        ("{{ order['_' ~ 'x'] }}", "line 1: only a fixed name or place may stand in [ ]"),
        ("{{ order._hidden }}", "line 1: attribute _hidden is not allowed"),
        ("{{ first_name.upper() }}", "line 1: .upper() is not allowed: there are no calls"),
        ("{{ '{:>9}'.format(total) }}", "line 1: .format() is not allowed"),
        ("{{ lipsum(9) }}", "line 1: lipsum() is not allowed"),
        ("{{ first_name|attr('x') }}", "line 1: filter |attr is not allowed"),
        ("{{ first_name|safe }}", "line 1: filter |safe is not allowed"),
        ("{{ tags|map('upper')|join }}", "line 1: filter |map is not allowed"),
        ("{{ '%s'|format(total) }}", "line 1: filter |format is not allowed"),
        ("{{ 2 ** 40 }}", "line 1: ** is not allowed"),
        ("{{ total // 2 }}", "line 1: // is not allowed"),
        ("{{ '%9d' % total }}", "line 1: % is not allowed"),
        ("{{ 'A' * 1000000000 }}", "line 1: * works on numbers only"),
        ("{{ first_name + 'x' }}", "line 1: + works on numbers only"),
        ("{{ 7 / 0 }}", "line 1: division by zero"),
        ("{{ 99999999999999999999 }}", "line 1: a number beyond 2^53"),
        ("{{ first_name[1:2] }}", "line 1: only a fixed name or place may stand in [ ]"),
        ("{{ [1, 2] }}", "line 1: a list […] is allowed only after in"),
        ("{{ {'a': 1} }}", "line 1: an object {…} is not allowed"),
        ("{{ total is divisibleby(3) }}", "line 1: is divisibleby is not allowed"),
        ("{{ none }}", "line 1: none is not allowed"),
        ("{{ first_name|upper|default }}", "line 1: |default with 0 arguments"),
        ("{{ first_name|truncate(length=3) }}", "line 1: |truncate takes no named arguments"),
        ("{{ first_name|truncate(99999999) }}", "line 1: |truncate with an unfit argument"),
        ("{{ due|date('sideways') }}", "line 1: |date with an unfit style"),
        ("{{ total|money('euro') }}", "line 1: |money with an unfit currency"),
        ("{{ due|datetime('short', 'Mars/Olympus') }}", "line 1: |datetime of a date"),
        ("{{ first_name|money('EUR') }}", "line 1: |money of text"),
        ("{{ total|plural }}", "line 1: |plural with 0 arguments"),
        ("{{ total|plural('one: # night') }}", "line 1: |plural with no form other, which every language has"),
        ("{{ total|plural('singular: # night', 'other: # nights') }}", "line 1: |plural with the form 'singular: # night', whose category"),
        ("{{ total|plural('nights') }}", "line 1: |plural with the form 'nights', whose category isn't one of zero, one, two, few, many"),
        ("{{ total|plural('one: ', 'other: #') }}", "line 1: |plural with the form one without words"),
        ("{{ total|plural('other: a', 'other: b') }}", "line 1: |plural with the form other twice"),
        ("{{ total|plural(first_name) }}", "line 1: |plural with an unfit argument"),
        ("{{ first_name|plural('other: #') }}", "line 1: |plural of text"),
        ("{{ tags|list('nor') }}", "line 1: |list with an unfit argument"),
        ("{{ first_name|list }}", "line 1: |list of text"),
        ("{{ total.cents }}", "line 1: attribute cents is not allowed: total is a number"),
        ("{{ order.a.b.c.d.e }}", "line 1: more than 4 steps into order"),
        ("{{ tags }}", "line 1: a list can't be shown as it is"),
        ("{{ order }}", "line 1: an object can't be shown as it is"),
        ("{{ token }}", "line 1: token isn't declared"),
        ("{{ self }}", "line 1: self isn't declared"),
        ("{{ (lambda: 1)() }}", "line 1: expected token"),
        ("{{ first_name", "line 1: an expression that starts with {{ and doesn't end with }}"),
        ("{{ }}", "line 1: "),
        ("a\nb\n{% if vip %}", "line 3: statements {% … %} are not allowed"),
        ("{% include '/etc/passwd' %}", "line 1: statements {% … %} are not allowed"),
        ("{%print(7*7)%}", "line 1: statements {% … %} are not allowed"),
        ("{# note", "line 1: comments {# … #} are not allowed"),
        ("{{ '\\ud800' }}", "line 1: text contains an invalid character: half of a surrogate pair U+D800"),
        ("{{- first_name }}", "line 1: {{- and {{+ are not allowed"),
    ],
)
def test_everything_else_is_refused_by_name(source: str, expected: str) -> None:
    assert expected in words(source)


def test_an_unknown_name_comes_with_the_nearest_declared_ones() -> None:
    (problem,) = problems("Hello {{ frist_name }}", DECLARED)
    assert str(problem) == "line 1: frist_name isn't declared"
    assert problem.expected == "a declared variable: did you mean first_name?"


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 990 + " }}",
        "{{ " + "not " * 240 + "vip }}",
        "{{ " + "vip ~ " * 110 + "'' }}",
        "{{ first_name }}" * 5_000,
        "{{ x " * 10_000,
        "{{ " + "9" * 900 + " }}",
        "{{ first_name" + "|upper" * 160 + " }}",
    ],
)
def test_what_would_take_long_is_refused_at_once(source: str) -> None:
    begun = time.process_time()
    assert problems(source, DECLARED)
    assert time.process_time() - begun < 1
