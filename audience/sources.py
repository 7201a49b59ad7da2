"""Events that another room keeps in tables of its own, counted in rules like any other.

A room further down the street registers its source when it starts, so audience imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

Having = Mapping[str, Sequence[str]]  # property → the folded texts of which it must be one


@dataclass(frozen=True, slots=True)
class EventSource:
    """The events of some names, one row each.

    names: the event names that it answers; rows(workspace_id, name, since, until, having): the events with since ≤ at ≤ until (None: no
    beginning), with a field `at`, whose property is one of the values in `having`; column: their field that holds the profile's id;
    properties: what rules may ask about them, and only whether it is one of some texts.
    """

    names: frozenset[str]
    rows: Callable[[int, str, datetime | None, datetime, Having], QuerySet[Any]]
    column: str
    properties: frozenset[str] = frozenset()


_SOURCES: dict[str, EventSource] = {}


def register_event_source(source: EventSource) -> None:
    """Make a source known. A name that another source answers already is a programming error."""
    for name in source.names:
        if _SOURCES.get(name, source) != source:
            raise ValueError(f"two sources for the event {name}")
        _SOURCES[name] = source


def source_of(name: str) -> EventSource | None:
    """Who keeps the events of this name; None: audience itself."""
    return _SOURCES.get(name)
