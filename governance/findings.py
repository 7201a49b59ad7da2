"""What is wrong, where, and what was expected: the one error language of every door."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Level = Literal["error", "warning", "note"]
PREAMBLE = re.compile(r"^(?:Input|String|List|Tuple|Dictionary|Value|Number|Datetime) should (?:be |have )?")
READINGS = 64  # of one location
SHOWN = 80  # characters of a faulty value that may be repeated back
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on a document or a request.

    path: JSON Pointer into what was given ("/steps/2/wait"); found: shortened, without personal data;
    expected: completes "expected …".
    """

    level: Level
    path: str
    found: str
    expected: str

    def as_dict(self) -> dict[str, str]:
        """Plain data for JSON answers and stored findings."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.path or '/'}: found {self.found}, expected {self.expected}"


class DoorError(Exception):
    """An expected failure: it has words for the person who can mend it and is no alarm."""

    reason: str = ""
    findings: Sequence[Finding] = ()


class Invalid(DoorError):
    """What was given can't be accepted; every fault is listed."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        self.reason = "; ".join(str(finding) for finding in self.findings[:5])
        super().__init__(self.reason)


class Refused(DoorError):
    """What was asked is well formed but policy says no."""

    def __init__(self, reason: str, findings: Iterable[Finding] = ()) -> None:
        self.reason, self.findings = reason, tuple(findings)
        super().__init__(reason)


class Stale(DoorError):
    """Somebody else changed it meanwhile. difference: the changes that were missed, as plain data."""

    def __init__(self, reason: str, difference: Sequence[dict[str, Any]] = ()) -> None:
        self.reason, self.difference = reason, tuple(difference)
        super().__init__(reason)


class Unmatched(Stale):
    """The precondition that a caller sent (`If-Match`) no longer holds: 412 instead of 409."""


class Conflict(DoorError):
    """It contradicts something that was asked or done before. title: the same of every such conflict, in a few words."""

    def __init__(self, reason: str, *, title: str) -> None:
        self.reason, self.title = reason, title
        super().__init__(reason)


class Missing(DoorError):
    """There is no such thing here (or not in this workspace: the answer is the same)."""

    def __init__(self, what: str) -> None:
        self.reason = what
        super().__init__(what)


def pointer(parts: Iterable[object], at: str = "") -> str:
    """JSON Pointer (RFC 6901) from path parts, below `at`."""
    return at + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def shorten(value: object) -> str:
    """A faulty value as it may be repeated to its author: one line, at most 80 characters, no lone surrogates."""
    text = repr(value) if not isinstance(value, str) else value or "empty text"
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[: SHOWN * 2])
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def still_empty(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong but what nobody has filled in yet: no reason to alarm somebody who is just beginning."""
    listed = list(findings)
    return bool(listed) and all(finding.found in {"empty text", "nothing"} for finding in listed)


def parse(model: type[M], data: object, at: str = "") -> M:
    """Validate `data` strictly. Raises Invalid with one finding per fault, each with its pointer below `at`.

    A strict schema reads plain data as JSON, so a date is a string and a tuple is a list in every door.
    """
    try:
        if model.model_config.get("strict"):
            return model.model_validate_json(json.dumps(data, allow_nan=False))
        return model.model_validate(data)
    except ValidationError as error:
        raise Invalid(_findings(error, data, at)) from None
    except RecursionError:
        raise Invalid([Finding("error", at, "a structure nested too deeply", "at most 32 levels")]) from None
    except (TypeError, ValueError):
        raise Invalid(
            [Finding("error", at, "a value that JSON can't hold", "text, finite numbers, true, false, null, lists, objects")]
        ) from None


ABSENT = frozenset({"missing", "absent"})  # kinds of fault whose place ends with a field that isn't there; the second has words of its own
_BOUNDS = {  # the validator's words for a bound, as somebody would say them
    "less_than_equal": "at most {le:,}",
    "less_than": "less than {lt:,}",
    "greater_than_equal": "at least {ge:,}",
    "greater_than": "more than {gt:,}",
    "too_short": "at least {min_length:,}",
    "too_long": "at most {max_length:,}",
}


def _findings(error: ValidationError, data: object, at: str) -> list[Finding]:
    found = []
    for fault in error.errors(include_url=False):
        kind, where = fault["type"], pointer(_place(data, fault), at)
        if kind == "missing":
            found.append(Finding("error", where, "nothing", "a value: this field is required"))
        elif kind == "extra_forbidden":
            found.append(Finding("error", where, "an unknown field", "only the fields that are documented here"))
        else:
            message = (
                _BOUNDS[kind].format(**_plain(fault.get("ctx", {})))
                if kind in _BOUNDS
                else str(fault.get("ctx", {}).get("error", fault["msg"]))
            )
            told = "nothing" if fault.get("input") in ([], {}) else shorten(fault.get("input"))
            found.append(Finding("error", where, told, _completing(message)))
    return found


def _plain(bounds: Mapping[str, Any]) -> dict[str, Any]:
    """Bounds as somebody would write them: 0 and not 0.0."""
    return {name: int(bound) if isinstance(bound, float) and bound.is_integer() else bound for name, bound in bounds.items()}


def _completing(message: str) -> str:
    """A message that completes "expected …"."""
    message = PREAMBLE.sub("", message)
    return message[:1].lower() + message[1:]


def _place(data: object, fault: ErrorDetails) -> list[int | str]:
    """The parts of pydantic's location that were written: it also names union tags and validators, which nobody wrote.

    Where a tag is spelled like a field, the reading that ends at the faulty value is the right one.
    """
    missing = fault["type"] in ABSENT
    loc = fault["loc"][:-1] if missing else fault["loc"]
    readings = list(islice(_readings(data, loc), READINGS))
    place = next((place for place, value in readings if value == fault.get("input")), readings[0][0])
    return [*place, fault["loc"][-1]] if missing and fault["loc"] else place


def _readings(here: object, loc: tuple[int | str, ...]) -> Iterator[tuple[list[int | str], object]]:
    """Every way to follow the location through the data and the value at its end, the most literal first."""
    if not loc:
        yield [], here
        return
    part, rest = loc[0], loc[1:]
    if isinstance(here, Mapping) and part in here:
        yield from (([part, *place], value) for place, value in _readings(here[part], rest))
    elif isinstance(here, (list, tuple)) and isinstance(part, int) and part < len(here):
        yield from (([part, *place], value) for place, value in _readings(here[part], rest))
    yield from _readings(here, rest)
