"""A batch of entries becomes people and events, or dead letters: all of it in one transaction.

Laws: every entry is recorded or is a dead letter, with its batch; the same entries again change nothing, except that people are as the
entries say once more. One entry that can't be recorded never holds up the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import structlog
from django.db import InterfaceError, OperationalError, transaction

from audience.addresses import without_addresses
from audience.api_bodies import ProfileBody
from audience.dead_letters import DeadLetterReason, Faulty, keep
from audience.event_bodies import EventRequest
from audience.events import NOBODY, record
from audience.ingest.rows import ProfileRow
from audience.ingest.upsert import upsert
from audience.new_events import NewEvent
from audience.streams.source import Entry, Holds
from governance.door import Finding, Invalid, Malformed, parse, read_json

MAX_BODY = 1_000_000  # bytes
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Taken:
    """What became of some entries: recorded, repeated (an event known already; a person who was like that) and faulty add up to them."""

    recorded: int = 0
    repeated: int = 0
    faulty: list[Faulty] = field(default_factory=list)

    def add(self, other: Taken) -> Taken:
        """Count others in."""
        self.recorded += other.recorded
        self.repeated += other.repeated
        self.faulty += other.faulty
        return self


def take(workspace_id: int, stream: str, holds: Holds, entries: Sequence[Entry], *, now: datetime) -> Taken:
    """Record what can be, keep the rest as dead letters, in one transaction.

    What breaks the recording although nothing is wrong with it that we know of is found by halves, and is a dead letter, too. A
    database that is away is raised (OperationalError, InterfaceError): nothing was recorded then.
    """
    try:
        with transaction.atomic():
            taken = take_whole(workspace_id, holds, entries, now=now)
            keep(workspace_id, stream, holds, taken.faulty, now=now)
            return taken
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Never its words: they quote people's data.
        log.error("stream.batch_broke", stream=stream, entries=len(entries), error=type(error).__name__)
        if len(entries) > 1:
            half = len(entries) // 2
            first = take(workspace_id, stream, holds, entries[:half], now=now)
            return first.add(take(workspace_id, stream, holds, entries[half:], now=now))
        taken = Taken(faulty=[_broke(entries[0], error)])
        keep(workspace_id, stream, holds, taken.faulty, now=now)
        return taken


def take_whole(workspace_id: int, holds: Holds, entries: Sequence[Entry], *, now: datetime) -> Taken:
    """Record what can be, in the caller's transaction; what can't be is told, in the order of the entries."""
    taken = _take_events(workspace_id, entries, now) if holds == "events" else _take_people(workspace_id, entries, now)
    places = {entry.id: place for place, entry in enumerate(entries)}
    taken.faulty.sort(key=lambda faulty: places[faulty.entry_id])
    return taken


def _take_events(workspace_id: int, entries: Sequence[Entry], now: datetime) -> Taken:
    taken, events, of = Taken(), list[NewEvent](), list[Entry]()
    for entry in entries:
        try:
            events.append(parse(EventRequest, _json(entry)).event(entry.at))
            of.append(entry)
        except _Unreadable as unreadable:
            taken.faulty.append(unreadable.faulty)
        except Invalid as invalid:
            taken.faulty.append(_faulty(entry, "invalid", invalid.findings))
    recorded = record(workspace_id, events, now=now)
    taken.recorded, taken.repeated = recorded.accepted, recorded.duplicates
    for each in recorded.rejected:
        unknown = all(finding.found == NOBODY for finding in each.findings)
        taken.faulty.append(_faulty(of[each.place], "unknown-person" if unknown else "invalid", each.findings))
    return taken


def _take_people(workspace_id: int, entries: Sequence[Entry], now: datetime) -> Taken:
    taken, rows = Taken(), list[tuple[str, ProfileRow]]()
    for place, entry in enumerate(entries):
        try:
            row = parse(ProfileBody, _json(entry)).row(place)
            if row.consents and not entry.recorder:
                raise Invalid(
                    [Finding("error", "/consents", "no `source` in the entry", "what recorded the consents, as its field `source`")]
                )
            rows.append((entry.recorder, row))
        except _Unreadable as unreadable:
            taken.faulty.append(unreadable.faulty)
        except Invalid as invalid:
            taken.faulty.append(_faulty(entry, "invalid", invalid.findings))
    for recorder, group in groupby(rows, key=lambda row: row[0]):  # in their order: later ones are about the same people
        outcome = upsert(workspace_id, [row for _, row in group], source=recorder or "stream", now=now)
        taken.recorded += outcome.created + outcome.updated
        taken.repeated += outcome.unchanged
        taken.faulty += [_faulty(entries[row.line], "invalid", row.findings) for row in outcome.rejected]
    return taken


class _Unreadable(Exception):
    def __init__(self, faulty: Faulty) -> None:
        self.faulty = faulty


def _broke(entry: Entry, error: Exception) -> Faulty:
    if isinstance(error, Invalid):  # a door behind the rows' own checks said no
        return _faulty(entry, "invalid", error.findings)
    found = f"an entry that breaks its recording ({type(error).__name__})"
    return _faulty(entry, "broke", [Finding("error", "", found, "one that can be recorded; the log says more")])


def _json(entry: Entry) -> object:
    if entry.body is None:
        raise _Unreadable(_faulty(entry, "not-json", [Finding("error", "", "no field `body`", "JSON in the field `body` of the entry")]))
    if len(entry.body) > MAX_BODY:
        found = Finding("error", "", f"{len(entry.body):,} bytes", f"at most {MAX_BODY:,} bytes")
        raise _Unreadable(_faulty(entry, "too-large", [found]))
    try:
        return read_json(entry.body)
    except Malformed as malformed:
        raise _Unreadable(_faulty(entry, "not-json", malformed.findings)) from None


def _faulty(entry: Entry, reason: DeadLetterReason, findings: Sequence[Finding]) -> Faulty:
    """Findings go where more people read them than the entry's writer, so they quote no address."""
    told = [Finding(each.level, without_addresses(each.path), without_addresses(each.found), each.expected) for each in findings]
    return Faulty(entry.id, entry.at, entry.body, entry.recorder, reason, tuple(told))
