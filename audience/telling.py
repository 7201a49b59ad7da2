"""Everything that is kept of one person, as they may ask for it: here, and in every room that keeps something under their number.

A room further down the street registers what it tells when it starts, so audience imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from pyroaring import BitMap64

from audience.consent import as_consent, consents, proof_rows
from audience.devices import devices_of
from audience.models import DeadLetter, Event, ListMember, Profile, Snapshot
from audience.other_ids import other_ids
from audience.profiles import named
from audience.records import record_rows, records_of
from audience.snapshots import snapshot_ids
from governance.door import Actor, audit

Tell = Callable[[int, Sequence[int]], dict[str, Any]]  # the workspace, the person's numbers; sections by name, fit for JSON
_ROOMS: list[Tell] = []
_FIELDS = ("external_id", "email", "phone", "country", "locale", "zone", "created_at", "updated_at")
_SAID = ("channel", "topic", "state", "source", "wording", "basis", "expires_at", "confirm_until", "at")
_ENTRY = ("number", *_SAID, "confirms")


def register_telling(tell: Tell) -> None:
    """Make known what another room keeps of people."""
    if tell not in _ROOMS:
        _ROOMS.append(tell)


def everything_of(actor: Actor, external_id: str, *, now: datetime) -> dict[str, Any]:
    """All that is kept of a person, as plain values by section; that it was asked for is audited. Raises Missing.

    Devices are told by the end of their token: the token itself opens a way to the device, and tells the person nothing.
    """
    workspace_id = actor.workspace_id
    person = named(workspace_id, external_id)
    row = Profile.objects.get(pk=person.id)
    others = other_ids(workspace_id, person.id)
    numbers = [person.id, *sorted(each.number for each in others)]
    told: dict[str, Any] = {
        "profile": {"number": row.pk, **{name: getattr(row, name) for name in _FIELDS}},
        "other_ids": [{"external_id": each.external_id, "since": each.since} for each in others],
        "attributes": row.attributes,
        "consents": [{name: getattr(each, name) for name in _SAID} for each in consents(workspace_id, person.id)],
        "consent_history": [
            {name: getattr(each, name) for name in _ENTRY}
            for each in map(as_consent, proof_rows(workspace_id, person.id).order_by("at", "pk"))
        ],
        "devices": [
            {"platform": each.platform, "ending": each.ending, "since": each.created_at, "seen_at": each.seen_at}
            for each in devices_of(workspace_id, person.id)
        ],
        "lists": list(ListMember.objects.filter(workspace_id=workspace_id, profile_id=person.id).values_list("of__key", flat=True)),
        "records": [
            {"type": each.type, "external_id": each.external_id, "roles": list(each.roles), "attributes": each.attributes}
            for each in records_of(workspace_id, person.id, list(record_rows(workspace_id, person.id).order_by("pk")))
        ],
        "segments": _segments(workspace_id, BitMap64(numbers)),
        "events": [
            {"id": each.event_id, "name": each.name, "at": each.at, "received_at": each.received_at, "properties": each.properties}
            for each in Event.objects.filter(workspace_id=workspace_id, profile_id=person.id).order_by("at", "pk").iterator()
        ],
    }
    known = [row.external_id, *(each.external_id for each in others)]
    told["not_recorded"] = [
        {"stream": each.stream, "came_at": each.entry_at, "text": each.body}
        for each in DeadLetter.objects.filter(workspace_id=workspace_id, external_id__in=known, state="waiting").order_by("pk")
    ]
    for tell in _ROOMS:
        told |= tell(workspace_id, numbers)
    audit(actor, "profile.told", subject=f"profile:{person.id}", data={}, now=now)
    return told


def _segments(workspace_id: int, numbers: BitMap64) -> list[dict[str, Any]]:
    """The segments whose newest daily snapshot holds the person."""
    newest = Snapshot.objects.filter(workspace_id=workspace_id, segment_key=OuterRef("segment_key"), day__isnull=False).order_by("-as_of")
    rows = Snapshot.objects.filter(workspace_id=workspace_id, pk=Subquery(newest.values("pk")[:1])).exclude(bitmap=b"")
    return [
        {"segment": row.segment_key, "as_of": row.as_of} for row in rows.order_by("segment_key").iterator() if snapshot_ids(row) & numbers
    ]
