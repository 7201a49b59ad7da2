"""A template body is refused with every fault at its place, before anything is stored."""

from __future__ import annotations

from typing import Any

import pytest

from governance.door import Invalid, parse
from presentation.door import TemplateBody, compose_body
from tests.presentation.letters import block, email, sms


def faults(body: dict[str, Any]) -> dict[str, tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        parse(TemplateBody, body)
    return {finding.path: (finding.found, finding.expected) for finding in refused.value.findings}


def test_a_letter_with_every_block_is_accepted() -> None:
    leaves = [block("heading", id="l1"), block("image", id="l2")]
    kinds = ["heading", "text", "image", "button", "divider", "spacer", "html"]
    body = email(*[block(kind) for kind in kinds], block("columns", columns=[leaves, [block("text", id="r1")]], widths=[40, 60]))
    content = compose_body("letter", parse(TemplateBody, body))
    assert [each.type for each in content.locales["en"].blocks] == [*kinds, "columns", "footer"]


@pytest.mark.parametrize(
    ("subject", "found", "expected"),
    [
        ("Hi\0there", "Hi\\x00there", "one line of text without control character U+0000"),
        ("Hi\r\nBcc: x@example.com", "Hi\\x0d", "one line of text without a line break (U+000D)"),
        ("Hi\u2028there", "Hi\\x2028there", "one line of text without a line break (U+2028)"),
        ("Hi\x85there", "Hi\\x85there", "one line of text without a line break (U+0085)"),
        ("invoice\u202egpj.exe", "invoice", "one line of text without bidirectional override U+202E"),
        ("   ", "", "a subject: it is required"),
        ("A" * 201, "201 characters", "a subject of at most 200 characters"),
        ("{% if x %}", "line 1: statements", "only {{ expressions }}"),
        ("Hello {{ frist_name }}", "line 1: frist_name isn't declared", "did you mean first_name"),
    ],
)
def test_a_subject_is_one_clean_line(subject: str, found: str, expected: str) -> None:
    found_words, expected_words = faults(email(block("text"), subject=subject))["/locales/en/subject"]
    assert found in found_words and expected in expected_words


def test_expressions_do_not_count_against_the_length_of_a_subject() -> None:
    parse(TemplateBody, email(block("text"), subject="A" * 190 + "{{ first_name|default('somebody we have not met yet') }}"))


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "shop.example.com",
        "https://",
        "https://user:secret@evil.example/",
        "https://shop.example\\@evil.example/",
        "https://{{ city }}.example/",
        "https://shop.example{{ city }}",
        "{{ city }}",
        "https://a b.example/",
        "java\tscript:alert(1)",
    ],
)
def test_a_link_leads_to_a_fixed_host_by_a_known_scheme(href: str) -> None:
    assert "/locales/en/blocks/0/href" in faults(email(block("button", href=href)))
    if "\t" not in href and " " not in href and "\\" not in href:
        assert "/locales/en/blocks/0/text" in faults(email(block("text", text=f"[x]({href})")))
        assert "/locales/en/blocks/0/html" in faults(email(block("html", html=f'<a href="{href}">x</a>')))


def test_a_disguised_scheme_in_markdown_or_html_is_seen() -> None:
    assert "/locales/en/blocks/0/text" in faults(email(block("text", text="[x](&#x6A;avascript:alert)")))
    assert "/locales/en/blocks/0/html" in faults(email(block("html", html="<a href=&#106;avascript:alert(1)>x</a>")))


@pytest.mark.parametrize(
    "href",
    [
        "https://shop.example.com/a?b={{ city }}&c=d#e",
        "http://shop.example.com",
        "mailto:help@example.com?subject={{ city }}",
        "tel:+15005550006",
        "sms:+15005550006",
        "{{ unsubscribe_url }}",
    ],
)
def test_these_links_are_fine(href: str) -> None:
    parse(TemplateBody, email(block("button", href=href), block("text", text=f"[x]({href})")))


@pytest.mark.parametrize("src", ["http://img.example.com/a.png", "data:image/png;base64,AAAA", "cid:1", "https://{{ city }}/a.png"])
def test_a_picture_comes_from_a_fixed_https_host(src: str) -> None:
    assert "/locales/en/blocks/0/src" in faults(email(block("image", src=src)))


def test_two_blocks_with_one_id_are_refused_even_inside_columns() -> None:
    columns = block("columns", columns=[[block("text", id="twin")], []])
    assert "/locales/en/blocks/1/columns/0/0/id" in faults(email(block("text", id="twin"), columns))


def test_a_block_of_an_unknown_type_is_told_the_known_ones() -> None:
    _, expected = faults(email({"type": "carousel", "id": "c"}))["/locales/en/blocks/0"]
    assert "a block with a type: heading, text, image" in expected


def test_a_field_that_a_block_does_not_have_is_named() -> None:
    assert faults(email(block("text", size_px=12)))["/locales/en/blocks/0/size_px"][0] == "an unknown field"


@pytest.mark.parametrize("tag", ["xx-YY", "i-klingon", "../../etc", "", "en-ZZZ9", "en US"])
def test_an_unknown_locale_is_refused(tag: str) -> None:
    locales = email(block("text"))["locales"]
    found = faults(email(locales={**locales, tag: locales["en"]}))
    assert any("unknown locale" in expected or "unknown region" in expected for _, expected in found.values())


@pytest.mark.parametrize(("tag", "spelling"), [("en_US", "en-US"), ("EN-us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("pt-br", "pt-BR")])
def test_a_locale_has_one_spelling_which_is_named(tag: str, spelling: str) -> None:
    locales = email(block("text"))["locales"]
    assert faults(email(locales={**locales, tag: locales["en"]}))[f"/locales/{tag}"] == (tag, f"the spelling {spelling}")


def test_defaults_and_fallbacks_must_exist() -> None:
    found = faults(email(block("text"), default_locale="de", fallbacks={"pt-BR": ["pt"]}))
    assert found["/default_locale"][1] == "one of this template's locales: en"
    assert found["/fallbacks/pt-BR/0"][0] == "pt"


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("sender", {"name": "Acme\nX-Injected: 1", "address": "a@example.com"}, "/sender/name"),
        ("sender", {"address": "a@example.com, b@example.com"}, "/sender/address"),
        ("sender", {"address": "a@example.com b@example.com"}, "/sender/address"),
        ("sender", {"address": "a@b"}, "/sender/address"),
        ("sender", {"from": "<script>"}, "/sender/from"),
        ("reply_to", "a@example.com b@example.com", "/reply_to"),
        ("reply_to", "a@example.com\u2028b@example.com", "/reply_to"),
        ("message_class", "marketing", "/message_class"),
        ("theme", {"accent": "red"}, "/theme/accent"),
        ("theme", {"brand": {"name": "{{ first_name }}"}}, "/theme/brand/name"),
        ("variables", {"Bad": {"source": "data.x"}}, "/variables/Bad"),
        ("variables", {"token": {"source": "data.x"}}, "/variables/token"),
        ("variables", {"x": {"source": "os.environ"}}, "/variables/x/source"),
        ("variables", {"x": {"source": "profile.password"}}, "/variables/x/source"),
        ("variables", {"x": {"source": "data.x", "type": "number", "fallback": "many"}}, "/variables/x/fallback"),
    ],
)
def test_a_fault_is_found_at_its_field(field: str, value: Any, place: str) -> None:
    assert place in faults(email(block("text"), **{field: value}))


def test_a_letter_of_too_many_expressions_is_refused() -> None:
    many = [block("text", id=f"t{number}", text="{{ total + 1 }} " * 190) for number in range(3)]
    assert faults(email(*many))["/locales/en"] == ("570 expressions", "at most 500 expressions in one locale")


def test_an_sms_is_a_text_and_nothing_else() -> None:
    parse(TemplateBody, sms("Hello {{ first_name }}. Reply STOP to opt out"))
    assert "/locales/en/text" in faults(sms("  "))
    assert "/locales/en/subject" in faults(sms("Hello", locales={"en": {"text": "Hello", "subject": "Hi"}}))


def test_every_fault_is_told_at_once() -> None:
    body = email(block("button", href="x:y", id="b"), block("text", text="{{ nope }}", id="t"), subject="{{ nobody }}")
    assert "/locales/en/blocks/0/href" in faults(body)
    body["locales"]["en"]["blocks"].pop(0)
    assert {"/locales/en/subject", "/locales/en/blocks/0/text"} <= set(faults(body))
