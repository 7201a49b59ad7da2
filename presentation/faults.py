"""Several faults of one body, raised so that each keeps its own JSON Pointer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError


class Fault(NamedTuple):
    """Where (path parts), what was found, and what was expected instead."""

    at: tuple[str | int, ...]
    found: object
    expected: str


def raise_faults(title: str, faults: Sequence[Fault]) -> None:
    """Raise them as one ValidationError from inside a validator; nothing happens when there are none."""
    if faults:
        raise ValidationError.from_exception_data(title, [_detail(fault) for fault in faults])


def _detail(fault: Fault) -> InitErrorDetails:
    # What isn't there has a place all the same: the field where it should be.
    kind = PydanticCustomError("absent" if fault.found == "nothing" else "template", "{expected}", {"expected": fault.expected})
    return InitErrorDetails(type=kind, loc=fault.at, input=fault.found)
