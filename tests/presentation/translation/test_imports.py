"""A file comes back from the translators: what it says becomes a draft, and what it may not say is refused with unit and placeholder."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from governance.door import Actor, Invalid, Missing, Refused, Role, document, parse, save
from presentation.door import TemplateBody
from presentation.translation.importing import BOTH, Format, export, read, take_in
from presentation.translation.units import units
from tests.presentation.letters import block, email

formats = pytest.mark.parametrize("format", BOTH)
INTRO = 'Hello {{ first_name|default("there") }}, see [our shop](https://shop.example.com/).'
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def letter(*, intro: str = INTRO, subject: str = "Your {{ total|number }} points", **changes: Any) -> dict[str, Any]:
    return email(block("text", id="intro", text=intro), block("button", id="go", label="See more"), subject=subject, **changes)


@pytest.fixture
def saved(author: Actor, now: datetime) -> Actor:
    """Ada, whose letter is saved."""
    save(author, "template", "letter", letter(), base=None, now=now)
    return author


def file(actor: Actor, format: Format, tag: str = "de") -> bytes:
    latest = document(actor.workspace_id, "template", "letter").latest
    return export(latest.model, "letter", latest.number, tag, format)


def answered(data: bytes, format: Format, **said: str) -> bytes:
    """The file with translations, each for the source with this beginning."""
    text = data.decode()
    for source, target in said.items():
        if format == "po":
            begin = text.index(f'msgid "{source}')
            at = text.index('msgstr ""', begin)
            text = text[:at] + f'msgstr "{target}"' + text[at + len('msgstr ""') :]
        else:
            begin = text.index(f"<source>{source}")
            at = text.index("</source>", begin) + len("</source>")
            text = text[:at] + f"<target>{target}</target>" + text[at:]
    return text.encode()


def now_says(actor: Actor, tag: str = "de") -> dict[str, tuple[str, str]]:
    model = document(actor.workspace_id, "template", "letter").latest.model
    return {unit.id: (unit.text, unit.status) for unit in units(model, tag)}


POINTS = {"po": "Deine {{ total|number }} Punkte", "xliff": 'Deine <ph id="1" dataRef="d1"/> Punkte'}
GREETING = {
    "po": 'Schau in [unseren Laden](https://shop.example.com/), {{ first_name|default(\\"there\\") }}.',
    "xliff": 'Schau in <pc id="2" dataRefStart="d2" dataRefEnd="d3">unseren Laden</pc>, <ph id="1" dataRef="d1"/>.',
}


@formats
@pytest.mark.django_db
def test_what_was_translated_becomes_a_new_draft(saved: Actor, now: datetime, format: Format) -> None:
    back = answered(file(saved, format), format, Your=POINTS[format], Hello=GREETING[format], there="du")
    outcome = take_in(saved, "letter", back, tag="de", now=now)

    assert outcome.revision is not None and outcome.revision.number == 2
    assert outcome.revision.note == "Translation to de of revision 1"
    assert sorted(outcome.changed) == ["blocks/intro/text", "subject"]
    assert now_says(saved) == {
        "subject": ("Deine {{ total|number }} Punkte", "draft"),
        "blocks/intro/text": ('Schau in [unseren Laden](https://shop.example.com/), {{ first_name|default("du") }}.', "draft"),
        "blocks/go/label": ("See more", "missing"),
    }


@formats
@pytest.mark.django_db
def test_the_same_file_again_changes_nothing(saved: Actor, now: datetime, format: Format) -> None:
    back = answered(file(saved, format), format, Your=POINTS[format])
    take_in(saved, "letter", back, now=now)
    assert take_in(saved, "letter", back, now=now).revision is None
    assert document(saved.workspace_id, "template", "letter").latest.number == 2


@pytest.mark.django_db
def test_a_language_in_another_spelling_is_the_same(saved: Actor, now: datetime) -> None:
    take_in(saved, "letter", answered(file(saved, "xliff", "pt-BR"), "xliff", See="Ver mais"), tag="pt_br", now=now)
    again = answered(file(saved, "xliff", "pt-BR"), "xliff", Your=POINTS["xliff"]).replace(b'trgLang="pt-BR"', b'trgLang="pt-br"')
    assert take_in(saved, "letter", again.replace(b"Ver mais", b"Ver tudo"), now=now).conflicts == []
    assert now_says(saved, "pt-BR")["blocks/go/label"][0] == "Ver tudo"


SEGMENTS = """<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.1" srcLang="en" trgLang="de">
<file id="f" original="template/letter/1"><unit id="a"><originalData><data id="d1">{{ x }}</data></originalData>
<segment><source>One.</source><target order="3">Eins.</target></segment><ignorable><source> </source></ignorable>
<segment state="final"><source><mrk id="m" type="term">Two</mrk> <ph id="1" dataRef="d1"/></source><target order="1">Zwei</target></segment>
<segment><source><ph id="2" dataRef="d1"/></source></segment></unit>
<unit id="b"><segment><source>One.</source><target>Eins.</target></segment><segment><source>Two</source></segment></unit></file></xliff>"""


def test_segments_that_a_tool_cut_are_put_together_in_their_order_and_half_a_text_is_none() -> None:
    heard = read(SEGMENTS.encode()).messages
    assert (heard["a"].source, heard["a"].target) == ("One. Two {{ x }}{{ x }}", "Zwei Eins.{{ x }}")
    assert (heard["a"].state, heard["b"].target) == ("", "")


@pytest.mark.django_db
def test_a_tool_that_says_reviewed_is_believed(saved: Actor, now: datetime) -> None:
    back = answered(file(saved, "xliff"), "xliff", See="Mehr sehen").replace(b'<segment state="initial">', b'<segment state="final">')
    take_in(saved, "letter", back, now=now)
    assert now_says(saved)["blocks/go/label"] == ("Mehr sehen", "reviewed")


@formats
@pytest.mark.django_db
def test_a_source_that_changed_meanwhile_makes_its_translation_stale_and_loses_nothing(saved: Actor, now: datetime, format: Format) -> None:
    back = answered(file(saved, format), format, Your=POINTS[format], See="Mehr sehen")
    save(saved, "template", "letter", letter(subject="All your {{ total|number }} points"), base=1, now=now)
    outcome = take_in(saved, "letter", back, now=now)

    assert list(outcome.stale) == ["subject"] and outcome.revision is not None and outcome.revision.number == 3
    assert now_says(saved)["subject"] == ("Deine {{ total|number }} Punkte", "stale")
    assert now_says(saved)["blocks/go/label"] == ("Mehr sehen", "draft")


@pytest.mark.django_db
def test_who_translated_meanwhile_in_the_console_keeps_their_words(saved: Actor, now: datetime) -> None:
    theirs = answered(file(saved, "po"), "po", Your=POINTS["po"], See="Mehr sehen")
    take_in(saved, "letter", answered(file(saved, "po"), "po", See="Zum Laden"), now=now)
    outcome = take_in(saved, "letter", theirs, now=now)

    assert list(outcome.conflicts) == ["blocks/go/label"]
    assert now_says(saved)["blocks/go/label"][0] == "Zum Laden"
    assert now_says(saved)["subject"][0] == "Deine {{ total|number }} Punkte"


@pytest.mark.django_db
def test_a_text_that_is_gone_is_named(saved: Actor, now: datetime) -> None:
    back = answered(file(saved, "po"), "po", See="Mehr sehen")
    body = letter()
    body["locales"]["en"]["blocks"] = [each for each in body["locales"]["en"]["blocks"] if each["id"] != "go"]
    save(saved, "template", "letter", body, base=1, now=now)
    outcome = take_in(saved, "letter", back, now=now)
    assert list(outcome.gone) == ["blocks/go/label"] and outcome.revision is None


@pytest.mark.django_db
def test_taking_the_doubt_off_a_stale_text_says_that_it_is_right(saved: Actor, now: datetime) -> None:
    take_in(saved, "letter", answered(file(saved, "po"), "po", See="Mehr sehen"), now=now)
    body = dict(document(saved.workspace_id, "template", "letter").latest.body)
    english = body["locales"]["en"]
    blocks = [{**each, "label": "See all"} if each["id"] == "go" else each for each in english["blocks"]]
    save(saved, "template", "letter", {**body, "locales": {**body["locales"], "en": {**english, "blocks": blocks}}}, base=2, now=now)
    doubtful = file(saved, "po")
    assert doubtful.count(b"#, fuzzy") == 1 and now_says(saved)["blocks/go/label"] == ("Mehr sehen", "stale")

    assert take_in(saved, "letter", doubtful, now=now).revision is None
    outcome = take_in(saved, "letter", doubtful.replace(b"#, fuzzy\n", b""), now=now)
    assert list(outcome.confirmed) == ["blocks/go/label"] and now_says(saved)["blocks/go/label"] == ("Mehr sehen", "draft")


@pytest.mark.django_db
def test_with_the_first_import_a_language_of_before_is_remembered(saved: Actor, now: datetime) -> None:
    body = letter()
    english = body["locales"]["en"]
    german = [{**each, "label": "Mehr sehen"} if each["id"] == "go" else each for each in english["blocks"]]
    body["locales"]["de"] = {**english, "blocks": german}
    save(saved, "template", "letter", body, base=1, now=now)
    take_in(saved, "letter", answered(file(saved, "po"), "po", Your=POINTS["po"]), now=now)

    latest = document(saved.workspace_id, "template", "letter").latest.body
    changed = [{**each, "label": "See all"} if each["id"] == "go" else each for each in english["blocks"]]
    save(saved, "template", "letter", {**latest, "locales": {**latest["locales"], "en": {**english, "blocks": changed}}}, base=3, now=now)
    assert now_says(saved)["blocks/go/label"] == ("Mehr sehen", "stale")


def refusal(actor: Actor, data: bytes, now: datetime, tag: str = "") -> str:
    """What is said to a file that can't be taken; nothing of it is."""
    before = document(actor.workspace_id, "template", "letter").latest.number
    with pytest.raises(Invalid) as refused:
        take_in(actor, "letter", data, tag=tag, now=now)
    assert document(actor.workspace_id, "template", "letter").latest.number == before
    return refused.value.reason


@pytest.mark.django_db
def test_a_lost_or_altered_placeholder_is_named_with_its_unit(saved: Actor, now: datetime) -> None:
    lost = refusal(saved, answered(file(saved, "po"), "po", Your="Deine Punkte"), now)
    assert lost.startswith("/units/subject: found line ") and "no {{ total|number }}, expected the placeholder {{ total|number }}" in lost
    altered = refusal(saved, answered(file(saved, "po"), "po", Your="Deine {{ total|money }} Punkte"), now)
    assert "{{ total|money }}, expected one of the source’s placeholders: {{ total|number }}" in altered
    broken = refusal(saved, answered(file(saved, "po"), "po", Your="Deine {{ total|number } Punkte"), now)
    assert "/units/subject" in broken and "doesn't end with }}" in broken
    link = answered(file(saved, "po"), "po", Hello='{{ first_name|default(\\"there\\") }}: [Laden](https://evil.example/).')
    assert "a link to https://evil.example/, expected the source’s links: https://shop.example.com/" in refusal(saved, link, now)
    assert "/units/subject: found line" in refusal(saved, answered(file(saved, "xliff"), "xliff", Your="Deine Punkte"), now)
    unknown = answered(file(saved, "xliff"), "xliff", Your='Deine <ph id="9" dataRef="d9"/> Punkte')
    assert "the placeholder 9 without its original data" in refusal(saved, unknown, now)


@pytest.mark.django_db
def test_a_text_longer_than_its_field_is_named_with_its_unit(saved: Actor, now: datetime) -> None:
    said = refusal(saved, answered(file(saved, "po"), "po", See="x" * 121), now)
    assert "/units/blocks/go/label: found line" in said and "121 characters, expected at most 120" in said


@formats
@pytest.mark.django_db
def test_a_file_of_something_else_is_refused(saved: Actor, now: datetime, format: Format) -> None:
    good = file(saved, format)
    assert "a file of template other, expected one of template letter" in refusal(saved, good.replace(b"letter", b"other"), now)
    assert "/language: found de, expected a translation to fr" in refusal(saved, good, now, tag="fr")
    number = good.replace(b"letter/1", b"letter/8").replace(b"Revision: 1", b"Revision: 8")
    assert "/revision: found revision 8" in refusal(saved, number, now)
    source = good.replace(b'srcLang="en"', b'srcLang="fr"').replace(b"Source-Language: en", b"Source-Language: fr")
    assert "/source: found fr, expected a translation from en" in refusal(saved, source, now)
    same = good.replace(b'trgLang="de"', b'trgLang="en"').replace(b"Language: de", b"Language: en")
    assert "/locale: found en" in refusal(saved, same, now)
    odd = good.replace(b'trgLang="de"', b'trgLang="xx-YY"').replace(b"Language: de", b"Language: xx_YY")
    assert "unknown locale" in refusal(saved, odd, now)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty file"),
        (b"   \n", "an empty file"),
        (b"<html>", "a document of html"),
        (b"<xliff version='1.2' xmlns='urn:oasis:names:tc:xliff:document:1.2'/>", "XLIFF 1.2, expected XLIFF 2.0"),
        (ENTITIES + b"<x>&b;</x>", "a document type declaration"),
        (OUTSIDE + b"<x>&a;</x>", "a document type declaration"),
        (b"<xliff xmlns='urn:oasis:names:tc:xliff:document:2.0' version='2.0'>", "XML that breaks off at line 1"),
        (b"<?xml version='1.0' encoding='no-such'?><xliff/>", "encoding"),
        ("<?xml version='1.0'?><!-- é --><xliff/>".encode("latin-1"), "XML that breaks off"),
        (b"<xliff xmlns='urn:oasis:names:tc:xliff:document:2.0' version='2.0' srcLang='en' trgLang='de'/>", "/original: found nothing"),
        ('msgid ""\nmsgstr "charset=ISO-8859-1 é"'.encode("latin-1"), "a byte that isn’t UTF-8 at 36, in a file of ISO-8859-1"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "isn’t UTF-8"),
        (b"PK\x03\x04 no translation", "/lines/1"),
        (b'msgid "a"\nmsgstr "b"', "X-Omni-Template"),
        (b'msgid "a" "b"', "/lines/1"),
        (b'msgid "a\\q"', "the escape \\q"),
        (b'msgid "a"\nmsgid "b"', "msgid a second time"),
        (b"x" * (16 * 1024 * 1024 + 1), "16,777,217 bytes, expected at most 16,777,216"),
        (b"<a>" * 100_000, "a document of a"),
    ],
)
def test_what_is_no_translation_file_is_told_so(data: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(data)
    assert said in refused.value.reason


def test_a_deeply_nested_file_is_read_without_harm() -> None:
    head = b"<xliff xmlns='urn:oasis:names:tc:xliff:document:2.0' version='2.0' srcLang='en' trgLang='de'><file original='template/a/1'>"
    body = b"<group>" * 200_000 + b"</group>" * 200_000
    assert read(head + body + b"</file></xliff>").messages == {}


@pytest.mark.django_db
def test_who_may_not_save_may_not_import(saved: Actor, now: datetime) -> None:
    viewer = Actor(saved.workspace_id, saved.user_id, Role.VIEWER, "console")
    with pytest.raises(Refused):
        take_in(viewer, "letter", answered(file(saved, "po"), "po", See="Mehr"), now=now)
    with pytest.raises(Missing):
        take_in(saved, "other", file(saved, "po").replace(b"letter", b"other"), now=now)


@pytest.mark.parametrize("tag", ["en", "xx-YY", "", "de_DE"])
def test_one_translates_to_a_locale_that_there_is_and_that_is_not_the_source(tag: str) -> None:
    template = parse(TemplateBody, letter())
    if tag == "de_DE":
        assert b'trgLang="de-DE"' in export(template, "letter", 1, tag, "xliff")
    else:
        with pytest.raises(Invalid):
            export(template, "letter", 1, tag, "po")
