"""Language tags: one spelling, which translation a person gets, and which way it is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

_TAG = re.compile(r"^([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?$")
_RTL_SCRIPTS = frozenset({"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg"})


@lru_cache(maxsize=4096)
def canonical(tag: str) -> str:
    """The one spelling of a language tag: en_US, EN-us → en-US; zh-hant-tw → zh-Hant-TW.
    Raises ValueError("unknown locale …") for anything that CLDR doesn't know."""
    match = _TAG.match(tag)
    if not match:
        raise ValueError(f"a locale such as en or pt-BR: unknown locale {tag[:40]!r}")
    language, script, region = match.groups()
    language = language.lower()
    try:
        english = Locale.parse(f"{language}_{script.title()}" if script else language)
    except (UnknownLocaleError, ValueError):
        raise ValueError(f"a locale such as en or pt-BR: unknown locale {tag[:40]!r}") from None
    parts = [language]
    if script:
        parts.append(script.title())
    if region:
        if region.upper() not in Locale("en").territories:
            raise ValueError(f"a locale such as en or pt-BR: unknown region in {tag[:40]!r}")
        parts.append(region.upper())
    return "-".join(parts) if english else tag


@lru_cache(maxsize=4096)
def chain(tag: str) -> tuple[str, ...]:
    """The tag and everything more general, nearest first: zh-Hant-TW → zh-Hant → zh; zh-TW learns its script on the way."""
    parts = tag.split("-")
    steps = ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]
    if len(parts) == 2 and len(parts[1]) < 4:
        likely = str(get_global("likely_subtags").get(tag.replace("-", "_"), "")).split("_")
        if len(likely) == 3:
            steps[1:1] = ["-".join(likely), "-".join(likely[:2])]
    return tuple(dict.fromkeys(steps))


def choose_locale(available: Collection[str], wanted: str, default: str, fallbacks: Mapping[str, Sequence[str]]) -> str:
    """Which of the available locales a person who wants `wanted` gets.

    The person's own tag and its more general forms first, then what the template names as fallbacks for any of these,
    then the default. An unknown or empty wish gets the default."""
    try:
        steps = chain(canonical(wanted)) if wanted else ()
    except ValueError:
        steps = ()
    for step in steps:
        if step in available:
            return step
    for step in steps:
        for other in fallbacks.get(step, ()):
            if other in available:
                return other
    return default


@lru_cache(maxsize=1024)
def direction(tag: str) -> str:
    """ "rtl" for Arabic, Hebrew, Persian, Urdu and other right-to-left scripts, else "ltr"."""
    parts = tag.split("-")
    script = next((part for part in parts[1:] if len(part) == 4), "")
    if not script:
        likely = str(get_global("likely_subtags").get(tag.replace("-", "_")) or get_global("likely_subtags").get(parts[0], ""))
        script = next((part for part in likely.split("_") if len(part) == 4), "")
    return "rtl" if script in _RTL_SCRIPTS else "ltr"


def babel_locale(tag: str) -> Locale:
    """CLDR's data for a canonical tag; a region without data of its own falls back to its language."""
    for step in chain(tag):
        try:
            return Locale.parse(step, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
