"""Loads the generated people of `samples/` through the same doors that imports and webhooks use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from audience import door as audience
from delivery import door as delivery
from governance.door import Invalid
from samples.people import SamplePerson, generate

AT_ONCE = 1_000  # people per round: rows, events and suppressions of one round are written set by set
SOURCE = "sample"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was written, and what was there already."""

    created: int
    updated: int
    unchanged: int
    events: int
    suppressed: int


def load(
    workspace_id: int, count: int, *, seed: int, as_of: datetime, now: datetime, each: Callable[[int], None] = lambda done: None
) -> Loaded:
    """Write `count` people of this seed, their events, consents and suppressions. The same again changes nothing.

    as_of: the day that dates and events are told relative to. each: called with how many people are done.
    Events trigger nothing: they are history. Raises Invalid where the catalogue lacks an attribute of theirs.
    """
    total = Loaded(0, 0, 0, 0, 0)
    done = 0
    for people in _rounds(generate(count, seed=seed, as_of=as_of)):
        total = _sum(total, _write(workspace_id, people, now))
        done += len(people)
        each(done)
    return total


def _write(workspace_id: int, people: list[SamplePerson], now: datetime) -> Loaded:
    outcome = audience.upsert(workspace_id, [_row(person) for person in people], source=SOURCE, now=now)
    if outcome.rejected:
        raise Invalid(outcome.rejected[0].findings)
    events = [
        audience.NewEvent(happening.event_id, happening.name, person.external_id, happening.at, happening.properties)
        for person in people
        for happening in person.events
    ]
    recorded = audience.record(workspace_id, events, now=now, triggering=False)
    bounced = [person.email for person in people if person.suppressed and person.email]
    for address in bounced:
        delivery.suppress(workspace_id, "email", address, reason="bounced", source=SOURCE, now=now)
    return Loaded(outcome.created, outcome.updated, outcome.unchanged, recorded.accepted, len(bounced))


def _row(person: SamplePerson) -> audience.ProfileRow:
    return audience.ProfileRow(
        external_id=person.external_id,
        email=person.email,
        phone=person.phone,
        locale=person.locale,
        country=person.country,
        zone=person.zone,
        attributes=person.attributes,
        consents=tuple((consent.channel, consent.topic, consent.state) for consent in person.consents),
    )


def _rounds(people: Iterator[SamplePerson]) -> Iterable[list[SamplePerson]]:
    while some := list(islice(people, AT_ONCE)):
        yield some


def _sum(one: Loaded, other: Loaded) -> Loaded:
    return Loaded(
        one.created + other.created,
        one.updated + other.updated,
        one.unchanged + other.unchanged,
        one.events + other.events,
        one.suppressed + other.suppressed,
    )
