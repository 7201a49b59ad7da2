"""Drawn templates in two languages: any text that an author may write, with markup and expressions in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from governance.canonical import normal
from governance.door import Invalid, parse
from presentation.door import TemplateBody
from presentation.translation.records import fingerprint
from presentation.translation.units import texts_of
from tests.presentation.letters import FOOTER, VARIABLES, email

EXAMPLES = int(os.environ.get("OMNI_LAW_EXAMPLES", "120"))
law: Callable[..., Any] = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

BITS = [
    *["Hello ", "**bold**", "*so*", "_so_", "`code`", "[shop](https://a.example/x?y=1&z={{ total }})", "<https://b.example/>", "~~gone~~"],
    *["{", "}", "} }", "<b>", "</b>", "&amp;", "&", "<", ">", '"', "'", "]]>", "<!--", "\\", "\\n", "\\*", "  ", " ", "\t", "%", "#", "#1"],
    *["שלום", "نص عربي", "👩\u200d👩\u200d👧", "e\u0301", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff", "\ue000", "\u00a0", "\u200f"],
    *["msgid", '"\\"', "- ", "1. ", "> ", "# ", "a_b_c", "2 * 3 * 4", "**", "_", "[", "](", "[a](b)", "&#13;", "<cp hex='1'/>", "d1"],
]
EXPRESSIONS = [
    *['first_name|default("there")', "first_name|default('there')", 'first_name | default("you")', "first_name", "city", "city|upper"],
    *["'yes' if vip else 'no'", "'gold' if city == 'Rome' else \"tin\"", "total|money('EUR')", "due|date('full')", "tags|join(' / ')"],
    *["total|plural('one: # night', 'other: # nights')", "'none' if total == 0 else total | plural( 'other: # \\'x\\'' )|upper"],
    *["total|plural('one: # noc', 'few: # noce', 'many: # nocy', 'other: # nocy')", "tags|list"],
    *[
        "order['items'].count",
        "'}}'",
        "first_name ~ ', dear'",
        "'a\\\\b\\n\"c'",
        'city|default("a" "b")',
        "tags|last|default('none')|upper",
    ],
]
written = st.characters(exclude_categories=("Cc", "Cs"))
holes = st.sampled_from(EXPRESSIONS).flatmap(lambda each: st.sampled_from(["{{ " + each + " }}", "{{" + each + "}}"]))
lines = st.lists(
    st.one_of(st.sampled_from(BITS).filter(lambda bit: not set(bit) & set("\t\u2028\u2029")), holes, st.text(written, max_size=6)),
    min_size=1,
    max_size=8,
)
bodies = st.lists(st.one_of(st.sampled_from([*BITS, "\n", "\n\n"]), holes, st.text(written, max_size=6)), min_size=1, max_size=10)


@st.composite
def blocks(draw: st.DrawFn, number: int, deep: bool = False) -> dict[str, Any]:
    kinds = ["text", "heading", "button", "image", "divider", "text", *([] if deep else ["columns", "html"])]
    kind = kinds[number % len(kinds)]  # the same block is of the same type in every language
    block: dict[str, Any] = {"type": kind, "id": f"b{number}"}
    if kind == "heading":
        return {**block, "text": "".join(draw(lines))}
    if kind == "text":
        return {**block, "text": "".join(draw(bodies))}
    if kind == "html":
        return {**block, "html": "<p>" + "".join(draw(bodies)) + "</p>"}
    if kind == "button":
        return {**block, "label": "".join(draw(lines)), "href": "https://shop.example.com/"}
    if kind == "image":
        return {**block, "src": "https://img.example.com/a.png", "alt": draw(st.just("") | lines.map("".join))}
    if kind == "columns":
        return {**block, "columns": [[draw(blocks(number * 10 + column + 100, deep=True))] for column in range(2)]}
    return block


@st.composite
def locales(draw: st.DrawFn) -> dict[str, Any]:
    places = [draw(blocks(number)) for number in draw(st.permutations(range(8)))[: draw(st.integers(0, 4))]]
    locale: dict[str, Any] = {
        "subject": "".join(draw(lines)),
        "preheader": draw(st.just("") | lines.map("".join)),
        "blocks": [*places, FOOTER],
    }
    return locale | ({"text": "".join(draw(bodies))} if draw(st.booleans()) else {})


def sound(body: dict[str, Any]) -> bool:
    try:
        parse(TemplateBody, body)
    except Invalid:
        return False
    return True


def spoken(said: Any, words: str) -> Any:
    """The same with other words in the expressions that give one where there is no name."""
    if isinstance(said, dict):
        return {name: spoken(each, words) for name, each in said.items()}
    if isinstance(said, list):
        return [spoken(each, words) for each in said]
    return (
        said.replace('"there"', f'"{words}"').replace("'yes'", "'ja'").replace("one: # night", "one: # Nacht")
        if isinstance(said, str)
        else said
    )


@st.composite
def letters(draw: st.DrawFn, tags: tuple[str, ...] = ("de", "pl", "ar")) -> tuple[dict[str, Any], str]:
    """A template's body in English and another language, and that language: there already or not, translated by halves or not at all."""
    tag, first = draw(st.sampled_from(tags)), draw(locales().filter(lambda each: sound(email(locales={"en": each}))))
    body = email(locales={"en": first}, variables=VARIABLES)
    if draw(st.booleans()):
        alike = st.just(first) | st.sampled_from(['dü\\"', "שם", "  "]).map(lambda words: spoken(first, words))
        second = draw(alike | locales().filter(lambda each: sound(email(locales={"en": each}))))
        body["locales"] = {"en": first, tag: second}
        body["translations"] = {tag: draw(records(second, first))}
    return normal(body), tag


@st.composite
def records(draw: st.DrawFn, locale: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """What is remembered of some of a locale's texts."""
    there = {each.id: each.text for each in texts_of(parse(TemplateBody, email(locales={"en": source})).locales["en"])}
    made = {}
    for each in texts_of(parse(TemplateBody, email(locales={"en": locale})).locales["en"]):
        if draw(st.booleans()):
            of = draw(st.sampled_from([there.get(each.id, ""), "something else"]))
            state = draw(st.sampled_from(["draft", "reviewed"]))
            made[each.id] = {"source": fingerprint(of), "text": fingerprint(each.text), "state": state}
    return made
