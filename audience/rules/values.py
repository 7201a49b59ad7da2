"""The values that a condition compares with: what each operator takes, as far as the operator alone decides."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from audience.rules.limits import MAX_LIST, MAX_NUMBER, MAX_TEXT, Fault, fail
from audience.rules.places import FARTHEST
from governance.door import DocumentModel

Operator = Literal[
    "is", "is_not", "in", "not_in", "contains", "starts_with", "gt", "gte", "lt", "lte", "between",
    "exists", "missing", "before", "after", "in_last", "in_next", "more_than_ago", "has_all", "anniversary", "near",
]  # fmt: skip
PropertyOperator = Literal[
    "is", "is_not", "in", "not_in", "contains", "starts_with", "gt", "gte", "lt", "lte", "between", "exists", "missing"
]
Unit = Literal["minutes", "hours", "days", "weeks", "months", "years"]
MAX_SPAN = 1_000_000
MAX_APART = timedelta(days=366)
SPANNED = ("in_last", "in_next", "more_than_ago", "anniversary")
DAY_OR_INSTANT = "a day such as 2026-01-31, or an instant with its offset such as 2026-01-31T09:00:00Z"
AROUND = 'a place and a distance such as {"lat": 48.14, "lon": 11.58, "km": 25}'
SPAN = 'a span such as {"amount": 30, "unit": "days"}'

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{2,15}(Z|[+-][0-9:]{2,8}))?")


class Span(DocumentModel):
    """A length of time before or after the moment of asking, e.g. {"amount": 30, "unit": "days"}."""

    amount: int = Field(ge=1, le=MAX_SPAN)
    unit: Unit


class Window(DocumentModel):
    """The time up to the moment of asking in which events count, e.g. {"last": 30, "unit": "days"}."""

    last: int = Field(ge=1, le=MAX_SPAN)
    unit: Unit


class Around(DocumentModel):
    """A place on earth and what is at most so far away, e.g. {"lat": 48.14, "lon": 11.58, "km": 25}."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    km: float = Field(gt=0, le=FARTHEST, allow_inf_nan=False)


class Apart(DocumentModel):
    """The time that may lie between two events, e.g. {"amount": 3, "unit": "days"}; at most a year."""

    amount: int = Field(ge=1, le=MAX_APART.days * 1_440)
    unit: Literal["minutes", "hours", "days", "weeks"]

    @model_validator(mode="after")
    def _is_short(self) -> Self:
        if self.length > MAX_APART:
            fail([(("amount",), f"{self.amount:,} {self.unit}", f"at most {MAX_APART.days} days")])
        return self

    @property
    def length(self) -> timedelta:
        """The same as a length of time."""
        return timedelta(**{self.unit: self.amount})


def instant_or_day(value: object) -> date | datetime | None:
    """A day ("2026-01-31") or an instant with its offset ("2026-01-31T09:00:00Z"); None for anything else."""
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return None
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def shown(value: object) -> str:
    """A faulty value as it may be repeated: short, and never a container's contents."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | BaseModel):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value):,}" if value else "an empty list"
    return str(value)[:80] if not isinstance(value, bool) else str(value).lower()


def value_faults(op: str, value: object) -> list[Fault]:
    """What is wrong with the value of a condition with this operator; the attribute's type is checked at binding."""
    return _CHECKS[op](op, value)


def is_number(value: object) -> bool:
    """A whole number or a fraction; true and false are not numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one(value: object, expected: str | None) -> list[Fault]:
    return [((), shown(value), expected)] if expected else []


def _scalar(value: object) -> str | None:
    """What was expected where one text, number or yes/no is wanted; None when it is fine."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return None if math.isfinite(value) and abs(value) <= MAX_NUMBER else "a number between -2^53 and 2^53"
    return _text(value) if isinstance(value, str) else "a text, a number, true or false"


def _text(value: object) -> str | None:
    plain = isinstance(value, str) and not any(unicodedata.category(char) in ("Cc", "Cs") for char in value[: MAX_TEXT + 1])
    if isinstance(value, str) and plain and 0 < len(value) <= MAX_TEXT:
        return None
    return f"a text of 1 to {MAX_TEXT} characters without control characters (“missing” asks for no value)"


def _number(value: object) -> str | None:
    return _scalar(value) if is_number(value) else "a number"


def _end(value: object) -> str | None:
    """One end of `between`."""
    if is_number(value):
        return _scalar(value)
    return None if instant_or_day(value) else f"a number; or {DAY_OR_INSTANT}"


def _each(value: object, fault_of: Callable[[object], str | None]) -> list[Fault]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_LIST:
        return _one(value, f"a list of 1 to {MAX_LIST:,} values")
    faults: list[Fault] = [((place,), shown(item), expected) for place, item in enumerate(value) if (expected := fault_of(item))]
    return faults[:20]


def _ends(op: str, value: object) -> list[Fault]:
    if not isinstance(value, list) or len(value) != 2:
        return _one(value, "two values, the lower one first")
    faults = _each(value, _end)
    if faults:
        return faults
    low, high = (end if is_number(end) else instant_or_day(end) for end in value)
    if is_number(low) != is_number(high) or (not is_number(low) and type(low) is not type(high)):
        return [((), "two values of different kinds", "two numbers, two days or two instants")]
    return [((), "the higher value first", "the lower value first")] if low > high else []  # type: ignore[operator]


_CHECKS: dict[str, Callable[[str, Any], list[Fault]]] = {
    **dict.fromkeys(("is", "is_not"), lambda op, value: _one(value, _scalar(value))),
    **dict.fromkeys(("in", "not_in", "has_all"), lambda op, value: _each(value, _scalar)),
    **dict.fromkeys(("contains", "starts_with"), lambda op, value: _one(value, _text(value))),
    **dict.fromkeys(("gt", "gte", "lt", "lte"), lambda op, value: _one(value, _number(value))),
    "between": _ends,
    **dict.fromkeys(("exists", "missing"), lambda op, value: [] if value is None else _one(value, f"no value: “{op}” takes none")),
    **dict.fromkeys(("before", "after"), lambda op, value: _one(value, None if instant_or_day(value) else DAY_OR_INSTANT)),
    **dict.fromkeys(("in_last", "in_next", "more_than_ago"), lambda op, value: _one(value, None if isinstance(value, Span) else SPAN)),
    "near": lambda op, value: _one(value, None if isinstance(value, Around) else AROUND),
    "anniversary": lambda op, value: _one(value, None if value is None or isinstance(value, Span) else f"{SPAN}, or no value for today"),
}
