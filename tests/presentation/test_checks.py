"""What a template may not be submitted with, and what its approver should know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from governance.door import Actor, Invalid, save
from tests.presentation.letters import block, email, sms

pytestmark = pytest.mark.django_db


@pytest.fixture
def findings(author: Actor, now: datetime) -> Any:
    def found(body: dict[str, Any]) -> dict[str, tuple[str, str]]:
        revision = save(author, "template", "letter", body, base=None, now=now)
        return {finding["path"]: (finding["level"], finding["found"]) for finding in revision.findings}

    return found


def errors(found: dict[str, tuple[str, str]]) -> set[str]:
    return {path for path, (level, _) in found.items() if level == "error"}


def test_a_good_letter_has_no_errors_and_no_warnings(findings: Any) -> None:
    body = email(block("text", text="Hello {{ first_name }}"), preheader="Have a look", reply_to="hello@example.com")
    assert {level for level, _ in findings(body).values()} <= {"note"}


def test_a_promotional_mail_without_a_way_to_leave_cannot_be_submitted(findings: Any) -> None:
    body = email(block("text"))
    body["locales"]["en"]["blocks"].pop()
    assert errors(findings(body)) == {"/locales/en/blocks"}


def test_an_own_unsubscribe_link_will_do_but_the_postal_address_is_missed(findings: Any) -> None:
    body = email(block("text", text="[leave]({{ unsubscribe_url }})"))
    body["locales"]["en"]["blocks"].pop()
    assert findings(body)["/locales/en/blocks"] == ("warning", "no postal address")


def test_an_own_text_part_needs_its_own_way_to_leave(findings: Any) -> None:
    assert errors(findings(email(block("text"), text="Hello"))) == {"/locales/en/text"}


def test_a_transactional_mail_needs_no_way_to_leave(findings: Any) -> None:
    body = email(block("text"), message_class="transactional", topic=None)
    body["locales"]["en"]["blocks"].pop()
    assert not errors(findings(body))


def test_promotional_needs_a_topic_and_a_sender(findings: Any) -> None:
    assert errors(findings(email(block("text"), topic=None, sender={"name": "Acme"}))) == {"/topic", "/sender/address"}


def test_a_picture_needs_words_unless_it_says_nothing(findings: Any) -> None:
    body = email(block("image", alt="", id="bare"), block("image", alt="", decorative=True, id="frill"))
    assert errors(findings(body)) == {"/locales/en/blocks/0/alt"}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"subject": "🎉🎉🎉"}, "/locales/en/subject", "emoji only"),
        ({"subject": "A" * 90}, "/locales/en/subject", "90 characters"),
        ({"subject": "Hello {{ city }}"}, "/locales/en/subject", "city without a fallback"),
    ],
)
def test_subjects_are_commented_on(findings: Any, changes: dict[str, Any], path: str, words: str) -> None:
    assert findings(email(block("text"), **changes))[path] == ("warning", words)


def test_a_fallback_by_filter_or_question_is_enough(findings: Any) -> None:
    text = "{{ city|default('you') }} {{ city if city is defined else 'you' }} {{ first_name }}"
    assert "/locales/en/blocks/0/text" not in findings(email(block("text", text=text)))


def test_personal_data_in_a_link_to_another_domain_is_pointed_out(findings: Any) -> None:
    variables = {"mail": {"source": "profile.email", "fallback": "x"}, "land": {"source": "profile.country", "fallback": "x"}}
    partner, own = "https://partner.example.net", "https://shop.example.com"
    text = f"[a]({partner}/?e={{{{ mail }}}}) [b]({own}/?e={{{{ mail }}}}) [c]({partner}/{{{{ land }}}})"
    found = findings(email(block("text", text=text), variables=variables))
    assert found["/locales/en/blocks/0/text"] == ("warning", "mail in a link to partner.example.net")


def test_an_attribute_must_exist_and_be_of_the_type_that_is_said(findings: Any) -> None:
    variables = {"name": {"source": "attribute.frist_name"}, "tags": {"source": "attribute.tags"}}
    found = findings(email(block("text", text="{{ name }} {{ tags }}"), variables=variables))
    assert errors(found) == {"/variables/name/source"}
    assert found["/variables/tags/type"] == ("warning", "text")


def test_a_harmless_attribute_may_travel(findings: Any, administrator: Actor, now: datetime) -> None:
    save(administrator, "attribute", "plan", {"title": "Plan", "type": "text", "sensitivity": "internal"}, base=None, now=now)
    variables = {"plan": {"source": "attribute.plan", "fallback": "x"}}
    body = email(block("text", text="[a](https://partner.example.net/?e={{ plan }})"), variables=variables)
    assert "/locales/en/blocks/0/text" not in findings(body)


def test_a_translation_that_lacks_a_block_is_pointed_out(findings: Any) -> None:
    body = email(block("text"), block("button"))
    german = {"subject": "Hallo", "blocks": [block("text"), block("footer")]}
    body["locales"]["de"] = german
    assert findings(body)["/locales/de/blocks"] == ("warning", "without button")


def test_a_mail_that_gmail_would_clip_is_pointed_out(findings: Any) -> None:
    body = email(*[block("text", id=f"t{number}", text="words " * 5_000) for number in range(4)])
    assert findings(body)["/locales/en/blocks"][0] == "warning"


def test_a_mail_too_big_to_send_is_an_error(findings: Any) -> None:
    body = email(*[block("text", id=f"t{number}", text="words " * 10_000) for number in range(6)])
    assert errors(findings(body)) == {"/locales/en"}


def test_an_expression_that_fails_for_its_samples_is_an_error(findings: Any) -> None:
    variables = {"count": {"source": "data.count", "type": "number", "sample": 0}}
    found = findings(email(block("text", text="{{ 10 / count }}"), variables=variables))
    assert found["/locales/en"] == ("error", "a division by zero")


def test_the_parts_of_an_sms_and_the_way_out_of_it_are_pointed_out(author: Actor, now: datetime) -> None:
    long = save(author, "template", "long", sms("Hello 👋 " + "and welcome to the shop " * 10), base=None, now=now)
    words = [(each["level"], each["found"]) for each in long.findings if each["path"] == "/locales/en/text"]
    assert words == [
        ("warning", "4 parts because of '👋' (U+1F44B)"),
        ("warning", "4 parts (UCS-2, 248 units), with samples"),
        ("warning", "no words on how to opt out"),
    ]
    short = save(author, "template", "short", sms("Hello. Reply STOP to opt out."), base=None, now=now)
    assert not [each for each in short.findings if each["path"] == "/locales/en/text"]


def test_saving_an_unknown_name_is_refused_and_stores_nothing(author: Actor, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        save(author, "template", "letter", email(block("text", text="Hi {{ frist_name }}")), base=None, now=now)
    (finding,) = refused.value.findings
    assert (finding.path, finding.found) == ("/locales/en/blocks/0/text", "line 1: frist_name isn't declared")
    assert "did you mean first_name" in finding.expected


def test_raw_html_is_an_administrators(author: Actor, administrator: Actor, now: datetime) -> None:
    body = email(block("html", html="<p>Hello</p>"))
    with pytest.raises(Invalid, match="administrator"):
        save(author, "template", "letter", body, base=None, now=now)
    saved = save(administrator, "template", "letter", body, base=None, now=now)
    assert {"/locales/en/blocks/0/html"} == {each["path"] for each in saved.findings if each["level"] == "warning"}


def test_an_author_may_edit_around_an_administrators_html_but_not_in_it(author: Actor, administrator: Actor, now: datetime) -> None:
    body = email(block("html", html="<p>Hello</p>"))
    save(administrator, "template", "letter", body, base=None, now=now)
    save(author, "template", "letter", email(block("html", html="<p>Hello</p>"), subject="Better"), base=1, now=now)
    with pytest.raises(Invalid, match="/locales/en/blocks/0/html"):
        save(author, "template", "letter", email(block("html", html="<p>Hello!</p>"), subject="Better"), base=2, now=now)


def test_a_picture_without_words_in_raw_html_is_told(administrator: Actor, now: datetime) -> None:
    shown = '<img src="https://x.example/a.png" alt="A boat"><img alt="" src="https://x.example/b.png">'
    for key, html, told in (("bare", shown + '<IMG src="https://x.example/c.png">', True), ("described", shown, False)):
        saved = save(administrator, "template", key, email(block("html", html=html)), base=None, now=now)
        assert ("a picture without words" in {each["found"] for each in saved.findings}) is told
