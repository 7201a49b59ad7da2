"""The fields that every profile has: what may be asked of each, and the form in which each is kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from audience.addresses import country_code, email_address, locale_tag, phone_number, zone_name
from audience.rules.bound import Type

_TEXT = ("is", "is_not", "in", "not_in", "exists", "missing")
_PARTS = ("is", "is_not", "in", "not_in", "starts_with", "exists", "missing")
FIELD_OPERATORS: dict[str, tuple[str, ...]] = {
    "country": _TEXT,
    "locale": _PARTS,
    "zone": _PARTS,
    "phone": _PARTS,
    "email": ("is", "is_not", "in", "not_in", "contains", "starts_with", "exists", "missing"),
    "created_at": ("before", "after", "between", "in_last", "in_next", "more_than_ago"),
}


def fold_text(text: str) -> str:
    """Text as it is compared: NFC, without differences of case. "Straße" and "STRASSE" are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def field_type(name: str) -> Type:
    """The type of a profile's field."""
    return "datetime" if name == "created_at" else "text"


def field_fold(name: str, op: str) -> Callable[[str], str]:
    """What brings a text of a rule into the form in which the field is kept. It raises BadAddress for what can't be kept.

    A whole value must be a possible one; a part of it (starts_with, contains) is only brought into the same spelling.
    """
    return (_PARTIAL if op in ("starts_with", "contains") else _WHOLE)[name]


_WHOLE: dict[str, Callable[[str], str]] = {
    "country": country_code,
    "locale": locale_tag,
    "zone": zone_name,
    "email": lambda text: email_address(text)[1],
    "phone": phone_number,
    "created_at": str,
}
_PARTIAL: dict[str, Callable[[str], str]] = {
    "locale": lambda text: text.strip().replace("_", "-"),
    "zone": str.strip,
    "email": fold_text,
    "phone": lambda text: "".join(char for char in text if char in "+0123456789"),
}
