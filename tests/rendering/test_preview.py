"""An author sees what a person would get, and why they would get nothing."""

from __future__ import annotations

import pytest

from rendering.door import preview, validate_expression
from tests.presentation.letters import FOOTER, Person, block, content, email, sms

LETTER = email(block("text", text="Dear {{ first_name }} from {{ city }}, {{ total|money('EUR') }}"), subject="For {{ first_name }}")


def test_without_a_person_samples_stand_for_what_is_missing() -> None:
    shown = preview(content(LETTER), None, {})
    assert (shown.subject, shown.findings) == ("For there", ())
    assert "Dear there from Sample, €42.00" in shown.html and "Dear there" in shown.text
    assert shown.bytes == len(shown.html.encode()) and shown.sms_parts is None


def test_with_a_person_their_own_values_are_shown() -> None:
    shown = preview(content(LETTER), Person(attributes={"first_name": "Ada", "city": "Oslo"}), {"total": 3})
    assert "Dear Ada from Oslo, €3.00" in shown.html and not shown.findings


def test_a_person_who_would_be_skipped_is_a_finding_and_shown_with_samples() -> None:
    shown = preview(content(LETTER), Person(attributes={"first_name": "Ada"}), {"total": 3})
    (finding,) = shown.findings
    assert (finding.path, finding.found) == ("/locales/en", "city has no value and no fallback")
    assert "Dear Ada from Sample" in shown.html


@pytest.mark.parametrize(
    ("asked", "profile", "expected"), [("de", "en", "de"), ("", "de-AT", "de"), ("", "fr", "en"), ("de-CH", None, "de")]
)
def test_the_locale_asked_for_comes_before_the_persons_own(asked: str, profile: str | None, expected: str) -> None:
    german = {"subject": "Hallo", "blocks": [block("text"), FOOTER]}
    body = {**LETTER, "locales": {**LETTER["locales"], "de": german}}
    assert preview(content(body), Person(locale=profile), {"total": 1}, asked).locale == expected


def test_no_link_of_a_preview_is_counted() -> None:
    shown = preview(content(email(block("button", href="https://shop.example.com/a"))), None, {})
    assert "https://shop.example.com/a" in shown.html and "/t/" not in shown.html and ".gif" not in shown.html


def test_an_sms_is_shown_with_its_parts() -> None:
    shown = preview(content(sms("Hi {{ first_name }} 👋")), None, {})
    assert (shown.text, shown.html) == ("Hi there 👋", "")
    assert shown.sms_parts is not None and (shown.sms_parts.encoding, shown.sms_parts.parts) == ("UCS-2", 1)


def test_one_expression_can_be_checked_alone() -> None:
    assert validate_expression("first_name|upper", {"first_name": "text"}) == []
    (finding,) = validate_expression("{{ nope }}", {"first_name": "text"})
    assert finding.found == "line 1: nope isn't declared"
