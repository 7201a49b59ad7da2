"""What a content source is asked for each person: values stay values, wherever they stand in an address."""

from __future__ import annotations

from typing import Any

import pytest

from governance.door import parse
from presentation.door import Ask, ContentSourceBody, Unaskable
from rendering.door import Recipient, asks
from rendering.partial import compile
from rendering.values import getter
from tests.presentation.letters import Person, block, content, email, source
from tests.tables import over


def asked(url: str, *people: dict[str, Any], **http: Any) -> list[Ask | Unaskable]:
    inputs = {"city": {"source": "attribute.city"}, "n": {"source": "data.n", "type": "number", "fallback": 3}}
    body = parse(ContentSourceBody, source(inputs=inputs, http={"url": url, **http}))
    return asks(body, [Recipient(0, Person(attributes=each), {"n": each["n"]} if "n" in each else {}) for each in people])


@over(
    "city, path",
    [
        ("Köln", "/K%C3%B6ln?c=K%C3%B6ln"),
        ("a/b?c=d&e#f", "/a%2Fb%3Fc%3Dd%26e%23f?c=a%2Fb%3Fc%3Dd%26e%23f"),
        ("x\r\nHost: evil", "/x%0AHost%3A%20evil?c=x%0AHost%3A%20evil"),
        ("@evil.example", "/%40evil.example?c=%40evil.example"),
        ("{{ n }}", "/%7B%7B%20n%20%7D%7D?c=%7B%7B%20n%20%7D%7D"),
        ("...", "/...?c=..."),
    ],
)
def test_values_are_percent_encoded(city: str, path: str) -> None:
    assert asked("https://example.com/{{ city }}?c={{ city }}", {"city": city}) == [Ask("https://example.com" + path)]


@over("city", [".", "..", "%2e%2e"])
def test_no_value_leads_to_another_address(city: str) -> None:
    (found,) = asked("https://example.com/private/{{ city }}/x", {"city": city})
    assert found == Unaskable("a value that would lead to another address") if "%" not in city else isinstance(found, Ask)


def test_equal_people_ask_equal_questions_and_filters_work() -> None:
    found = asked("https://example.com/{{ city|lower }}?n={{ n }}", {"city": "Bath"}, {"city": "BATH", "n": 3}, {"city": "Bath", "n": 4.5})
    assert found == [Ask("https://example.com/bath?n=3"), Ask("https://example.com/bath?n=3"), Ask("https://example.com/bath?n=4.5")]


def test_who_lacks_what_is_asked_with_is_not_asked_for() -> None:
    found = asked("https://example.com/{{ city }}?n={{ n }}", {}, {"city": 5}, {"city": "x" * 5_000}, {"city": "Bath", "n": "many"})
    assert [each.why for each in found if isinstance(each, Unaskable)] == [
        "city has no value and no fallback",
        "an address of more than 4,000 characters",
        "n should be a number, not text",
    ]
    assert found[1] == Ask("https://example.com/5?n=3")


def test_a_batch_is_about_texts_and_whole_numbers() -> None:
    batch = {"input": "n", "name": "ids"}
    found = asked("https://bücher.example/größe?x=1", {"n": 7}, {"n": 7.5}, {}, batch=batch)
    address = "https://xn--bcher-kva.example/gr%C3%B6%C3%9Fe?x=1"
    assert found == [Ask(address, 7), Ask(address, "7.5"), Ask(address, 3)]


def test_links_with_content_are_not_counted_and_others_are() -> None:
    variables = {"places": {"source": "content.nearby.places", "type": "list", "sample": []}, "city": {"source": "attribute.city"}}
    repeat = {"over": "places", "as": "place"}
    body = email(
        block("button", id="one", href="https://shop.example.com/{{ places[0].id }}"),
        block("button", id="each", href="https://shop.example.com/{{ place.id }}", repeat=repeat),
        block("button", id="all", href="https://shop.example.com/all", repeat=repeat),
        block("button", id="own", href="https://shop.example.com/{{ city }}"),
        variables=variables,
    )
    links = compile(content(body), base_url="https://omni.example").links["en"]
    assert links == ["https://shop.example.com/all", "https://shop.example.com/{{ city }}"]


def test_an_address_without_inputs_is_one_question_for_all() -> None:
    body = parse(ContentSourceBody, source(inputs={}, http={"url": "https://example.com/today"}))
    assert asks(body, [Recipient(0), Recipient(1, Person())]) == [Ask("https://example.com/today")] * 2


@pytest.mark.parametrize("told", [{}, {"nearby": {}}, {"nearby": {"places": None}}])
def test_content_that_is_not_there_is_a_missing_value(told: dict[str, Any]) -> None:
    assert getter("content.nearby.places")(Recipient(0, content=told)) is None
