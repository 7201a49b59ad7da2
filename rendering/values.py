"""From a recipient to the plain values of a template's variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from presentation.door import Plain, UnfitValue, Variable, plain

MISSING: Any = object()
# Equal values of one of these types are shown, and answer, alike. Floats are not: 0.0 and -0.0 are equal, and so are times in two zones.
REPEATABLE = frozenset({str, int, bool, date})
Getter = Callable[["Recipient"], object]


class Person(Protocol):
    """What rendering reads of a profile (audience's Person has it)."""

    @property
    def external_id(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def locale(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...
    @property
    def zone(self) -> str | None: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...
    @property
    def records(self) -> Mapping[str, Sequence[Mapping[str, Any]]]: ...


@dataclass(slots=True)
class Recipient:
    """One person a message is filled for. n: place in the dispatch; data: the payload of an API call, or the properties of
    the event that triggered the message; token: the message's own, unguessable; locale: as wanted, "" for the profile's;
    confirm_token: of what this message asks its reader to confirm, "" where it asks for nothing; content: fields of content sources,
    by the source's key."""

    n: int
    profile: Person | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""
    locale: str = ""
    confirm_token: str = ""
    content: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def wanted(self) -> str:
        """The locale this person wants, "" if unknown."""
        return self.locale or (self.profile.locale if self.profile is not None else "") or ""


def getter(source: str) -> Getter:
    """A function that reads what a variable's source names; None where there is nothing."""
    room, _, path = source.partition(".")
    if room == "profile":
        return lambda recipient: getattr(recipient.profile, path, None)
    steps = path.split(".")
    if room == "attribute" and len(steps) == 1:
        return lambda recipient: recipient.profile.attributes.get(path) if recipient.profile is not None else None
    if room == "attribute":
        return lambda recipient: _nested(recipient.profile.attributes, steps) if recipient.profile is not None else None
    if room == "record":
        return lambda recipient: _record(recipient.profile, steps)
    if room == "content":
        return lambda recipient: _nested(recipient.content, steps)
    if len(steps) == 1:
        return lambda recipient: recipient.data.get(path)
    return lambda recipient: _nested(recipient.data, steps)


def read_all(source: str, recipients: Sequence[Recipient]) -> list[object]:
    """What a variable's source holds for each recipient."""
    room, _, path = source.partition(".")
    if room == "attribute" and "." not in path:
        return [recipient.profile.attributes.get(path) if recipient.profile is not None else None for recipient in recipients]
    return list(map(getter(source), recipients))


def value_of(variable: Variable, raw: object) -> Plain | Any:
    """The variable's value from what its source holds, its fallback, or MISSING. Raises UnfitValue."""
    found = plain(raw, variable.type)
    if found is None:
        found = plain(variable.fallback, variable.type)
    return MISSING if found is None else found


def _record(person: Person | None, steps: list[str]) -> object:
    """All records of a type, or a field of the first of them."""
    found = person.records.get(steps[0]) if person is not None else None
    if len(steps) == 1 or not found:
        return found if len(steps) == 1 else None
    return found[0].get(steps[1])


def _nested(data: object, steps: list[str]) -> object:
    for step in steps:
        if not isinstance(data, Mapping):
            return None
        data = data.get(step)
    return data


__all__ = ["MISSING", "Getter", "Recipient", "UnfitValue", "getter", "value_of"]
