"""Which operators each type takes, and the plain check that each of them stands for."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, get_args

from audience.addresses import BadAddress
from audience.rules.bound import AllOf, Check, DayOfYear, Near, OneOf, Plain, Prefix, Present, Range, Substring, Type
from audience.rules.moments import comparable_day, comparable_moment, day_bounds, day_of, shift
from audience.rules.places import on_earth, square_within
from audience.rules.values import DAY_OR_INSTANT, Around, Span, instant_or_day, is_number, shown
from governance.door import pointer

OPERATORS: dict[Type, tuple[str, ...]] = {
    "text": ("is", "is_not", "in", "not_in", "contains", "starts_with", "exists", "missing"),
    "number": ("is", "is_not", "in", "not_in", "gt", "gte", "lt", "lte", "between", "exists", "missing"),
    "boolean": ("is", "is_not", "exists", "missing"),
    "date": ("is", "is_not", "before", "after", "between", "in_last", "in_next", "more_than_ago", "anniversary", "exists", "missing"),
    "datetime": ("before", "after", "between", "in_last", "in_next", "more_than_ago", "anniversary", "exists", "missing"),
    "list": ("contains", "in", "not_in", "has_all", "exists", "missing"),
    "place": ("near", "exists", "missing"),
    "any": ("exists", "missing"),
}
"""What may be asked of an attribute, by its type in the catalogue."""
NEGATIONS = {"is_not": "is", "not_in": "in", "missing": "exists"}
DAY = "a day such as 2026-01-31"


@dataclass(frozen=True, slots=True)
class WrongOperand(Exception):
    """The value doesn't fit the type. where: JSON Pointer below the condition; expected completes "expected …"."""

    where: str
    found: str
    expected: str


def check_for(type_: Type, op: str, value: Any, *, as_of: datetime, fold: Callable[[str], str], zone: tzinfo = UTC) -> tuple[Check, bool]:
    """The plain check that `op value` stands for on that type, and whether its answer is turned round.

    fold: brings a text into the form in which the values are kept; zone: where a day begins, and where today is. Raises WrongOperand.
    """
    if op not in OPERATORS[type_]:
        raise WrongOperand("/op", op, f"one of {', '.join(OPERATORS[type_])}: the operators of a {type_}")
    positive = NEGATIONS.get(op, op)
    return _BUILDERS[positive](_Operand(type_, positive, value, as_of, fold, zone)), positive != op


@dataclass(frozen=True, slots=True)
class _Operand:
    type: Type
    op: str
    value: Any
    as_of: datetime
    fold: Callable[[str], str]
    zone: tzinfo

    @property
    def today(self) -> datetime:
        """The moment of asking as the zone's clocks show it, told as if they were UTC's: what days are counted from."""
        try:
            return self.as_of.astimezone(self.zone).replace(tzinfo=UTC)
        except OverflowError:
            return self.as_of

    def one(self, value: object, *places: object) -> Plain:
        """One value in the comparable form of the type."""
        where = pointer(("value", *places))
        if self.type in ("text", "list") and isinstance(value, str):
            return self.folded(value, where)
        if self.type == "boolean" and isinstance(value, bool):
            return value
        if self.type == "number" and is_number(value):
            assert isinstance(value, int | float)
            return int(value) if value == int(value) else value
        if self.type == "date":
            return comparable_day(self.day(value, where))
        raise WrongOperand(where, shown(value), _WANTED[self.type])

    def folded(self, value: str, where: str) -> str:
        try:
            return self.fold(value)
        except BadAddress as bad:
            raise WrongOperand(where, shown(value), str(bad)) from None

    def day(self, value: object, where: str) -> date:
        found = instant_or_day(value)
        if found is None or isinstance(found, datetime):
            raise WrongOperand(where, shown(value), f"{DAY}: the attribute holds days")
        return found

    def moment(self, value: object, where: str) -> date | datetime:
        found = instant_or_day(value)
        if found is None:
            raise WrongOperand(where, shown(value), DAY_OR_INSTANT)
        return found


_WANTED: dict[Type, str] = {"text": "a text", "list": "a text", "boolean": "true or false", "number": "a number", "date": DAY}


def _equal(operand: _Operand) -> Check:
    return OneOf((operand.one(operand.value),))


def _distinct(operand: _Operand) -> tuple[Plain, ...]:
    return tuple(dict.fromkeys(operand.one(value, place) for place, value in enumerate(operand.value)))


def _contains(operand: _Operand) -> Check:
    found = operand.one(operand.value)
    return OneOf((found,)) if operand.type == "list" else Substring(str(found))


def _prefix(operand: _Operand) -> Check:
    return Prefix(str(operand.one(operand.value)))


def _compared(operand: _Operand) -> Check:
    end = operand.one(operand.value)
    if operand.op in ("gt", "gte"):
        return Range(low=end, open_low=operand.op == "gt")
    return Range(high=end, open_high=operand.op == "lt")


def _between(operand: _Operand) -> Check:
    if operand.type != "datetime":
        low, high = (operand.one(value, place) for place, value in enumerate(operand.value))
        return Range(low, high)
    first, last = (operand.moment(value, pointer(("value", place))) for place, value in enumerate(operand.value))
    low_end, high_end = day_bounds(first, operand.zone)[0], day_bounds(last, operand.zone)[1]
    return Range(comparable_moment(low_end), comparable_moment(high_end), open_high=not isinstance(last, datetime))


def _before_or_after(operand: _Operand) -> Check:
    if operand.type == "date":
        day = operand.one(operand.value)
        return Range(high=day, open_high=True) if operand.op == "before" else Range(low=day, open_low=True)
    given = operand.moment(operand.value, "/value")
    start, end = day_bounds(given, operand.zone)
    if operand.op == "before":
        return Range(high=comparable_moment(start), open_high=True)
    return Range(low=comparable_moment(end), open_low=isinstance(given, datetime))


def _relative(operand: _Operand) -> Check:
    span = operand.value
    assert isinstance(span, Span)
    if operand.type == "date" and span.unit in ("minutes", "hours"):
        raise WrongOperand("/value/unit", span.unit, "days, weeks, months or years: the attribute holds days")
    amount = span.amount if operand.op == "in_next" else -span.amount
    if operand.type == "date":
        near_end, far_end = (comparable_day(day_of(one)) for one in (operand.today, shift(operand.today, amount, span.unit)))
    else:
        near_end, far_end = (comparable_moment(one) for one in (operand.as_of, shift(operand.as_of, amount, span.unit)))
    if operand.op == "in_next":
        return Range(near_end, far_end)
    return Range(far_end, near_end) if operand.op == "in_last" else Range(high=far_end, open_high=True)


def _near(operand: _Operand) -> Check:
    around = operand.value
    assert isinstance(around, Around)
    return Near(on_earth(around.lat, around.lon), square_within(around.km))


def _anniversary(operand: _Operand) -> Check:
    """Today's day of the year, or one of those up to the end of the span. Who was born on 29 February has it on the 28th in other years."""
    span, first = operand.value, day_of(operand.today)
    if span is not None and span.unit in ("minutes", "hours"):
        raise WrongOperand("/value/unit", span.unit, "days, weeks, months or years")
    last = first if span is None else day_of(shift(operand.today, span.amount, span.unit))
    days = dict[str, None]()
    for ahead in range(min((last - first).days, 366) + 1):
        day = first + timedelta(days=ahead) if first <= date.max - timedelta(days=ahead) else date.max
        days[f"{day:%m-%d}"] = None
        if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            days["02-29"] = None
    return DayOfYear(tuple(days))


_BUILDERS: dict[str, Callable[[_Operand], Check]] = {
    "is": _equal,
    "in": lambda operand: OneOf(_distinct(operand)),
    "has_all": lambda operand: AllOf(_distinct(operand)),
    "anniversary": _anniversary,
    "near": _near,
    "contains": _contains,
    "starts_with": _prefix,
    "exists": lambda operand: Present(),
    "between": _between,
    **dict.fromkeys(("gt", "gte", "lt", "lte"), _compared),
    **dict.fromkeys(("before", "after"), _before_or_after),
    **dict.fromkeys(("in_last", "in_next", "more_than_ago"), _relative),
}
assert {op for ops in OPERATORS.values() for op in ops} >= set(_BUILDERS)


def type_of_value(op: str, value: object) -> Type | None:
    """The type that a property is taken for, from the value it is compared with; None when a list mixes types."""
    if op in ("exists", "missing"):
        return "any"
    values = value if isinstance(value, list) else [value]
    found: set[Type] = {"boolean" if isinstance(one, bool) else "number" if is_number(one) else "text" for one in values}
    return found.pop() if len(found) == 1 else None


TYPES: tuple[Type, ...] = tuple(one for one in get_args(Type) if one != "any")
