"""What vendors say and what people do with a message, written down once.

Laws: the same event has one effect however often and in whatever order it arrives; what can't be matched to a message of
ours changes nothing but its own row. The event and everything concluded from it are one transaction, so an answer of 200
means that all of it is kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from delivery import conclusions, sql
from delivery.adapters.base import Unreadable, VendorEvent
from delivery.conclusions import Told
from delivery.message_ids import read_message_id
from delivery.models import Attempt, Dispatch, Message

EVENTS_PER_TRANSACTION = 1_000
UNREADABLE = "unreadable"  # the kind of a dead letter


@dataclass(slots=True)
class Heard:
    """What one round came to, in events. kinds: of the new ones."""

    new: int = 0
    duplicates: int = 0
    orphans: int = 0
    unreadable: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, other: Heard) -> None:
        """Sum up."""
        self.new, self.duplicates = self.new + other.new, self.duplicates + other.duplicates
        self.orphans, self.unreadable = self.orphans + other.orphans, self.unreadable + other.unreadable
        self.kinds += other.kinds


def take(events: Iterable[VendorEvent | Unreadable], *, home: int, only: int | None = None, now: datetime) -> Heard:
    """Keep these events and everything that follows from them.

    home: the workspace that keeps what can't be matched. only: the workspace whose account this is, where it has one of its
    own: another workspace's messages are then unknown to it.
    """
    heard = Heard()
    some: list[VendorEvent | Unreadable] = []
    for event in events:
        some.append(event)
        if len(some) == EVENTS_PER_TRANSACTION:
            heard.add(_take(some, home, only, now))
            some = []
    if some:
        heard.add(_take(some, home, only, now))
    return heard


def _take(events: Sequence[VendorEvent | Unreadable], home: int, only: int | None, now: datetime) -> Heard:
    readable = {(event.vendor, event.event_id): event for event in reversed(events) if isinstance(event, VendorEvent)}
    unreadable = [event for event in events if isinstance(event, Unreadable)]
    with transaction.atomic():
        told, orphans = _match(list(readable.values()), only)
        fresh = _keep(told, orphans, unreadable, home, now)
        new = [one for one in told if (one.workspace_id, one.event.vendor, one.event.event_id) in fresh]
        conclusions.draw(new, now=now)
        wishes = [event for event in orphans if event.address and (home, event.vendor, event.event_id) in fresh]
        conclusions.heed(home, sorted(wishes, key=lambda event: event.at), now=now)
    repeated = len(events) - len(new) - len(orphans) - len(unreadable)
    return Heard(len(new), repeated, len(orphans), len(unreadable), Counter(one.event.kind for one in new))


def _match(events: Sequence[VendorEvent], only: int | None) -> tuple[list[Told], list[VendorEvent]]:
    """Which message each event is about; the rest are orphans."""
    keys = [read_message_id(event.message_id) for event in events]
    wanted: dict[int, set[int]] = defaultdict(set)
    for key in keys:
        if key is not None:
            wanted[key.dispatch_id].add(key.n)
    dispatches = {
        row[0]: row[1:] for row in Dispatch.objects.filter(pk__in=wanted).values_list("id", "workspace_id", "channel", "topic", "key")
    }
    columns = ("n", "profile_id", "attempt_id", "address_hash", "state")
    messages = {
        (dispatch_id, row[0]): row[1:]
        for dispatch_id in dispatches
        for row in Message.objects.filter(dispatch_id=dispatch_id, n__in=wanted[dispatch_id]).values_list(*columns)
    }
    told, orphans = [], []
    for event, key in zip(events, keys, strict=True):
        message = messages.get((key.dispatch_id, key.n)) if key is not None else None
        if key is None or message is None or only not in (None, dispatches[key.dispatch_id][0]):
            orphans.append(event)
        else:
            told.append(Told(event, key.dispatch_id, key.n, *dispatches[key.dispatch_id], *message))
    return _about_our_requests(told, orphans)


def _about_our_requests(told: list[Told], orphans: list[VendorEvent]) -> tuple[list[Told], list[VendorEvent]]:
    """Where the vendor's own id must agree with what it answered: an event about somebody else's request is an orphan."""
    named = {one.attempt_id for one in told if one.event.vendor_id}
    if not named:
        return told, orphans
    answered = dict(Attempt.objects.filter(pk__in=named).values_list("id", "vendor_id"))
    strange = {one.event.vendor_id for one in told if answered.get(one.attempt_id) not in ("", one.event.vendor_id)}
    mine = Attempt.objects.filter(dispatch_id__in={one.dispatch_id for one in told}, vendor_id__in=strange) if strange else ()
    strange -= {attempt.vendor_id for attempt in mine}  # an earlier attempt of the same message speaks for it, too
    kept = [one for one in told if not one.event.vendor_id or one.event.vendor_id not in strange]
    return kept, orphans + [one.event for one in told if one.event.vendor_id and one.event.vendor_id in strange]


def _keep(
    told: Sequence[Told], orphans: Sequence[VendorEvent], unreadable: Sequence[Unreadable], home: int, now: datetime
) -> set[tuple[int, str, str]]:
    """Insert the rows that are new, sorted so that two writers never wait for each other in a circle; answers their keys."""
    rows = [_row(one.workspace_id, one.event, one.dispatch_id, one.n, now) for one in told]
    rows += [_row(home, event, None, None, now) for event in orphans]
    rows += [_dead_letter(home, event, now) for event in unreadable]
    if not rows:
        return set()
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    places = ", ".join(["(" + ", ".join(["%s"] * len(rows[0])) + ")"] * len(rows))
    kept = sql.rows(
        "INSERT INTO delivery_vendorevent (workspace_id, vendor, event_id, kind, dispatch_id, n, at, received_at, machine, permanent, "
        f"link, detail) VALUES {places} ON CONFLICT (workspace_id, vendor, event_id) DO NOTHING RETURNING workspace_id, vendor, event_id",
        [value for row in rows for value in row],
    )
    return {(row[0], row[1], row[2]) for row in kept}


Row = tuple[int, str, str, str, int | None, int | None, object, object, bool, bool, int | None, str]


def _row(workspace_id: int, event: VendorEvent, dispatch_id: int | None, n: int | None, now: datetime) -> Row:
    at, received_at = sql.moment(event.at), sql.moment(now)
    marks = (event.machine, event.permanent, event.url_k, event.detail[:300])
    return (workspace_id, event.vendor, event.event_id, event.kind, dispatch_id, n, at, received_at, *marks)


def _dead_letter(workspace_id: int, event: Unreadable, now: datetime) -> Row:
    """An event nobody could read, kept for a person; the same text is kept once."""
    name = f"{UNREADABLE}:{sha256(event.raw.encode('utf-8', 'replace')).hexdigest()[:40]}"
    at = sql.moment(now)
    return (workspace_id, event.vendor, name, UNREADABLE, None, None, at, at, False, False, None, f"{event.reason} | {event.raw}"[:300])
