"""What people did: recorded once per event id, with the trigger's feed row in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection, transaction

from audience.catalogue import folded_properties
from audience.ingest.write import ids_of
from audience.models import Event, EventFeed
from governance.door import Finding, pointer, shorten

MAX_PROPERTIES, MAX_VALUE = 50, 4_096
AHEAD, STALE = timedelta(hours=1), timedelta(days=365)
RESERVED = "message."  # written by delivery; never triggers what sent it


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened. event_id: unique per workspace. profile: an external id, or a profile's own id."""

    event_id: str
    name: str
    profile: str | int
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that was not taken: its place in what was given, and why."""

    place: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the events that were given."""

    accepted: int
    duplicates: int
    rejected: tuple[RejectedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """An event as a trigger reads it."""

    event_pk: int
    workspace_id: int
    event_id: str
    profile_id: int
    name: str
    at: datetime
    properties: dict[str, Any]


def record(workspace_id: int, events: Sequence[NewEvent], *, now: datetime, triggering: bool = True) -> Recorded:
    """Keep events, each id once; a repeated id counts as a duplicate and triggers nothing again.

    Refused one by one: unknown people, instants more than an hour ahead, too many or too large properties. Events older than a year
    are kept and trigger nothing. triggering: False for what must never start a message.
    """
    people = ids_of(workspace_id, [event.profile for event in events if isinstance(event.profile, str)])
    rejected, rows = [], dict[str, Event]()
    repeats = 0
    for place, event in enumerate(events):
        profile_id = people.get(event.profile) if isinstance(event.profile, str) else event.profile
        findings = _faults(event, profile_id, now)
        if findings or profile_id is None:
            rejected.append(RejectedEvent(place, tuple(findings)))
        elif event.event_id in rows:
            repeats += 1
        else:
            rows[event.event_id] = _row(workspace_id, event, profile_id, now)
    with transaction.atomic():
        fresh = _insert(workspace_id, list(rows.values()))
        if triggering:
            feed = [row for row in fresh if row.at > now - STALE and not row.name.startswith(RESERVED)]
            EventFeed.objects.bulk_create([EventFeed(workspace_id=workspace_id, event=row, at=now) for row in feed], batch_size=1_000)
    return Recorded(len(fresh), len(rows) - len(fresh) + repeats, tuple(rejected))


def _insert(workspace_id: int, rows: list[Event]) -> list[Event]:
    """Insert what isn't there, and answer exactly those rows, with their keys; of two callers at once one wins each id."""
    ids = [row.event_id for row in rows]
    known = set(Event.objects.filter(workspace_id=workspace_id, event_id__in=ids).values_list("event_id", flat=True))
    fresh = [row for row in rows if row.event_id not in known]
    if connection.vendor != "postgresql":
        return Event.objects.bulk_create(fresh, batch_size=500)  # the transaction is the only writer
    values = [
        {name: getattr(row, name) for name in ("event_id", "profile_id", "name", "at", "properties", "folded")}
        for row in sorted(fresh, key=lambda row: row.event_id)  # one order: two callers can't deadlock
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT, [workspace_id, fresh[0].received_at, orjson.dumps(values).decode()] if fresh else [workspace_id, None, "[]"]
        )
        keys = {event_id: pk for pk, event_id in cursor.fetchall()}
    for row in fresh:
        row.pk = keys.get(row.event_id)
    return [row for row in fresh if row.pk is not None]


_INSERT = """
INSERT INTO audience_event (workspace_id, event_id, profile_id, name, at, received_at, properties, folded)
SELECT %s, event_id, profile_id, name, at, %s, properties, folded
  FROM jsonb_to_recordset(%s::jsonb)
    AS given(event_id text, profile_id bigint, name text, at timestamptz, properties jsonb, folded jsonb)
ON CONFLICT (workspace_id, event_id) DO NOTHING RETURNING id, event_id
"""


def _row(workspace_id: int, event: NewEvent, profile_id: int, now: datetime) -> Event:
    properties = dict(event.properties)
    return Event(
        workspace_id=workspace_id,
        event_id=event.event_id,
        profile_id=profile_id,
        name=event.name,
        at=event.at,
        received_at=now,
        properties=properties,
        folded=folded_properties(properties),
    )


def _faults(event: NewEvent, profile_id: int | None, now: datetime) -> list[Finding]:
    faults = []
    if profile_id is None:
        faults.append(Finding("error", "/external_id", shorten(event.profile), "somebody who has a profile; send the profile first"))
    if event.at > now + AHEAD:
        faults.append(Finding("error", "/at", event.at.isoformat(), "an instant at most an hour ahead"))
    if not event.event_id or len(event.event_id) > 200 or not event.event_id.isprintable():
        faults.append(Finding("error", "/id", shorten(event.event_id), "1 to 200 printable characters"))
    if len(event.properties) > MAX_PROPERTIES:
        faults.append(Finding("error", "/properties", f"{len(event.properties)} properties", f"at most {MAX_PROPERTIES}"))
    else:
        faults += [fault for name, value in event.properties.items() if (fault := _property_fault(str(name), value))]
    return faults


def _property_fault(name: str, value: Any) -> Finding | None:
    where = pointer(["properties", name])
    if not name or len(name) > 80 or not name.isprintable():
        return Finding("error", where, shorten(name), "a name of 1 to 80 printable characters")
    if isinstance(value, str) and (len(value) > MAX_VALUE or "\0" in value or any("\ud800" <= char <= "\udfff" for char in value)):
        return Finding("error", where, f"{len(value):,} characters", f"text of at most {MAX_VALUE:,} characters, without U+0000")
    if isinstance(value, float | int) and not isinstance(value, bool) and not abs(value) <= 2**53:
        return Finding("error", where, shorten(value), "a number between -2^53 and 2^53")
    if value is not None and not isinstance(value, str | int | float | bool):
        return Finding("error", where, type(value).__name__, "a text, a number, true or false")
    return None


def take_events(limit: int) -> list[TriggerEvent]:
    """Take the oldest waiting events out of the feed, in the caller's transaction: if that fails, they wait again.

    Never by `id > last`: ids commit out of order, so a cursor loses rows.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "DELETE FROM audience_eventfeed WHERE id IN (SELECT id FROM audience_eventfeed ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) "
                "RETURNING event_id",
                [limit],
            )
        else:
            cursor.execute(
                "DELETE FROM audience_eventfeed WHERE id IN (SELECT id FROM audience_eventfeed ORDER BY id LIMIT %s) RETURNING event_id",
                [limit],
            )
        keys = [row[0] for row in cursor.fetchall()]
    rows = Event.objects.filter(pk__in=keys).order_by("pk") if keys else Event.objects.none()
    return [TriggerEvent(row.pk, row.workspace_id, row.event_id, row.profile_id, row.name, row.at, row.properties) for row in rows]


def events_waiting() -> bool:
    """Whether any event waits for its triggers. One index look-up."""
    return EventFeed.objects.exists()


def events_of(workspace_id: int, profile_id: int, *, limit: int = 50) -> list[Event]:
    """What one person did last, newest first."""
    return list(Event.objects.filter(workspace_id=workspace_id, profile_id=profile_id).order_by("-at", "-id")[:limit])
