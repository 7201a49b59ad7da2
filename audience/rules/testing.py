"""A plain check of one value in memory: for the properties of an event that is at hand."""

from __future__ import annotations

from audience.rules.bound import AllOf, Check, DayOfYear, Near, OneOf, Plain, Prefix, Present, PropertyTest, Range, Substring, Type
from audience.rules.fields import fold_text
from audience.rules.values import is_number


def passes(test: PropertyTest, value: object) -> bool:
    """Whether a property's value passes; None is a missing value. The same answer as every engine's (a property test)."""
    return holds(test.type, test.check, value) != test.negated


def holds(type_: Type, check: Check, value: object) -> bool:
    """Whether a value is of the type and satisfies the check. O(length of the value and of the check's list)."""
    if type_ == "any":
        return value is not None
    plain = _plain(type_, value)
    return plain is not None and _satisfies(check, plain)


def _plain(type_: Type, value: object) -> Plain | None:
    """The value in its comparable form, None when it is of another type."""
    if type_ == "text":
        return fold_text(value) if isinstance(value, str) else None
    if type_ == "number":
        return value if is_number(value) else None  # type: ignore[return-value]  # is_number narrows it
    return value if isinstance(value, bool) else None


def _satisfies(check: Check, value: Plain) -> bool:
    match check:
        case OneOf(values=values):
            return any(type(value) is type(one) and value == one for one in values) if isinstance(value, bool) else value in values
        case Prefix(text=text):
            return str(value).startswith(text)
        case Substring(text=text):
            return text in str(value)
        case Range(low=low, high=high, open_low=open_low, open_high=open_high):
            above = low is None or value > low or (value == low and not open_low)  # type: ignore[operator]  # both of one type
            below = high is None or value < high or (value == high and not open_high)  # type: ignore[operator]
            return above and below
        case Present():
            return True
        case AllOf() | DayOfYear() | Near():
            raise AssertionError("a property is no list, no day and no place")
