"""Themes and fragments are documents of their own: many templates name them, and each has its revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from governance.door import Actor, Invalid, document, parse, save, used_by
from presentation.door import Content, TemplateBody, compose_body, drafted
from presentation.fragments import FragmentBody
from rendering.door import preview
from tests.presentation.letters import FOOTER, VARIABLES, block, email
from tests.presentation.test_template_body import faults

LEGAL: dict[str, Any] = {
    "title": "Legal footer",
    "default_locale": "en",
    "variables": {"club": {"source": "attribute.city", "fallback": "our club"}},
    "locales": {
        "en": {"blocks": [block("text", id="why", text="You are a member of {{ club }}."), {**FOOTER, "id": "end"}]},
        "de": {"blocks": [block("text", id="why", text="Sie sind Mitglied bei {{ club }}."), {**FOOTER, "id": "end"}]},
    },
}
GERMAN = {**LEGAL, "locales": {"de": LEGAL["locales"]["de"]}, "default_locale": "de"}
THEME = {"title": "Harbour", "accent": "#0b5563", "surface": "#fffdf7", "dark": {"accent": "#7fd1df", "surface": "#101418"}}


def letter(*blocks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    locales = {tag: {"subject": "Hello", "blocks": [block("text"), *blocks]} for tag in ("en", "de-AT")}
    return email(locales=changes.pop("locales", locales), **changes)


def composed(actor: Actor, body: dict[str, Any]) -> Content:
    model = parse(TemplateBody, body)
    return compose_body("letter", model, drafted(actor.workspace_id, model))


def found(actor: Actor, kind: str, key: str, body: dict[str, Any], now: datetime) -> set[tuple[str, str, str]]:
    save(actor, kind, key, body, base=None, now=now)
    return {(each.level, each.path, each.found) for each in document(actor.workspace_id, kind, key).latest.findings}


def fragment(**changes: Any) -> dict[str, Any]:
    return block("fragment", fragment="legal", **changes)


@pytest.mark.django_db
def test_a_fragments_blocks_stand_where_it_is_named_in_the_language_that_fits(administrator: Actor, now: datetime) -> None:
    save(administrator, "fragment", "legal", LEGAL, base=None, now=now)
    content = composed(administrator, letter(fragment(id="legal"), variables={}))
    assert [each.id for each in content.locales["de-AT"].blocks] == ["text", "legal.why", "legal.end"]
    shown = {tag: preview(content, None, {}, tag) for tag in ("en", "de-AT")}
    assert "You are a member of our club." in shown["en"].text
    assert "Sie sind Mitglied bei our club." in shown["de-AT"].text
    assert "Quay Street 1" in shown["en"].html
    assert content.addressless == []


@pytest.mark.django_db
def test_a_condition_on_a_fragment_holds_for_each_of_its_blocks_but_the_footer(administrator: Actor, now: datetime) -> None:
    body = {**LEGAL, "locales": {"en": {"blocks": [block("text", id="a", when="vip"), block("text", id="b"), {**FOOTER, "id": "end"}]}}}
    save(administrator, "fragment", "legal", {**body, "variables": {"vip": VARIABLES["vip"]}}, base=None, now=now)
    content = composed(administrator, letter(fragment(id="legal", when="city == 'Oslo'")))
    conditions = [getattr(each, "when", None) for each in content.locales["en"].blocks]
    assert conditions == [None, "(city == 'Oslo') and (vip)", "city == 'Oslo'", None]


@pytest.mark.django_db
def test_a_template_is_told_what_does_not_fit_its_fragments(administrator: Actor, now: datetime) -> None:
    save(administrator, "fragment", "legal", GERMAN, base=None, now=now)
    variables = {**VARIABLES, "club": {"source": "data.club"}}
    said = found(administrator, "template", "letter", letter(fragment(id="legal", when="vip"), variables=variables), now)
    assert {
        ("error", "/locales/en/blocks/1", "variable club, read from data.club"),
        ("warning", "/locales/en/blocks/1", "fragment legal in de"),
        ("warning", "/locales/en/blocks/1", "a condition on a footer"),
    } <= said
    assert not {path for _, path, _ in said if path == "/locales/en/blocks"}  # it has a way to leave: the fragment's footer


@pytest.mark.django_db
def test_a_fragment_or_a_theme_that_is_not_there_is_an_error(administrator: Actor, now: datetime) -> None:
    said = found(administrator, "template", "letter", letter(fragment(id="legal"), theme="harbour"), now)
    assert {("error", "/locales/en/blocks/1/fragment"), ("error", "/theme")} <= {(level, path) for level, path, _ in said}


@pytest.mark.django_db
def test_where_a_fragment_is_used_is_known(administrator: Actor, now: datetime) -> None:
    save(administrator, "fragment", "legal", LEGAL, base=None, now=now)
    save(administrator, "template", "letter", letter(fragment(id="legal")), base=None, now=now)
    assert [ref.key for ref in used_by(administrator.workspace_id, "fragment")["legal"]] == ["letter"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"locales": {"en": {"blocks": [block("fragment", fragment="other")]}}}, "/locales/en/blocks/0"),
        ({"locales": {"en": {"blocks": [block("text", text="{{ nobody }}")]}}}, "/locales/en/blocks/0/text"),
        ({"locales": {"en": {"blocks": [block("text"), block("text")]}}}, "/locales/en/blocks/1/id"),
        ({"locales": {"en": {"blocks": [block("button", href="javascript:alert(1)")]}}}, "/locales/en/blocks/0/href"),
        ({"locales": {"en": {"blocks": []}}}, "/locales/en/blocks"),
        ({"default_locale": "fr"}, "/default_locale"),
        ({"locales": {"en-UK": LEGAL["locales"]["en"], **LEGAL["locales"]}}, "/locales/en-UK"),
    ],
)
def test_a_fragment_is_checked_as_a_letter_is(change: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(FragmentBody, {**LEGAL, **change})
    assert where in {finding.path for finding in refused.value.findings}


@pytest.mark.django_db
def test_a_theme_is_worn_by_name_with_changes_or_written_out(administrator: Actor, now: datetime) -> None:
    save(administrator, "theme", "harbour", THEME, base=None, now=now)
    by_name = composed(administrator, letter(FOOTER, theme="harbour")).theme
    assert (by_name.accent, by_name.surface, by_name.dark.surface, by_name.text) == ("#0b5563", "#fffdf7", "#101418", "#1b2430")
    changed = composed(administrator, letter(FOOTER, theme={"base": "harbour", "accent": "#aa2200", "radius": 0})).theme
    assert (changed.accent, changed.surface, changed.radius) == ("#aa2200", "#fffdf7", 0)
    assert composed(administrator, letter(FOOTER, theme={"accent": "#aa2200"})).theme.surface == "#ffffff"


@pytest.mark.django_db
def test_dark_colours_and_a_logo_for_the_dark_are_in_the_mail(administrator: Actor, now: datetime) -> None:
    logos = {"logo": "https://img.example.com/day.png", "logo_dark": "https://img.example.com/night.png"}
    save(administrator, "theme", "harbour", {**THEME, "brand": {"name": "Harbour & Pine", **logos}}, base=None, now=now)
    html = preview(composed(administrator, letter(FOOTER, theme="harbour")), None, {}, "en").html.replace("\n", " ")
    dark = html.split("prefers-color-scheme: dark")[1]
    assert "#101418" in dark and "#7fd1df" in dark
    assert 'class="by-day" src="https://img.example.com/day.png"' in html and "night.png" in html
    assert ".by-night { display: block !important; }" in dark


@pytest.mark.django_db
def test_colours_that_cannot_be_read_are_warned_of_by_day_and_by_night(administrator: Actor, now: datetime) -> None:
    pale = {"title": "Pale", "text": "#cccccc", "accent": "#dddddd", "dark": {"text": "#222222", "accent": "#202020"}}
    said = found(administrator, "theme", "pale", pale, now)
    assert {path for level, path, _ in said if level == "warning"} == {"/text", "/accent", "/dark/text", "/dark/accent"}
    said = found(administrator, "template", "letter", letter(FOOTER, theme={"base": "pale", "text": "#111111"}), now)
    assert {path for _, path, _ in said if path.startswith("/theme")} == {"/theme/accent", "/theme/dark/text", "/theme/dark/accent"}


@pytest.mark.parametrize(
    ("theme", "where"),
    [
        ({"accent": "red"}, "/theme/accent"),
        ({"base": "harbour", "accent": "#12345"}, "/theme/accent"),
        ({"base": "harbour", "colour": "#123456"}, "/theme/colour"),
        ({"dark": {"text": "white"}}, "/theme/dark/text"),
        ("Not a key", "/theme"),
        (7, "/theme"),
    ],
)
def test_a_theme_that_is_none_is_named_where_it_is_wrong(theme: Any, where: str) -> None:
    assert where in faults(letter(FOOTER, theme=theme))
