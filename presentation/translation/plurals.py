"""Which forms a language has for numbers, by CLDR, and how gettext's files number them."""

from __future__ import annotations

from functools import lru_cache

from babel.plural import PluralRule, to_gettext

from presentation.locales import babel_locale

CATEGORIES = ("zero", "one", "two", "few", "many", "other")
_LOOKED_AT = 1_000  # whole numbers, from 0


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
