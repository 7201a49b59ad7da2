"""The bounds of a rule, checked on the raw JSON before anything recurses into it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

GROUPS = ("all", "any", "none")
MAX_CONDITIONS = 500
MAX_DEPTH = 10  # groups inside groups
MAX_LIST = 10_000  # values of one condition
MAX_VALUES = 50_000  # values of all lists of one rule together
MAX_NESTING = 2 * MAX_DEPTH + 6  # JSON containers inside containers: groups, their lists, and a condition's own parts
MAX_TEXT = 500  # characters of one value
MAX_NAME = 100  # characters of an event, property, channel or topic
MAX_NUMBER = 2**53  # beyond it a JSON number is not exact everywhere

Fault = tuple[tuple[str | int, ...], str, str]  # where, what was found, what was expected


def fail(faults: Iterable[Fault]) -> NoReturn:
    """Raise the faults as a pydantic error, so that each keeps its own place below the field being validated.

    `found` stands in for the value: repeating a deep or long value back could itself overflow.
    """
    lines = [
        InitErrorDetails(type=PydanticCustomError("rule", "{expected}", {"expected": expected}), loc=where, input=found)
        for where, found, expected in faults
    ]
    raise ValidationError.from_exception_data("rule", lines)


def check_shape(raw: object) -> object:
    """Refuse a rule that is too deep, too long or too wide. Walks with its own stack: no input can overflow Python's.

    Returns `raw` unchanged; raises pydantic's ValidationError.
    """
    conditions, values = 0, 0
    stack: list[tuple[Any, tuple[str | int, ...], int]] = [(raw, (), 0)]
    while stack:
        here, where, groups = stack.pop()
        if len(where) > MAX_NESTING or groups > MAX_DEPTH:
            fail([(where[:4], "groups nested deeper than 10", f"a rule of at most {MAX_DEPTH} groups inside each other")])
        if isinstance(here, dict):
            inside = groups + any(name in here for name in GROUPS)
            conditions += _is_condition(here, where)
            stack.extend((value, (*where, str(name)), inside) for name, value in here.items() if isinstance(value, dict | list))
        elif isinstance(here, list):
            held = _held(here, where)
            values += held
            stack.extend((item, (*where, index), groups) for index, item in enumerate(here) if isinstance(item, dict | list))
        if conditions > MAX_CONDITIONS:
            expected = f"at most {MAX_CONDITIONS}; “in” takes a list of values in one condition"
            fail([((), f"more than {MAX_CONDITIONS} conditions", expected)])
        if values > MAX_VALUES:
            fail([((), f"lists of more than {MAX_VALUES:,} values in all", f"at most {MAX_VALUES:,} values in one rule")])
    return raw


def _is_condition(node: dict[str, Any], where: tuple[str | int, ...]) -> bool:
    """Whether this object is a condition of the tree, not a group and not a part of a condition (a span, a window)."""
    is_node = not where or isinstance(where[-1], int)
    return is_node and not any(name in node for name in GROUPS)


def _held(values: list[Any], where: tuple[str | int, ...]) -> int:
    """How many plain values a list holds; a list of groups or conditions holds none."""
    if where and where[-1] in (*GROUPS, "where"):
        return 0
    if len(values) > MAX_LIST:
        fail([(where, f"a list of {len(values):,} values", f"at most {MAX_LIST:,} values; more belong on an uploaded list")])
    return len(values)
