"""What people did: recorded once per event id, with what triggers must hear in the same transaction.

Laws: an event id counts once and triggers once, however often and by however many callers it is told; a feed row is handed to one
taker, and comes back if the taker's transaction fails.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery

from audience import profiles, sql
from audience.computed import note_events
from audience.external_ids import external_id_fault, external_id_of
from audience.ingest.rows import ProfileRow
from audience.ingest.upsert import upsert
from audience.models import Event, EventFeed
from audience.new_events import NewEvent, faults_of
from audience.values import folded_properties
from governance.door import Finding

TRIGGERING_FOR = timedelta(days=365)  # older events are history: kept, and triggering nothing
RESERVED = "message."  # names that delivery gives; they never trigger what sent them
NOBODY = "an id that nobody has"
AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that was not taken: its place in what was given, and why."""

    place: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the events that were given; the three add up to them."""

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


def record(workspace_id: int, events: Sequence[NewEvent], *, now: datetime, triggering: bool = True, create: bool = False) -> Recorded:
    """Keep events, each id once; a repeated id is a duplicate and triggers nothing again.

    Refused one by one: unknown people, instants more than an hour ahead, too many or too large properties. Events older than a year
    are kept and trigger nothing. triggering: False for history. create: external ids nobody has become people.
    """
    total = Recorded(0, 0)
    for start in range(0, len(events), AT_ONCE):
        part = _record(workspace_id, events[start : start + AT_ONCE], now, triggering, create)
        rejected = tuple(RejectedEvent(start + one.place, one.findings) for one in part.rejected)
        total = Recorded(total.accepted + part.accepted, total.duplicates + part.duplicates, total.rejected + rejected)
    return total


def _record(workspace_id: int, events: Sequence[NewEvent], now: datetime, triggering: bool, create: bool) -> Recorded:
    with transaction.atomic():
        who = _people(workspace_id, events, now, create)
        rejected: list[RejectedEvent] = []
        good: dict[str, tuple[NewEvent, int]] = {}
        for place, event in enumerate(events):
            number = who.get(event.profile)
            findings = [*([] if number is not None else [_nobody(event.profile)]), *faults_of(event, now=now)]
            if findings or number is None:
                rejected.append(RejectedEvent(place, tuple(findings)))
            else:
                good.setdefault(event.event_id, (event, number))
        fresh = _insert(workspace_id, list(good.values()), now)
        if fresh:
            note_events(workspace_id, [(event.name, number) for _, event, number in fresh], now=now)
        if triggering:
            _feed(workspace_id, fresh, now)
    return Recorded(len(fresh), len(events) - len(rejected) - len(fresh), tuple(rejected))


def _people(workspace_id: int, events: Sequence[NewEvent], now: datetime, create: bool) -> dict[str | int, int]:
    """Profile ids by what the events say. Two queries, whatever their number."""
    numbers = {event.profile for event in events if isinstance(event.profile, int)}
    named = {event.profile for event in events if isinstance(event.profile, str) and not external_id_fault(event.profile)}
    kept = {text: external_id_of(text) for text in named}
    found = profiles.ids_of(workspace_id, kept.values()) if kept else {}
    strangers = sorted(set(kept.values()) - set(found))
    if create and strangers:
        upsert(workspace_id, [ProfileRow(external_id) for external_id in strangers], source="event", now=now)
        found |= profiles.ids_of(workspace_id, strangers)
    who: dict[str | int, int] = {text: found[external_id] for text, external_id in kept.items() if external_id in found}
    return who | (profiles.present(workspace_id, numbers) if numbers else {})


def _nobody(profile: str | int) -> Finding:
    fault = external_id_fault(profile) if isinstance(profile, str) else None
    return fault or Finding("error", "/external_id", NOBODY, "somebody who has a profile; send the profile first")


_INSERT = """
INSERT INTO audience_event (workspace_id, event_id, profile_id, name, at, received_at, properties, folded) {given}
ON CONFLICT (workspace_id, event_id) DO NOTHING RETURNING id, event_id, profile_id
"""
_GIVEN_POSTGRESQL = """
SELECT %s, given.event_id, coalesce(p.merged_into, p.id), given.name, given.at, %s, given.properties, given.folded
  FROM jsonb_to_recordset(%s::jsonb)
    AS given(event_id text, profile_id bigint, name text, at timestamptz, properties jsonb, folded jsonb)
  JOIN people p ON p.id = given.profile_id ORDER BY given.event_id
"""
_PEOPLE_POSTGRESQL = """
WITH people AS MATERIALIZED (
  SELECT id, merged_into FROM audience_profile WHERE id = ANY(%s) ORDER BY external_id COLLATE "C" FOR KEY SHARE
)
"""  # who is being merged at this moment is waited for, in the order in which mergers lock people, and the event is the other's
_COLUMNS_SQLITE = [f"json_extract(value, '$.{name}')" for name in ("event_id", "profile_id", "name", "at", "properties", "folded")]
_GIVEN_SQLITE = f"SELECT %s, {', '.join(_COLUMNS_SQLITE[:4])}, %s, {', '.join(_COLUMNS_SQLITE[4:])} FROM json_each(%s) WHERE true"


def _insert(workspace_id: int, events: Sequence[tuple[NewEvent, int]], now: datetime) -> list[tuple[int, NewEvent, int]]:
    """Insert what isn't there, and answer exactly that with its keys and whose it is; of two callers at once one wins each id."""
    if not events:
        return []
    ordered = sorted(events, key=lambda one: one[0].event_id)  # one order: two callers never wait for each other in a circle
    given = orjson.dumps([_values(event, number) for event, number in ordered]).decode()
    statement = _INSERT.format(given=_GIVEN_POSTGRESQL if sql.on_postgres() else _GIVEN_SQLITE)
    by_id = {event.event_id: event for event, _ in events}
    parameters = [workspace_id, sql.moment(now), given]
    if sql.on_postgres():
        statement = _PEOPLE_POSTGRESQL + statement
        parameters = [sql.listed(sorted({number for _, number in ordered})), *parameters]
    return [(key, by_id[event_id], number) for key, event_id, number in sql.rows(statement, parameters)]


def _values(event: NewEvent, number: int) -> dict[str, Any]:
    properties = dict(event.properties)
    return {
        "event_id": event.event_id,
        "profile_id": number,
        "name": event.name,
        "at": sql.moment(event.at),
        "properties": properties,
        "folded": folded_properties(properties),
    }


def _feed(workspace_id: int, fresh: Sequence[tuple[int, NewEvent, int]], now: datetime) -> None:
    """What may trigger something, in the writer's transaction."""
    keys = [key for key, event, _ in fresh if event.at > now - TRIGGERING_FOR and not event.name.startswith(RESERVED)]
    if keys:
        statement = "INSERT INTO audience_eventfeed (workspace_id, event_id, at) SELECT workspace_id, id, {at} FROM audience_event WHERE "
        at = "%s::timestamptz" if sql.on_postgres() else "%s"
        sql.run(statement.format(at=at) + sql.among("id") + " ORDER BY id", [sql.moment(now), sql.listed(keys)])


def take_events(limit: int) -> list[TriggerEvent]:
    """Take the oldest waiting events out of the feed, in the caller's transaction: if that fails, they wait again.

    Never by `id > last`: ids commit out of order, so a cursor loses rows.
    """
    keys = [row[0] for row in sql.take_oldest("audience_eventfeed", "event_id", limit)]
    rows = Event.objects.filter(pk__in=keys).order_by("pk") if keys else ()
    return [TriggerEvent(row.pk, row.workspace_id, row.event_id, row.profile_id, row.name, row.at, row.properties) for row in rows]


def events_waiting() -> bool:
    """Whether any event waits for its triggers. One index look-up."""
    return EventFeed.objects.exists()


def event_rows(workspace_id: int, profile_id: int) -> QuerySet[Event]:
    """What one person did, for lists that page."""
    return Event.objects.filter(workspace_id=workspace_id, profile_id=profile_id)


def events_of(workspace_id: int, profile_id: int, *, limit: int = 50) -> list[Event]:
    """What one person did last, newest first."""
    return list(event_rows(workspace_id, profile_id).order_by("-at", "-id")[:limit])


_NAMES = """
WITH RECURSIVE names(name) AS (
  SELECT (SELECT min(name) FROM audience_event WHERE workspace_id = %s)
  UNION ALL
  SELECT (SELECT min(e.name) FROM audience_event e WHERE e.workspace_id = %s AND e.name > names.name) FROM names WHERE name IS NOT NULL
) SELECT name FROM names WHERE name IS NOT NULL LIMIT %s
"""


def event_names(workspace_id: int, *, limit: int = 300) -> list[str]:
    """The names of events that ever happened, in order: one step in the index per name, however many events there are."""
    return [row[0] for row in sql.rows(_NAMES, [workspace_id, workspace_id, limit])]


def latest_properties(workspace_id: int, name: str, limit: int) -> list[dict[str, Any]]:
    """What was in the last events of a name. By its index: what older events cost doesn't matter."""
    rows = Event.objects.filter(workspace_id=workspace_id, name=name).order_by("-at")
    return list(rows.values_list("properties", flat=True)[:limit])


def times_until(workspace_id: int, event_pks: Collection[int], *, within: timedelta) -> dict[int, int]:
    """Of each of these events: how often its person had done the same when it was received, itself included, in so much time. One query.

    By when events were received, so that what waited for a worker that was away is judged as if it had been there.
    """
    same = {name: OuterRef(name) for name in ("workspace_id", "name", "profile_id")}
    until = Event.objects.filter(**same, received_at__lte=OuterRef("received_at"), received_at__gt=OuterRef("received_at") - within)
    times = until.order_by().values("name").annotate(times=Count("id")).values("times")
    rows = Event.objects.filter(workspace_id=workspace_id, pk__in=list(event_pks))
    return dict(rows.annotate(times=Subquery(times)).values_list("pk", "times"))
