"""Files for translators: what goes out comes back exactly, and what a tool makes of it is read with its meaning."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from gettext import c2py  # how gettext itself reads the rule
from typing import Any

import pytest
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from governance.door import Invalid, canonical, parse
from presentation.door import TemplateBody, babel_locale
from presentation.plurals import categories, gettext_header
from presentation.translation.exchange import Outgoing
from presentation.translation.importing import BOTH, WRITERS, Format, export, merge, read
from presentation.translation.messages import messages, text_of
from presentation.translation.pieces import pieces
from presentation.translation.units import units
from tests.presentation.letters import block, email
from tests.presentation.translation.drawn import bodies, law, letters

formats = pytest.mark.parametrize("format", BOTH)


def model(body: dict[str, Any]) -> TemplateBody:
    return parse(TemplateBody, body)


@law
@given(bodies.map("".join), st.sampled_from(["line", "lines", "markdown", "html"]))
def test_the_pieces_of_a_text_joined_are_the_text(text: str, look: Any) -> None:
    cut = pieces(text, look)
    assert "".join(piece.text for piece in cut) == text
    opened: list[int] = []
    for piece in cut:
        if piece.kind == "open":
            opened.append(piece.pair)
        elif piece.kind == "close":
            assert opened.pop() == piece.pair
    assert not opened


@law
@given(letters())
def test_the_messages_of_a_unit_put_together_are_its_text(drawn: tuple[dict[str, Any], str]) -> None:
    body, tag = drawn
    for unit in units(model(body), tag):
        said = {message.id: message.target for message in messages(unit, tag)}
        assert text_of(unit.id, unit.source, said, tag) == ("" if unit.status == "missing" else unit.text)


@formats
@law
@given(drawn=letters())
def test_a_file_says_every_text_as_it_was_written(format: Format, drawn: tuple[dict[str, Any], str]) -> None:
    body, tag = drawn
    template = model(body)
    back = read(export(template, "welcome", 7, tag, format))

    said = {message.id: message for unit in units(template, tag) for message in messages(unit, tag)}
    assert (back.key, back.number, back.source, back.tag) == ("welcome", 7, "en", tag)
    assert {id: each.target for id, each in back.messages.items()} == {id: each.target for id, each in said.items()}
    assert {id: each.source for id, each in back.messages.items() if "#" not in id} == {
        id: each.source for id, each in said.items() if "#" not in id
    }


@formats
@law
@given(drawn=letters())
def test_a_file_that_nobody_touched_changes_nothing(format: Format, drawn: tuple[dict[str, Any], str]) -> None:
    body, tag = drawn
    template = model(body)
    outcome = merge(body, template, read(export(template, "welcome", 7, tag, format)))
    assert canonical(outcome.body) == canonical(body)
    assert not (outcome.conflicts or outcome.gone or outcome.stale)


WORDS = [
    *["Grüße & Küsse", "שלום עולם", "👩\u200d👩\u200d👧", "e\u0301", "&gt;", "\"'", "100 %", "msgid"],
    *[" \u00a0 ", "\u2028", "x\ufffey", "&amp;", "\\"],
]


@formats
@law
@given(drawn=letters(), data=st.data())
def test_whatever_a_translator_writes_between_the_markup_arrives(format: Format, drawn: tuple[dict[str, Any], str], data: Any) -> None:
    body, tag = drawn
    template, wanted = model(body), dict[str, str]()
    said = [message for unit in units(template, tag) for message in messages(unit, tag)]
    for message in said:
        offered = [""] if len(message.source) > 60 and message.longest else WORDS[:8] if message.look == "line" else WORDS
        offered = ["é", "ש", '"', "\\", "&"] if "#" in message.id else offered
        words = data.draw(st.sampled_from(offered))
        cut = pieces(message.source, message.look)
        wanted[message.id] = "".join(words if piece.kind == "words" else piece.text for piece in cut) or words
    for unit in units(template, tag):
        if unit.longest and len(text_of(unit.id, unit.source, wanted, tag)) > unit.longest:
            wanted[unit.id] = ""  # which is refused, and no matter of this law
    file = WRITERS[format](Outgoing("welcome", 7, "en", tag, [replace(each, target=wanted[each.id]) for each in said]))

    made = model(merge(body, template, read(file)).body)
    for unit in units(made, tag):
        expected = text_of(unit.id, unit.source, wanted, tag)
        assert unit.text == unicodedata.normalize("NFC", expected) or not expected.strip()


def letter(**german: str) -> dict[str, Any]:
    first = block("text", id="intro", text='Hello **{{ first_name|default("there") }}**, see [our shop](https://shop.example.com/).')
    return email(first, subject="Your {{ total|number }} points")


def test_xliff_shows_words_and_keeps_markup_as_codes() -> None:
    file = export(model(letter()), "welcome", 3, "de", "xliff").decode()
    assert '<file id="template" original="template/welcome/3" xml:space="preserve">' in file
    assert '<unit id="blocks:intro:text" name="blocks/intro/text">' in file
    assert '<data id="d1">{{ total|number }}</data>' in file
    assert 'Your <ph id="1" canDelete="no" dataRef="d1" disp="{{ total|number }}"/> points' in file
    assert '<data id="d4">](https://shop.example.com/)</data>' in file
    assert 'subFlows="blocks:intro:text::1"' in file
    assert "<source>there</source>" in file


def test_po_names_its_texts_and_says_what_stands_around_them() -> None:
    file = export(model(letter()), "welcome", 3, "de", "po").decode()
    assert '"Language: de\\n"' in file and '"X-Omni-Revision: 3\\n"' in file
    assert 'msgctxt "subject"\nmsgid "Your {{ total|number }} points"\nmsgstr ""\n' in file
    assert "#. Before: Your {{ total|number }} points\n" in file
    assert 'msgctxt "blocks/intro/text#1"\nmsgid "there"\nmsgstr ""\n' in file


def test_po_numbers_the_forms_of_every_language_as_cldr_names_them() -> None:
    for tag in sorted({name.split("_")[0] for name in locale_identifiers()}):
        count, _, rule = gettext_header(tag).removeprefix("nplurals=").rstrip(";").partition("; plural=")
        names, number = categories(tag), c2py(rule)
        assert int(count) == len(names), tag
        assert all(names[number(n)] == babel_locale(tag).plural_form(n) for n in range(1_000)), tag


def test_the_forms_of_a_plural_are_each_languages_own() -> None:
    body = email(subject='{{ total|plural("one: # night", "other: # nights") }} left')
    po = export(model(body), "letter", 1, "pl", "po").decode()
    assert 'msgctxt "subject#1"\nmsgid "# night"\nmsgid_plural "# nights"\nmsgstr[0] ""\nmsgstr[1] ""\nmsgstr[2] ""\nmsgstr[3] ""\n' in po
    for number, words in enumerate(["# noc", "# noce", "# nocy", "# nocy"]):
        po = po.replace(f'msgstr[{number}] ""', f'msgstr[{number}] "{words}"')
    po = po.replace(' left"\nmsgstr ""', ' left"\nmsgstr "Jeszcze {{ total|plural(\\"one: # night\\", \\"other: # nights\\") }}"')
    made = merge(body, model(body), read(po.encode())).body
    polish = 'Jeszcze {{ total|plural("one: # noc", "few: # noce", "many: # nocy", "other: # nocy") }}'
    assert made["locales"]["pl"]["subject"] == polish

    xliff = export(model(made), "letter", 2, "pl", "xliff").decode()
    assert 'subFlows="subject::1.one subject::1.few subject::1.many subject::1.other"' in xliff
    assert "<target># noce</target>" in xliff
    assert canonical(merge(made, model(made), read(xliff.encode())).body) == canonical(made)


def test_a_file_with_the_wrong_number_of_forms_is_refused() -> None:
    body = email(subject='{{ total|plural("one: # night", "other: # nights") }} left')
    po = export(model(body), "letter", 1, "pl", "po").replace(b'msgstr[3] ""\n', b"")
    with pytest.raises(Invalid, match="/units/subject#1: found line .* 3 plural forms .*expected 4 forms: one, few, many, other"):
        read(po)
