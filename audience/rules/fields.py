"""The fields that every profile has: what may be asked of each, and the form in which each is kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

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


def field_fold(name: str) -> Callable[[str], str]:
    """What brings a text of a rule into the form in which the field is kept."""
    return _FOLDS.get(name, fold_text)


def _zone(text: str) -> str:
    return text


_FOLDS: dict[str, Callable[[str], str]] = {"country": str.upper, "zone": _zone}
