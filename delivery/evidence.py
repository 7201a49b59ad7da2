"""What vendors say and what people do with a message, written down once.

Laws: the same event has one effect however often and in whatever order it arrives; what can't be matched to a message of
ours changes nothing but its own row. The event and everything concluded from it are one transaction, so an answer of 200
means that all of it is kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import orjson
from django.db import transaction

from delivery import conclusions, sql
from delivery.adapters.base import Unreadable, VendorEvent
from delivery.conclusions import Asked, Told
from delivery.message_ids import MessageKey, read_message_id
from delivery.models import NAMED_BY_VENDOR, Attempt, Dispatch

EVENTS_PER_TRANSACTION = 1_000
UNREADABLE = "unreadable"  # the kind of a dead letter
UNKNOWN = 0  # the dispatch of an event about nothing that is known


@dataclass(slots=True)
class Heard:
    """What one round came to, in events. kinds: of the new ones. wishes: what people wrote that changed something."""

    new: int = 0
    duplicates: int = 0
    orphans: int = 0
    unreadable: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    wishes: list[VendorEvent] = field(default_factory=list)

    def add(self, other: Heard) -> None:
        """Sum up."""
        self.new, self.duplicates = self.new + other.new, self.duplicates + other.duplicates
        self.orphans, self.unreadable = self.orphans + other.orphans, self.unreadable + other.unreadable
        self.kinds += other.kinds
        self.wishes += other.wishes


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
        heeded = conclusions.heed(home, sorted(wishes, key=lambda event: event.at), now=now)
    conclusions.note_accounts(new, now=now)
    repeated = len(events) - len(new) - len(orphans) - len(unreadable)
    return Heard(len(new), repeated, len(orphans), len(unreadable), Counter(one.event.kind for one in new), heeded)


def _match(events: Sequence[VendorEvent], only: int | None) -> tuple[list[Told], list[VendorEvent]]:
    """Which message each event is about; the rest are orphans."""
    known = _keys_by_vendor_id(events, only)
    keys = [read_message_id(event.message_id) or known.get((event.vendor, event.vendor_id)) for event in events]
    wanted: dict[int, set[int]] = defaultdict(set)
    for key in keys:
        if key is not None:
            wanted[key.dispatch_id].add(key.n)
    dispatches = {
        row[0]: row[1:]
        for row in Dispatch.objects.filter(pk__in=wanted, archived_at=None).values_list("id", "workspace_id", "channel", "topic", "key")
    }
    messages = {(dispatch_id, row[0]): row[1:] for dispatch_id in dispatches for row in _messages(dispatch_id, wanted[dispatch_id])}
    requests = _requests(dispatches, {row[1] for row in messages.values()} - {0})
    told, orphans = [], []
    for event, key in zip(events, keys, strict=True):
        message = messages.get((key.dispatch_id, key.n)) if key is not None else None
        if key is None or message is None or only not in (None, dispatches[key.dispatch_id][0]):
            orphans.append(event)
        else:
            profile_id, attempt_id, address_hash, state = message
            facts = (*dispatches[key.dispatch_id], profile_id, address_hash, state, requests.get(attempt_id))
            told.append(Told(event, key.dispatch_id, key.n, *facts))
    return _about_our_requests(told, orphans)


def _keys_by_vendor_id(events: Sequence[VendorEvent], only: int | None) -> dict[tuple[str, str], MessageKey]:
    """Messages that events name by the vendor's own id alone, where the vendor brings back none of ours and takes one at a time."""
    named = {event.vendor_id for event in events if event.vendor in NAMED_BY_VENDOR and event.vendor_id and not event.message_id}
    if not named or only is None:
        return {}
    found = Attempt.objects.filter(workspace_id=only, vendor__in=NAMED_BY_VENDOR, vendor_id__in=named, count=1)
    rows = found.values_list("vendor", "vendor_id", "dispatch_id", "first_n")
    return {(vendor, vendor_id): MessageKey(dispatch_id, n) for vendor, vendor_id, dispatch_id, n in rows}


def _messages(dispatch_id: int, ns: Iterable[int]) -> list[tuple[int, ...]]:
    return sql.rows(
        f"SELECT n, profile_id, attempt_id, address_hash, state FROM delivery_message WHERE dispatch_id = %s AND {sql.among('n')}",
        [dispatch_id, sql.numbers(ns)],
    )


def _requests(dispatch_ids: Iterable[int], attempt_ids: set[int]) -> dict[int, Asked]:
    columns = ("id", "vendor_id", "state", "heard_at", "account")
    found = Attempt.objects.filter(dispatch_id__in=list(dispatch_ids), pk__in=attempt_ids)
    return {row[0]: Asked(*row) for row in found.values_list(*columns)}


def _about_our_requests(told: list[Told], orphans: list[VendorEvent]) -> tuple[list[Told], list[VendorEvent]]:
    """Where the vendor's own id must agree with what it answered: an event about somebody else's request is an orphan."""
    strange = {one.event.vendor_id for one in told if one.event.vendor_id and not _named_by(one)}
    if not strange:
        return told, orphans
    earlier = _requests_called(strange, {one.dispatch_id for one in told})
    kept: list[Told] = []
    foreign: list[Told] = []
    for one in told:
        said = one.event.vendor_id
        speaks = said not in strange or any(
            (dispatch_id, vendor_id) == (one.dispatch_id, said) and first <= one.n <= last
            for dispatch_id, vendor_id, first, last in earlier
        )
        (kept if speaks else foreign).append(one)
    return kept, orphans + [one.event for one in foreign]


def _named_by(one: Told) -> bool:
    """Whether the request's own answer named this id, or is not known and may have."""
    return one.request is not None and one.request.vendor_id in ("", one.event.vendor_id)


def _requests_called(vendor_ids: set[str], dispatch_ids: set[int]) -> set[tuple[int, str, int, int]]:
    """Requests of these dispatches by the vendor's id, with the messages they carried: an earlier attempt speaks for its messages, too."""
    found = Attempt.objects.filter(dispatch_id__in=dispatch_ids, vendor_id__in=vendor_ids)
    return set(found.values_list("dispatch_id", "vendor_id", "first_n", "last_n"))


def _keep(
    told: Sequence[Told], orphans: Sequence[VendorEvent], unreadable: Sequence[Unreadable], home: int, now: datetime
) -> set[tuple[int, str, str]]:
    """Insert the rows that are new, sorted so that two writers never wait for each other in a circle; answers their keys."""
    moments = {at: str(sql.moment(at)) for at in {now, *(one.event.at for one in told), *(event.at for event in orphans)}}
    rows = [_row(one.workspace_id, one.event, one.dispatch_id, one.n, moments, moments[now]) for one in told]
    rows += [_row(home, event, UNKNOWN, None, moments, moments[now]) for event in orphans]
    rows += [_dead_letter(home, event, moments[now]) for event in unreadable]
    if not rows:
        return set()
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    statement = _KEEP_ON_POSTGRES if sql.on_postgres() else _KEEP_ON_SQLITE
    return {(row[0], row[1], row[2]) for row in sql.rows(statement, [orjson.dumps(rows).decode()])}


# workspace, vendor, event id, kind, dispatch, n, at, received at, machine, permanent, link, detail
Row = tuple[int, str, str, str, int, int | None, str, str, bool, bool, int | None, str]
_COLUMNS = "workspace_id, vendor, event_id, kind, dispatch_id, n, at, received_at, machine, permanent, link, detail"
_TYPES = ("bigint", "text", "text", "text", "bigint", "bigint", "timestamptz", "timestamptz", "boolean", "boolean", "int", "text")
_ONCE = "ON CONFLICT (workspace_id, vendor, event_id, dispatch_id) DO NOTHING RETURNING workspace_id, vendor, event_id"
# One parameter for all rows: a thousand rows of twelve placeholders cost more to take apart than to insert.
_KEEP_ON_POSTGRES = f"""INSERT INTO delivery_vendorevent ({_COLUMNS})
    SELECT {", ".join(f"(given ->> {at})::{kind}" for at, kind in enumerate(_TYPES))} FROM json_array_elements(%s::json) AS given {_ONCE}"""
_KEEP_ON_SQLITE = f"""INSERT INTO delivery_vendorevent ({_COLUMNS})
    SELECT {", ".join(f"json_extract(value, '$[{at}]')" for at in range(len(_TYPES)))} FROM json_each(%s) WHERE true {_ONCE}"""


def _row(workspace_id: int, event: VendorEvent, dispatch_id: int, n: int | None, moments: Mapping[datetime, str], received_at: str) -> Row:
    marks = (event.machine, event.permanent, event.url_k, _line(event.detail))
    return (workspace_id, event.vendor, event.event_id, event.kind, dispatch_id, n, moments[event.at], received_at, *marks)


def _dead_letter(workspace_id: int, event: Unreadable, at: str) -> Row:
    """An event nobody could read, kept for a person; the same text is kept once."""
    name = f"{UNREADABLE}:{sha256(event.raw.encode('utf-8', 'replace')).hexdigest()[:40]}"
    return (workspace_id, event.vendor, name, UNREADABLE, UNKNOWN, None, at, at, False, False, None, _line(f"{event.reason} | {event.raw}"))


def _line(text: str) -> str:
    """At most 300 characters that every database stores."""
    return text[:300] if text.isprintable() else "".join(char if char.isprintable() else " " for char in text[:300])
