"""The attribute catalogue: what may be known about a person, of which type and how sensitive. Document kind `attribute`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from audience.rules.fields import fold_text
from audience.rules.moments import comparable_day, comparable_moment
from governance import door as governance
from governance.door import DocumentModel, Kind, Text

AttributeType = Literal["text", "number", "boolean", "date", "datetime", "list"]
Sensitivity = Literal["public", "internal", "personal", "sensitive"]
MAX_TEXT = 32 * 1024  # bytes of one value
MAX_ATTRIBUTES = 200
MAX_LIST = 1_000
LARGEST = 2**53


class AttributeBody(DocumentModel):
    """One attribute; its name is the document's key."""

    title: Annotated[str, Text(120)]
    type: AttributeType
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    unit: Annotated[str, Text(40, min=0)] = ""
    sensitivity: Sensitivity = "internal"


ATTRIBUTE = Kind(name="attribute", plural="attributes", title="Attribute", schema=AttributeBody)
Catalogue = Mapping[str, AttributeBody]


def catalogue(workspace_id: int) -> dict[str, AttributeBody]:
    """All attributes by name: as released, or as drafted where there is no released one yet."""
    views = governance.documents(workspace_id, ATTRIBUTE.name)
    return {view.key: (view.released or view.latest).model for view in views}


class Unfit(ValueError):
    """A value that its attribute can't take; the words complete "expected …"."""


def comparable(body: AttributeBody, value: Any) -> tuple[Any, Any]:
    """A value as it is shown and as it is compared. Raises Unfit."""
    return _TYPES[body.type](value)


def _text(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, str):
        raise Unfit("text")
    if len(value.encode("utf-8", "replace")) > MAX_TEXT:
        raise Unfit("text of at most 32 KiB")
    for char in value:
        if char == "\0" or "\ud800" <= char <= "\udfff":
            raise Unfit(f"text without the invalid character U+{ord(char):04X}")
    return value, fold_text(value)


def _number(value: Any) -> tuple[Any, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > LARGEST:
        raise Unfit("a number between -2^53 and 2^53")
    return value, value


def _boolean(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, bool):
        raise Unfit("true or false")
    return value, value


def _date(value: Any) -> tuple[Any, Any]:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None:
        raise Unfit("a day such as 2026-01-31")
    return comparable_day(day), comparable_day(day)


def _datetime(value: Any) -> tuple[Any, Any]:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        moment = moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise Unfit("an instant with its offset such as 2026-01-31T09:00:00Z")
    return comparable_moment(moment), comparable_moment(moment)


def _list(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) > MAX_LIST:
        raise Unfit(f"a list of at most {MAX_LIST:,} texts")
    pairs = [_text(each) for each in value]
    return [shown for shown, _ in pairs], [folded for _, folded in pairs]


_TYPES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "list": _list,
}


def from_text(body: AttributeBody, text: str) -> Any:
    """A cell of a file as a value of the attribute's type; "" is no value. Raises Unfit."""
    if text == "":
        return None
    if body.type == "number":
        try:
            return float(text) if any(char in text for char in ".eE") else int(text[:40])
        except ValueError:
            raise Unfit("a number") from None
    if body.type == "boolean":
        if text.casefold() not in _WORDS:
            raise Unfit("true or false, yes or no, 1 or 0")
        return _WORDS[text.casefold()]
    if body.type == "list":
        return _list_of_text(text)
    return text


_WORDS = {"true": True, "yes": True, "1": True, "t": True, "false": False, "no": False, "0": False, "f": False}


def _list_of_text(text: str) -> Any:
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise Unfit('a list such as a|b or ["a", "b"]') from None
    return [part.strip() for part in text.split("|") if part.strip()]


def folded_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An event's properties in the form that rules compare: texts folded, everything else as it is."""
    return {name: fold_text(value) if isinstance(value, str) else value for name, value in properties.items()}
