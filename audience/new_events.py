"""One incoming event, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import is_naive

from audience.values import INVALID, LARGEST
from governance.door import Finding, pointer, shorten

MAX_ID, MAX_NAME = 200, 80
MAX_PROPERTIES, MAX_VALUE = 50, 4_096
AHEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened. event_id: unique per workspace. profile: an external id, or a profile's own id.

    properties: texts, numbers, true, false or null by name; no lists, no objects.
    """

    event_id: str
    name: str
    profile: str | int
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


def faults_of(event: NewEvent, *, now: datetime) -> list[Finding]:
    """Everything that is wrong with the event itself; whether its person exists is another question."""
    found = []
    if not 0 < len(event.event_id) <= MAX_ID or not event.event_id.isprintable():
        found.append(Finding("error", "/id", shorten(event.event_id), f"1 to {MAX_ID} printable characters"))
    if not 0 < len(event.name) <= MAX_NAME or not event.name.isprintable() or event.name != event.name.strip():
        found.append(Finding("error", "/name", shorten(event.name), f"1 to {MAX_NAME} printable characters"))
    if is_naive(event.at):
        found.append(Finding("error", "/at", event.at.isoformat(), "an instant with its offset such as 2026-01-31T09:00:00Z"))
    elif event.at > now + AHEAD:
        found.append(Finding("error", "/at", event.at.isoformat(), "an instant at most an hour ahead"))
    if len(event.properties) > MAX_PROPERTIES:
        found.append(Finding("error", "/properties", f"{len(event.properties):,} properties", f"at most {MAX_PROPERTIES} properties"))
        return found
    return found + [fault for name, value in event.properties.items() if (fault := _property_fault(name, value))]


def _property_fault(name: str, value: Any) -> Finding | None:
    where = pointer(["properties", name])
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        return Finding("error", "/properties", shorten(name), f"names of 1 to {MAX_NAME} printable characters")
    if isinstance(value, str):
        if len(value) > MAX_VALUE:
            return Finding("error", where, f"{len(value):,} characters", f"text of at most {MAX_VALUE:,} characters")
        if bad := INVALID.search(value):
            return Finding("error", where, f"the invalid character U+{ord(bad[0]):04X}", "text without invalid characters")
        return None
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, int | float):
        return Finding("error", where, type(value).__name__, "a text, a number, true, false or null")
    return None if abs(value) <= LARGEST else Finding("error", where, shorten(value), "a number between -2^53 and 2^53")
