"""What vendors told us and nobody has drawn from yet: made durable by one insert, drawn from by workers, many calls at a time.

Laws: a call that was answered 200 is never lost, however often a worker dies over it; what takes away a permission, or asks for an
answer, has its effect before the call is answered (`AT_ONCE`); nothing is declared lost at the vendor while one of its calls waits
(see reconcile). The order in which calls are drawn from doesn't matter, and drawing twice changes nothing (see evidence).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate, takewhile
from zlib import compress, decompress

import orjson
import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Sum

from delivery import evidence, sql
from delivery.adapters.base import EventKind, Unreadable, VendorEvent
from delivery.evidence import Heard
from delivery.models import WebhookCall

AT_ONCE: frozenset[EventKind] = frozenset({"unsubscribed", "complained", "resubscribed", "asked_help"})
EVENTS_PER_ROUND = 2_000
CALLS_PER_ROUND = 500
LARGE = 1_000  # bytes: what is worth compressing
log = structlog.get_logger(__name__)


def keep(vendor: str, events: Iterable[VendorEvent | Unreadable], *, home: int, only: int | None, now: datetime) -> Heard:
    """Make one verified call durable. What came of its urgent events is in the answer; the others wait for `draw`."""
    some = list(events)
    urgent = [event for event in some if _urgent(event)]
    later = [event for event in some if not _urgent(event)]
    with transaction.atomic():
        heard = evidence.take(urgent, home=home, only=only, now=now)
        WebhookCall.objects.create(
            workspace_id=home,
            only_id=only,
            vendor=vendor,
            received_at=now,
            outcome="kept",
            events=len(some),
            unreadable=sum(isinstance(event, Unreadable) for event in some),
            new=heard.new,
            repeated=heard.duplicates,
            orphans=heard.orphans,
            waiting=_packed(later) if later else None,
            drawn_at=None if later else now,
        )
    return heard


def draw(*, now: datetime) -> int:
    """Draw from the calls that have waited longest and that no other worker has in hand; how many events. One short transaction."""
    try:
        with transaction.atomic():
            return _draw(_due(CALLS_PER_ROUND), now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # one call that nobody can draw from must not keep the others waiting
        log.exception("webhook.round_failed")
    return _one_by_one(now)


def draw_all(*, now: datetime) -> int:
    """Everything that waits and that nobody else has in hand."""
    drawn = 0
    while some := draw(now=now):
        drawn += some
    return drawn


def anything_waits(vendor: str) -> bool:
    """Whether a call of this vendor was answered and not drawn from yet: here, in another worker's open transaction, or because
    nobody could."""
    return WebhookCall.objects.filter(waiting__isnull=False, vendor=vendor).exists()


def events_waiting(workspace_id: int | None = None) -> int:
    """How many events of vendors wait to be drawn from; those that could be about any workspace are counted for each."""
    waiting = WebhookCall.objects.filter(waiting__isnull=False, outcome="kept")
    if workspace_id is not None:
        waiting = waiting.filter(workspace_id=workspace_id) | waiting.filter(only_id=None)
    return waiting.aggregate(events=Sum("events"))["events"] or 0


def _urgent(event: VendorEvent | Unreadable) -> bool:
    return isinstance(event, VendorEvent) and (event.kind in AT_ONCE or event.permanent or bool(event.address))


def _due(at_most: int) -> list[WebhookCall]:
    """The oldest that nobody holds: so many that a round's events are about `EVENTS_PER_ROUND`."""
    rows = WebhookCall.objects.filter(waiting__isnull=False, outcome="kept").order_by("id")
    sizes = list(rows.values_list("events", flat=True)[:at_most])
    if not sizes:
        return []
    many = sum(1 for _ in takewhile(lambda events: events < EVENTS_PER_ROUND, accumulate(sizes))) + 1
    return list(rows.select_for_update(skip_locked=True, of=("self",))[: min(many, at_most)])


def _draw(calls: Sequence[WebhookCall], now: datetime) -> int:
    """Together what the same account may have said. The earliest arrival counts for all: a later one would prove more than it can."""
    together: dict[tuple[int, int | None], list[WebhookCall]] = defaultdict(list)
    for call in calls:
        together[call.workspace_id, call.only_id].append(call)
    for (home, only), some in together.items():
        events = [event for call in some for event in _unpacked(bytes(call.waiting or b""))]
        heard = evidence.take(events, home=home, only=only, now=min(call.received_at for call in some))
        first = some[0]
        first.new, first.repeated, first.orphans = first.new + heard.new, first.repeated + heard.duplicates, first.orphans + heard.orphans
        first.save(update_fields=["new", "repeated", "orphans"])
    if calls:
        statement = f"UPDATE delivery_webhookcall SET waiting = NULL, drawn_at = %s WHERE {sql.among('id')}"
        sql.run(statement, [sql.moment(now), sql.numbers(call.pk for call in calls)])
    return sum(call.events for call in calls)


def _one_by_one(now: datetime) -> int:
    """The calls of a round that failed, each for itself. One that fails again stays, marked, for a person."""
    drawn = 0
    for _ in range(CALLS_PER_ROUND):
        place = None
        try:
            with transaction.atomic():
                calls = _due(1)
                place = calls[0].pk if calls else None
                drawn += _draw(calls, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as fault:
            log.exception("webhook.stuck", call=place)
            WebhookCall.objects.filter(pk=place or 0).update(outcome="stuck", reason=type(fault).__name__[:120])
        if place is None or drawn >= EVENTS_PER_ROUND:
            break
    return drawn


def _packed(events: Sequence[VendorEvent | Unreadable]) -> bytes:
    rows = [["u", each.vendor, each.reason, each.raw] if isinstance(each, Unreadable) else _fields(each) for each in events]
    try:
        raw = orjson.dumps(rows)
    except TypeError:  # half a character, which no database stores either
        raw = orjson.dumps([[each.encode("utf-8", "replace").decode() if isinstance(each, str) else each for each in row] for row in rows])
    return b"z" + compress(raw, 1) if len(raw) > LARGE else b"j" + raw


def _fields(event: VendorEvent) -> list[object]:
    return ["e", *(getattr(event, name) for name in _FIELDS)]


def _unpacked(packed: bytes) -> list[VendorEvent | Unreadable]:
    raw = decompress(packed[1:]) if packed[:1] == b"z" else packed[1:]
    return [Unreadable(*each[1:]) if each[0] == "u" else _event(each) for each in orjson.loads(raw)]


def _event(fields: list[object]) -> VendorEvent:
    given = dict(zip(_FIELDS, fields[1:], strict=True))
    return VendorEvent(**{**given, "at": datetime.fromisoformat(str(given["at"]))})  # type: ignore[arg-type]


_FIELDS = (
    "vendor",
    "event_id",
    "message_id",
    "kind",
    "at",
    "machine",
    "permanent",
    "detail",
    "url_k",
    "everything",
    "vendor_id",
    "channel",
)
