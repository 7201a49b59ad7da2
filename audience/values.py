"""The values of attributes and event properties: as they are shown, as rules compare them, and as files spell them.

Law: the comparable form of a comparable form is itself.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Literal

from audience.rules.fields import fold_text
from audience.rules.moments import comparable_day, comparable_moment
from audience.rules.values import instant_or_day

PlainType = Literal["text", "number", "boolean", "date", "datetime", "list"]
AttributeType = Literal["text", "number", "boolean", "date", "datetime", "list", "object", "score", "place"]
MAX_TEXT = 32_766  # bytes of one value, folded or not: what an index can hold as one term
MAX_LIST = 1_000
LARGEST = 2**53
INVALID = re.compile("[\0\ud800-\udfff]")  # what no database and no index can hold
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_DAY_AND_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)(?:Z|[+-][0-9:]{2,8})?)?")
_WORDS = {"true": True, "yes": True, "y": True, "1": True, "t": True, "false": False, "no": False, "n": False, "0": False, "f": False}


class Unfit(ValueError):
    """A value that its attribute can't take. The words complete "expected …"; found: what was seen, without the value itself."""

    def __init__(self, expected: str, found: str = "a value that doesn't fit") -> None:
        self.found = found
        super().__init__(expected)


def comparable(type_: PlainType, value: Any) -> tuple[Any, Any]:
    """A value as it is shown and as it is compared. Raises Unfit."""
    return _TYPES[type_](value)


def _text(value: Any) -> tuple[str, str]:
    if not isinstance(value, str):
        raise Unfit("text", kind_of(value))
    if len(value) <= MAX_TEXT:
        if bad := INVALID.search(value):
            raise Unfit("text without invalid characters", f"the invalid character U+{ord(bad[0]):04X}")
        folded = fold_text(value)
        if max(len(value.encode()), len(folded.encode())) <= MAX_TEXT:
            return value, folded
    raise Unfit("text of at most 32 KiB", f"{len(value):,} characters")


def _number(value: Any) -> tuple[int | float, int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("a number", kind_of(value))
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise Unfit("a number between -2^53 and 2^53", "a number that is too large")
    plain = int(value) if value == int(value) else value
    return plain, plain


def _boolean(value: Any) -> tuple[bool, bool]:
    if not isinstance(value, bool):
        raise Unfit("true or false", kind_of(value))
    return value, value


def _date(value: Any) -> tuple[str, str]:
    day = instant_or_day(value)
    if day is None or isinstance(day, datetime):
        raise Unfit("a day such as 2026-01-31", never_was(value) or kind_of(value))
    return comparable_day(day), comparable_day(day)


def _datetime(value: Any) -> tuple[str, str]:
    moment = instant_or_day(value)
    if not isinstance(moment, datetime):
        raise Unfit("an instant with its offset such as 2026-01-31T09:00:00Z", never_was(value) or kind_of(value))
    return comparable_moment(moment), comparable_moment(moment)


def _list(value: Any) -> tuple[list[str], list[str]]:
    if not isinstance(value, list):
        raise Unfit("a list of texts", kind_of(value))
    if len(value) > MAX_LIST:
        raise Unfit(f"a list of at most {MAX_LIST:,} texts", f"a list of {len(value):,}")
    pairs = [_text(each) for each in value]
    if max(sum(len(text.encode()) for text in texts) for texts in ([one for one, _ in pairs], [two for _, two in pairs])) > MAX_TEXT:
        raise Unfit("a list of at most 32 KiB in all", "a list that is too long")
    return [shown for shown, _ in pairs], [folded for _, folded in pairs]


def never_was(value: Any) -> str:
    """What is wrong with a text that is written as a day or an instant and is none, such as 2026-02-30 or 25:00; "" of any other."""
    written = _DAY_AND_TIME.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        return ""
    if not _exists(date.fromisoformat, written[1]):
        return "a day that doesn't exist"
    return "" if written[2] is None or _exists(time.fromisoformat, written[2]) else "a time of day that doesn't exist"


def _exists(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def kind_of(value: Any) -> str:
    """What sort of value it is, in words, without the value."""
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


_TYPES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "list": _list,
}


def from_text(type_: AttributeType, text: str) -> Any:
    """A cell of a file as a value of the type, still to be checked by `compound.kept`; an empty cell is None. Raises Unfit.

    Instants may have a space for their T; lists are `a|b|c` or a JSON list; objects, scores and places are JSON objects.
    """
    plain = text.strip()
    if not plain:
        return None
    if type_ in ("object", "score", "place"):
        return _json_object(plain)
    if type_ == "number":
        if not _NUMBER.fullmatch(plain):
            raise Unfit("a number such as 12 or 12.5", "text")
        return float(plain) if any(char in plain for char in ".eE") else int(plain)
    if type_ == "boolean":
        if plain.casefold() not in _WORDS:
            raise Unfit("true or false, yes or no, 1 or 0", "text")
        return _WORDS[plain.casefold()]
    if type_ == "list":
        return _listed(plain)
    if type_ == "datetime":
        return plain.replace(" ", "T", 1)
    return plain if type_ == "date" else text


def _listed(text: str) -> Any:
    if not text.startswith("["):
        return [part.strip() for part in text.split("|") if part.strip()]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unfit('a list such as a|b or ["a", "b"]', "text") from None


def _json_object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unfit('an object such as {"value": 0.8}', "text") from None


def folded_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An event's properties in the form that rules compare: texts folded, whole numbers whole, nothing for null."""
    return {name: _folded(value) for name, value in properties.items() if value is not None}


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return fold_text(value)
    return int(value) if isinstance(value, float) and value == int(value) else value
