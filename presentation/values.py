"""Plain values of declared types: the only things that ever enter an expression."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Literal

VariableType = Literal["text", "number", "boolean", "date", "datetime", "list", "object"]
Plain = str | int | float | bool | date | datetime | list["Plain"] | dict[str, "Plain"]

LARGEST = 2**53
MAX_VALUE_CHARS = 32 * 1024  # one value or one filled hole
MAX_ITEMS = 1_000
MAX_DEPTH = 4
WORDS: dict[str, str] = {
    "text": "text",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-11-30",
    "datetime": "a time such as 2026-11-30T09:00:00Z",
    "list": "a list",
    "object": "an object",
}
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")


class UnfitValue(ValueError):
    """A value that is not of the declared type; its words complete "expected …"."""


def plain(value: object, kind: str) -> Plain | None:
    """The value as expressions see it, or None where there is none (null, or text of blanks only).
    Raises UnfitValue in words without the value itself: it may be personal."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if kind == "text":
        return _text(value)
    if kind == "number":
        return _number(value)
    if kind == "boolean":
        return _boolean(value)
    if kind == "date":
        return _date(value)
    if kind == "datetime":
        return _datetime(value)
    if kind == "list":
        return _list(value, 1)
    return _object(value, 1)


def clean(text: str) -> str:
    """Text without control characters but tab and line feed, and without bidirectional overrides; half surrogate pairs become U+FFFD."""
    if text.isprintable():
        return text
    return _SURROGATES.sub("\ufffd", _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def _unfit(value: object, kind: str) -> UnfitValue:
    found = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return UnfitValue(f"{WORDS[kind]}, not {found.get(type(value), type(value).__name__)}")


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _unfit(value, "text")
    if not isinstance(value, str):
        return str(_number(value))
    if len(value) > MAX_VALUE_CHARS:
        raise UnfitValue("text of at most 32 KiB")
    return clean(value)


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _unfit(value, "number")
    if not abs(value) <= LARGEST:  # also what is no number at all
        raise UnfitValue("a finite number between -2^53 and 2^53")
    return value or 0  # there is one zero, without a sign


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _unfit(value, "boolean")
    return value


def _date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip()[:10])
        except ValueError:
            pass
    raise _unfit(value, "date")


def _datetime(value: object) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise _unfit(value, "datetime") from None
    if not isinstance(value, datetime):
        raise _unfit(value, "datetime")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _list(value: object, depth: int) -> list[Plain]:
    if not isinstance(value, (list, tuple)):
        raise _unfit(value, "list")
    if len(value) > MAX_ITEMS:
        raise UnfitValue(f"a list of at most {MAX_ITEMS:,} items")
    return [item for inner in value if (item := _any(inner, depth + 1)) is not None]


def _object(value: object, depth: int) -> dict[str, Plain]:
    if not isinstance(value, dict):
        raise _unfit(value, "object")
    if len(value) > MAX_ITEMS:
        raise UnfitValue(f"an object of at most {MAX_ITEMS:,} fields")
    inner = {str(key): _any(item, depth + 1) for key, item in value.items()}
    return {key: item for key, item in inner.items() if item is not None}


def _any(value: object, depth: int) -> Plain | None:
    """A value inside a list or an object, by what it is."""
    if depth > MAX_DEPTH + 1:
        raise UnfitValue(f"at most {MAX_DEPTH} levels")
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int, float)):
        return _text(value) if isinstance(value, str) else _number(value)
    if isinstance(value, (date, datetime)):
        return value
    if isinstance(value, dict):
        return _object(value, depth)
    return _list(value, depth)
