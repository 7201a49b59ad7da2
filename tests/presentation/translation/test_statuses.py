"""How far a translation is: missing, stale, a draft, reviewed; and what the workspace's policy asks of it before anybody may submit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from governance.door import Actor, Finding, Invalid, Membership, Role, User, decide, document, parse, release, save, submit
from presentation import template_forms
from presentation.door import TemplateBody
from presentation.translation.findings import plural_findings, translation_findings
from presentation.translation.records import fingerprint
from presentation.translation.units import units
from tests.presentation.letters import block, email

FOOT = block("footer")


def letter(*, en: str = "Hello", de: str = "Hallo", **record: str) -> dict[str, Any]:
    """A letter of one heading and its German. record: what is remembered of the heading."""
    locales = {
        "en": {"subject": "{{ city }}", "blocks": [block("heading", text=en), FOOT]},
        "de": {"subject": "{{ city }}", "blocks": [block("heading", text=de), FOOT]},
    }
    remembered: dict[str, Any] = {"translations": {"de": {"blocks/heading/text": record}}} if record else {}
    return email(locales=locales, **remembered)


def status_of(body: dict[str, Any], tag: str = "de") -> str:
    return {unit.id: unit.status for unit in units(parse(TemplateBody, body), tag)}["blocks/heading/text"]


def made(source: str, text: str, state: str = "draft") -> dict[str, str]:
    return {"source": fingerprint(source), "text": fingerprint(text), "state": state}


def test_a_text_in_the_sources_own_words_is_not_translated() -> None:
    assert status_of(letter(de="Hello")) == "missing"


def test_a_text_without_words_needs_no_other() -> None:
    assert status_of(letter(en="{{ total }} : 100 %", de="{{ total }} : 100 %")) == "draft"
    assert status_of(letter(en='{{ city|default("there") }}', de='{{ city|default("there") }}')) == "missing"


def test_the_same_words_do_in_another_country_of_the_same_language() -> None:
    body = letter()
    body["locales"]["en-GB"] = body["locales"]["en"]
    assert status_of(body, "en-GB") == "draft"


def test_a_translation_of_which_nothing_is_remembered_is_a_draft() -> None:
    assert status_of(letter()) == "draft"


def test_a_translation_is_stale_once_its_source_says_something_else() -> None:
    assert status_of(letter(**made("Hello", "Hallo"))) == "draft"
    assert status_of(letter(en="Hello again", **made("Hello", "Hallo", "reviewed"))) == "stale"


def test_a_review_holds_until_the_translation_is_edited() -> None:
    reviewed = made("Hello", "Hallo", "reviewed")
    assert status_of(letter(**reviewed)) == "reviewed"
    assert status_of(letter(de="Hallo!", **reviewed)) == "draft"


def test_somebody_may_say_that_the_sources_words_are_right() -> None:
    assert status_of(letter(en="OMNI", de="OMNI", **made("OMNI", "OMNI", "reviewed"))) == "reviewed"


def found(body: dict[str, Any], demanded: str = "any") -> list[tuple[str, str, str]]:
    return [(each.level, each.path, each.found) for each in translation_findings(parse(TemplateBody, body), demanded)]


def test_checks_name_the_texts_that_are_missing_and_stale() -> None:
    assert found(letter(de="Hello")) == [("warning", "/locales/de", "1 of 2 texts not translated: blocks/heading/text")]
    stale = letter(en="Hello again", **made("Hello", "Hallo"))
    assert found(stale) == [("warning", "/locales/de", "1 of 2 texts translated from what en no longer says: blocks/heading/text")]
    assert found(letter()) == []


def test_a_policy_makes_of_a_warning_an_error() -> None:
    assert found(letter(de="Hello"), "complete")[0][0] == "error"
    assert found(letter(), "complete") == []
    assert found(letter(), "reviewed")[0][0::2] == ("error", "2 of 2 texts that nobody has reviewed: subject, blocks/heading/text")


def test_a_plural_without_a_form_of_its_language_is_told() -> None:
    def told(tag: str, *forms: str) -> list[tuple[str, str]]:
        text = "{{ total|plural(" + ", ".join(f"'{form}'" for form in forms) + ") }}"
        return [(each.found, each.expected) for each in plural_findings(text, tag, "/locales/x/subject")]

    assert told("en", "one: # night", "other: # nights") == []
    assert told("ja", "other: #") == []
    assert told("pl", "one: # noc", "other: # nocy") == [
        ("a plural without few, many", "the forms of pl: one, few, many, other. Numbers of these read the form other")
    ]
    assert told("en", "one: #", "few: #", "other: #") == [("a plural with few", "the forms that en has: one, other")]
    assert told("fr", "one: #", "many: #", "other: #") == []


def test_the_editor_carries_what_is_remembered_and_forgets_languages_that_go() -> None:
    body = letter(**made("Hello", "Hallo"))
    form = template_forms.to_form(body)
    assert template_forms.to_body(form)["translations"] == body["translations"]
    dropped = template_forms.steps("drop-locale:de", form)
    assert dropped is not None and template_forms.to_body(dropped)["translations"] == {}


@pytest.mark.django_db
def test_a_template_with_a_language_by_halves_waits_where_the_policy_says_so(administrator: Actor, author: Actor, now: datetime) -> None:
    ben = User.objects.create(username="ben")
    Membership.objects.create(workspace_id=administrator.workspace_id, user=ben, role=Role.ADMIN)
    approver = Actor(administrator.workspace_id, ben.pk, Role.ADMIN, "console")
    saved = save(author, "template", "letter", letter(de="Hello"), base=None, now=now)
    warned = [each.level for each in document(author.workspace_id, "template", "letter").latest.findings if "texts" in each.found]
    assert warned == ["warning"]

    save(administrator, "approval_policy", "default", {"translations": "complete"}, base=None, now=now)
    asked = submit(administrator, "approval_policy", "default", number=1, now=now)
    decide(approver, asked.pk, bill_hash=asked.bill_hash, verdict="approve", now=now)
    release(approver, asked.pk, now=now)

    with pytest.raises(Invalid) as refused:
        submit(author, "template", "letter", number=saved.number, now=now)
    expected = "a translation of each from en"
    assert Finding("error", "/locales/de", "1 of 2 texts not translated: blocks/heading/text", expected) in refused.value.findings
    whole = save(author, "template", "letter", letter(), base=saved.number, now=now)
    assert submit(author, "template", "letter", number=whole.number, now=now).state == "open"
