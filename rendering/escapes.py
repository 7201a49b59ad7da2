"""How a value becomes text, and how that text becomes safe where it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Literal
from urllib.parse import quote

from jinja2 import StrictUndefined, Undefined
from markupsafe import escape

from presentation.door import MAX_VALUE_CHARS

Context = Literal["html", "attribute", "url", "header", "plain", "json"]
MAX_HEADER = 500  # characters of one value in a subject
_HEADER_BLANKS = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Unrenderable(ValueError):
    """A value can't be shown for this recipient; the words are without personal data."""


def show(value: object) -> str:
    """A value as text: numbers without needless zeros, dates as ISO 8601, true and false. Raises for lists, objects and what is missing."""
    if type(value) is str:
        text = value
    elif isinstance(value, Undefined):
        raise Unrenderable(missing(value))
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int):
        text = str(value)
    elif isinstance(value, float):
        text = format(value, ".15g")
    elif isinstance(value, datetime):
        text = value.isoformat(sep=" ", timespec="minutes")
    elif isinstance(value, date):
        text = value.isoformat()
    else:
        raise Unrenderable("a list or an object can't be shown as it is")
    if len(text) > MAX_VALUE_CHARS:
        raise Unrenderable("a value of more than 32 KiB")
    return text


def missing(value: Undefined) -> str:
    """Words for a value that isn't there."""
    name = value._undefined_name
    return f"{name} has no value and no fallback" if isinstance(value, StrictUndefined) and name else "a value is missing"


def html(text: str) -> str:
    """Safe between tags and in quoted attributes."""
    return str(escape(text))


def url(text: str) -> str:
    """Safe as a part of a path or a query: everything but unreserved characters is percent-encoded."""
    return quote(text, safe="")


def header(text: str) -> str:
    """One line: runs of blanks, control characters and line separators become a space, bidirectional overrides vanish."""
    line = _BIDI.sub("", _HEADER_BLANKS.sub(" ", text))
    if len(line) > MAX_HEADER:
        raise Unrenderable(f"a value of more than {MAX_HEADER} characters in a subject")
    return line


def plain(text: str) -> str:
    """As it is: nothing in a plain text has a meaning beyond itself."""
    return text


def in_json(text: str) -> str:
    """Safe inside a JSON string literal."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


_INERT: dict[str, re.Pattern[str]] = {
    "html": re.compile("[^&<>\"']*"),
    "attribute": re.compile("[^&<>\"']*"),
    "url": re.compile("[A-Za-z0-9_.~-]*"),
    "header": re.compile("[^\x00-\x20\x7f-\xa0\u2028\u2029\u202a-\u202e\u2066-\u2069]*"),
    "plain": re.compile("(?s:.*)"),
    "json": re.compile('[^"\\\\\x00-\x1f]*'),
}


def inert(escaping: str, texts: Sequence[str]) -> bool:
    """Whether escaping would surely change none of these texts: one look at all of them together."""
    if escaping == "header" and max(map(len, texts), default=0) > MAX_HEADER:
        return False
    return _INERT[escaping].fullmatch("".join(texts)) is not None


ESCAPES: dict[str, Callable[[str], str]] = {"html": html, "attribute": html, "url": url, "header": header, "plain": plain, "json": in_json}
