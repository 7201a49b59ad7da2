"""Whatever a profile or an event holds, it is text in a message and never anything more; a bad recipient fails alone."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rendering.door import Compiled, Failed, Filled, Recipient, compile, fill
from tests.presentation.letters import Person, block, content, email, sms

PAYLOADS = [
    "{{ 7*7 }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "${7*7} #{7*7} <%= 7*7 %> [[7*7]]",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</td></tr></table><h1>Hacked</h1>",
    "<!--", "-->", "]]>",
]  # fmt: skip


def letter(*blocks: dict[str, Any], **changes: Any) -> Compiled:
    return compile(content(email(*blocks, **changes)), base_url="https://mail.example.com")


def one(template: Compiled, attributes: dict[str, Any], data: dict[str, Any] | None = None, **more: Any) -> Filled | Failed:
    return fill(template, [Recipient(1, Person(attributes=attributes), data or {}, token="t0k3n", **more)])[0]


def filled(*args: Any, **more: Any) -> Filled:
    outcome = one(*args, **more)
    assert isinstance(outcome, Filled), outcome
    return outcome


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_a_name_is_only_a_name(payload: str) -> None:
    template = letter(
        block("text", text="Hello {{ first_name }}"),
        block("image", alt="{{ first_name }}", href="https://shop.example.com/?q={{ first_name }}"),
        subject="Hello {{ first_name }}",
    )
    message = filled(template, {"first_name": payload})
    assert message.html is not None
    html = message.html.decode()
    assert payload in message.subject and f"Hello {payload}" in message.text.decode()
    for tag in ("<script", "<img src=x", "<h1", " onmouseover='", 'href="javascript'):
        assert tag not in html
    assert "49" not in message.subject


def test_a_name_with_line_breaks_adds_no_header() -> None:
    message = filled(letter(block("text"), subject="Hi {{ first_name }}"), {"first_name": "Ann\r\nBcc: x@example.com\u2028\x85\x00\u202e!"})
    assert message.subject == "Hi Ann Bcc: x@example.com !"


def test_a_value_in_a_link_stays_in_its_place() -> None:
    template = letter(block("button", href="https://shop.example.com/{{ first_name }}/?q={{ city }}#top"), tracking="off")
    message = filled(template, {"first_name": "../..//evil.example", "city": "a&b=c#d é"})
    assert b'href="https://shop.example.com/..%2F..%2F%2Fevil.example/?q=a%26b%3Dc%23d%20%C3%A9#top"' in (message.html or b"")


def test_a_lone_surrogate_does_not_break_the_encoding() -> None:
    assert "Hi \ufffd" in filled(letter(block("text", text="Hi {{ first_name }}")), {"first_name": "\ud800"}).text.decode()


@pytest.mark.parametrize(
    ("text", "attributes", "data", "detail"),
    [
        ("{{ city }}", {}, {}, "city has no value and no fallback"),
        ("{{ city }}", {"city": None}, {}, "city has no value and no fallback"),
        ("{{ city }}", {"city": "  "}, {}, "city has no value and no fallback"),
        ("{{ total }}", {}, {"total": "12"}, "total should be a number, not text"),
        ("{{ total }}", {}, {"total": True}, "total should be a number, not true or false"),
        ("{{ total }}", {}, {"total": float("nan")}, "total should be a finite number between -2^53 and 2^53"),
        ("{{ total }}", {}, {"total": 10**400}, "total should be a finite number between -2^53 and 2^53"),
        ("{{ total * total }}", {}, {"total": 2**52}, "a number beyond 2^53"),
        ("{{ 1 / total }}", {}, {"total": 0}, "a division by zero"),
        ("{{ due|date }}", {}, {"due": "soon"}, "due should be a date such as 2026-11-30, not text"),
        ("{{ tags|first }}", {"tags": []}, {}, "|first or |last of an empty list"),
        ("{{ order.city }}", {}, {"order": {}}, "city has no value and no fallback"),
        ("{{ order.city }}", {}, {"order": {"city": {"x": 1}}}, "a list or an object can't be shown as it is"),
        ("{{ tags[0] }}", {"tags": []}, {}, "tags[0] has no value and no fallback"),
        ("{{ order.stays[0].nights }}", {}, {"order": {"stays": []}}, "order.stays[0] has no value and no fallback"),
        ("{{ order.items }}", {}, {"order": {}}, "items has no value and no fallback"),
        ("{{ first_name }}", {"first_name": "x" * 40_000}, {}, "first_name should be text of at most 32 KiB"),
        ("{{ first_name ~ first_name }}", {"first_name": "x" * 30_000}, {}, "a value of more than 32 KiB"),
        ("{{ first_name }} " * 12, {"first_name": "x" * 30_000}, {}, "a message of more than 256 KiB"),
        ("{{ order.a.b }}", {}, {"order": {"a": "text"}}, "an attribute of something that has none"),
    ],
)
def test_what_cannot_be_shown_fails_that_recipient_and_says_why(
    text: str, attributes: dict[str, Any], data: dict[str, Any], detail: str
) -> None:
    outcome = one(letter(block("text", text=text)), attributes, data)
    assert isinstance(outcome, Failed) and (outcome.reason, outcome.detail) == ("invalid", detail)


def test_the_others_of_the_batch_get_their_message() -> None:
    template = letter(block("text", text="{{ city }} {{ total * 2 }}"))
    people = [{"city": "Oslo"}, {}, {"city": ["x"]}, {"city": "Rome"}]
    outcomes = fill(template, [Recipient(n, Person(attributes=each), {"total": 4}) for n, each in enumerate(people)])
    assert [type(outcome) for outcome in outcomes] == [Filled, Failed, Failed, Filled]
    assert [outcome.n for outcome in outcomes] == [0, 1, 2, 3]


def test_a_subject_that_comes_out_empty_is_not_sent() -> None:
    outcome = one(letter(block("text"), subject="{{ first_name|replace('Ada', '') }}"), {"first_name": "Ada"})
    assert isinstance(outcome, Failed) and "subject" in outcome.detail


def test_nothing_a_recipient_brings_takes_long() -> None:
    template = letter(block("text", text="{{ first_name|replace('a', 'bb')|title|truncate(9000) }} {{ tags|join(', ') }}"))
    begun = time.process_time()
    one(template, {"first_name": "a" * 32_000, "tags": ["x" * 30] * 1_000})
    assert time.process_time() - begun < 1


def test_methods_of_values_are_out_of_reach() -> None:
    template = letter(block("text", text="{{ order.items|default('nothing') }} {{ order.keys|default('nothing') }}"))
    assert "nothing nothing" in filled(template, {}, {"order": {"x": 1}}).text.decode()


def test_an_sms_is_what_was_written() -> None:
    template = compile(content(sms("Hi {{ first_name }}, see https://shop.example.com/{{ city }}.")), base_url="https://m.example.com")
    message = filled(template, {"first_name": "<Ada & Co>", "city": "São Paulo"})
    assert message.text.decode() == "Hi <Ada & Co>, see https://m.example.com/t/t0k3n/0."
    assert message.html is None and message.subject == "" and message.headers == {}
