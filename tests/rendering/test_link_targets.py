"""A counted link leads where its author said, with the values of the person who clicked."""

from __future__ import annotations

from rendering.door import Compiled, Recipient, compile, link_target
from tests.presentation.letters import Person, block, content, email


def letter() -> Compiled:
    blocks = [
        block("button", href="https://shop.example.com/a?x=1&y=2"),
        block("text", text="[b](https://münchen.example/straße/{{ city }}?q={{ total }})"),
    ]
    return compile(content(email(*blocks)), base_url="https://mail.example.com")


def test_targets_are_listed_as_they_were_written() -> None:
    assert letter().links == {
        "en": ["https://shop.example.com/a?x=1&y=2", "https://xn--mnchen-3ya.example/stra%C3%9Fe/{{ city }}?q={{ total }}"]
    }


def test_a_fixed_target_needs_nobody() -> None:
    assert link_target(letter(), "en", 0) == "https://shop.example.com/a?x=1&y=2"


def test_a_target_with_holes_is_filled_for_the_reader() -> None:
    reader = Recipient(1, Person(attributes={"city": "São Paulo/../&"}), {"total": 3})
    assert link_target(letter(), "en", 1, reader) == "https://xn--mnchen-3ya.example/stra%C3%9Fe/S%C3%A3o%20Paulo%2F..%2F%26?q=3"


def test_there_is_no_target_for_other_numbers_locales_or_lost_values() -> None:
    assert link_target(letter(), "en", 2) is None
    assert link_target(letter(), "en", -1) is None
    assert link_target(letter(), "fr", 0) is None
    assert link_target(letter(), "en", 1, Recipient(1, Person())) is None
