"""What there is to translate: every text with an id that stays, its neighbours, and the way back."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given

from governance.door import Invalid, canonical, parse
from presentation.blocks import _BLOCKS
from presentation.door import TemplateBody
from presentation.translatable import Translatable
from presentation.translation.units import units, with_texts
from tests.presentation.letters import block, email, push, sms
from tests.presentation.translation.drawn import law, letters


def model(body: dict[str, Any]) -> TemplateBody:
    return parse(TemplateBody, body)


def locale(*blocks: dict[str, Any], subject: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"subject": subject, "blocks": list(blocks), **more}


FOOT = block("footer")


def test_every_text_that_a_reader_sees_is_a_unit_named_by_its_block() -> None:
    columns = {"type": "columns", "id": "two", "columns": [[block("image", id="left")], [block("button", id="go")]]}
    letter = model(email(block("heading", id="top"), columns, preheader="More", text="In short"))

    assert [unit.id for unit in units(letter, "de")] == [
        *["subject", "preheader", "blocks/top/text", "blocks/left/alt", "blocks/go/label", "text"],
    ]
    assert {unit.status for unit in units(letter, "de")} == {"missing"}


def test_addresses_of_links_and_pictures_are_no_texts() -> None:
    letter = model(email(block("image", href="https://shop.example.com/x", alt=""), block("button", label="Go")))
    assert [unit.id for unit in units(letter, "de")] == ["subject", "blocks/button/label"]


def test_a_short_message_and_a_push_message_have_units_too() -> None:
    assert [unit.id for unit in units(model(sms("Your code")), "de")] == ["text"]
    assert [unit.id for unit in units(model(push("Title", "Body", link="https://a.example/")), "de")] == ["subject", "text"]


def test_a_block_that_moves_keeps_its_units_ids() -> None:
    one, two = block("text", id="one", text="First"), block("text", id="two", text="Second")
    there, back = model(email(one, two)), model(email(two, one))
    assert {unit.id: unit.source for unit in units(there, "de")} == {unit.id: unit.source for unit in units(back, "de")}


def test_a_unit_says_what_stands_around_it_and_how_long_it_may_be() -> None:
    letter = model(email(block("heading", text="Welcome"), block("button", label="Begin"), subject="Your first day"))
    button = units(letter, "de")[2]
    assert (button.before, button.after, button.longest, button.block, button.field) == ("Welcome", "", 120, "button", "label")


def test_a_language_begins_as_a_copy_with_what_is_translated() -> None:
    body = email(block("heading", text="Welcome"), block("divider"), subject="Hello")
    made = with_texts(body, model(body), "de", {"blocks/heading/text": "Willkommen"})

    german = made["locales"]["de"]
    assert [each["type"] for each in german["blocks"]] == ["heading", "divider", "footer"]
    assert (german["blocks"][0]["text"], german["subject"]) == ("Willkommen", "Hello")
    assert [unit.status for unit in units(model(made), "de")] == ["missing", "draft"]
    assert "de" not in body["locales"]


def test_a_block_that_a_language_lacks_comes_to_its_place_with_its_translation() -> None:
    first, new, last = (block("text", id=name, text=name.title()) for name in ("first", "new", "last"))
    own = block("text", id="own", text="Nur hier")
    body = email(locales={"en": locale(first, new, last, FOOT), "de": locale(first, own, last, FOOT)})

    german = with_texts(body, model(body), "de", {"blocks/new/text": "Neu"})["locales"]["de"]["blocks"]
    assert [(each["id"], each.get("text")) for each in german[:4]] == [
        *[("first", "First"), ("new", "Neu"), ("own", "Nur hier"), ("last", "Last")],
    ]


def test_what_comes_into_a_column_comes_alone() -> None:
    def columns(*left: dict[str, Any]) -> dict[str, Any]:
        return {"type": "columns", "id": "c", "columns": [list(left), [block("text", id="right")]]}

    one, two, three = (block("text", id=name, text=name.title()) for name in ("one", "two", "three"))
    body = email(locales={"en": locale(columns(one, two, three), FOOT), "de": locale(columns(three), FOOT)})

    german = with_texts(body, model(body), "de", {"blocks/two/text": "Zwei"})["locales"]["de"]["blocks"][0]
    assert [each["id"] for each in german["columns"][0]] == ["two", "three"]


def test_a_text_whose_block_is_of_another_type_in_a_language_has_no_place_there() -> None:
    body = email(locales={"en": locale(block("heading", id="a"), FOOT), "de": locale(block("divider", id="a"), FOOT)})
    with pytest.raises(Invalid, match="/locales/de: found no place for blocks/a/text, expected a block of the same id and type as in en"):
        with_texts(body, model(body), "de", {"blocks/a/text": "Neu"})


NO_WORDS = {"id", "type", "src", "href", "when", "repeat", "address", "fragment", "align", "look", "layout", "size", "columns", "links"}


@pytest.mark.parametrize("name", sorted(_BLOCKS))
def test_no_type_of_block_keeps_its_words_to_itself(name: str) -> None:
    """Every field that can hold text is marked as translatable, or known to hold no words."""
    for field, info in _BLOCKS[name].model_fields.items():
        texts = str in (info.annotation, *get_args(info.annotation)) or "str" in str(info.annotation)
        marked = any(isinstance(each, Translatable) for each in info.metadata)
        assert marked or not texts or field in NO_WORDS, f"{name}.{field} is neither marked with Translatable nor known to hold no words"


def test_heroes_and_cards_have_units() -> None:
    letter = model(
        email(block("hero", id="top", title="Spring", alt=""), block("card", id="a", title="{{ city }}", price="From 5", text="**Stay**"))
    )
    assert [unit.id for unit in units(letter, "de")] == ["subject", "blocks/top/title", "blocks/a/title", "blocks/a/price", "blocks/a/text"]


@law
@given(letters())
def test_applying_the_texts_of_a_body_gives_exactly_that_body(drawn: tuple[dict[str, Any], str]) -> None:
    body, tag = drawn
    template = model(body)
    for locale in body["locales"]:
        texts = {unit.id: unit.text for unit in units(template, locale) if unit.text}
        assert canonical(with_texts(body, template, locale, texts)) == canonical(body)


@law
@given(letters())
def test_whatever_is_applied_is_what_is_read_back(drawn: tuple[dict[str, Any], str]) -> None:
    body, tag = drawn
    wanted = {unit.id: f"({unit.id})" for unit in units(model(body), tag)}
    made = with_texts(body, model(body), tag, wanted)
    assert {unit.id: unit.text for unit in units(model(made), tag)} == wanted
    assert made["locales"]["en"] == body["locales"]["en"]
