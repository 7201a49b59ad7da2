"""Which forms a language has for numbers, by CLDR, and how gettext's files number them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from babel.plural import PluralRule, to_gettext

from presentation.locales import babel_locale

CATEGORIES = ("zero", "one", "two", "few", "many", "other")
FORMS = 'forms such as "one: # night", "other: # nights": a category, a colon and the words; # stands for the number'
_LOOKED_AT = 1_000  # whole numbers, from 0


@lru_cache(maxsize=8_192)
def form(text: str) -> tuple[str, str]:
    """Category and words of one form of a plural: "one: # night"."""
    category, _, words = text.partition(":")
    return category.strip(), words.strip()


def fault_in_forms(forms: Sequence[str]) -> str | None:
    """What is wrong with the forms of a plural, in any language; None where nothing is."""
    said = [form(each) for each in forms]
    for (name, words), text in zip(said, forms, strict=True):
        if name not in CATEGORIES:
            return f"the form {text[:40]!r}, whose category isn't one of {', '.join(CATEGORIES)}"
        if not words:
            return f"the form {name} without words"
    names = [name for name, _ in said]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        return f"the form {twice} twice"
    return None if "other" in names else "no form other, which every language has"


@lru_cache(maxsize=1_024)
def categories(tag: str) -> tuple[str, ...]:
    """The categories that whole numbers fall into in this language, and `other`, which fractions and what is left out fall into."""
    rule = babel_locale(tag).plural_form
    found = {rule(number) for number in range(_LOOKED_AT)} | {"other"}
    return tuple(name for name in CATEGORIES if name in found)


@lru_cache(maxsize=1_024)
def known_categories(tag: str) -> tuple[str, ...]:
    """Every category that CLDR has for this language, those of fractions and millions among them."""
    return tuple(name for name in CATEGORIES if name in {*babel_locale(tag).plural_form.tags, "other"})


@lru_cache(maxsize=1_024)
def gettext_header(tag: str) -> str:
    """The `Plural-Forms` of a PO file whose forms stand in the order of `categories`."""
    rule = babel_locale(tag).plural_form
    wanted = categories(tag)
    return to_gettext(PluralRule({name: text for name, text in rule.rules.items() if name in wanted}))
