"""Whose click, whose open was it? What comes soon after sending waits a little, because a scanner shows only by what it does next.

Law: within the first minutes a click or an open counts as a person's only when nothing about it says that no hand was quick enough:
three links of the message within ten seconds or two within two; a click within a second of the picture, or within three seconds of
the mail's leaving or arriving; a picture fetched around such a click. Each is settled once, whoever comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from delivery import conclusions, sql
from delivery.adapters import base
from delivery.adapters.incoming import EventKind
from delivery.conclusions import Told
from delivery.models import Attempt, Dispatch, Message, VendorEvent

BURST_WITHIN = timedelta(seconds=10)
BURST_LINKS = 3
TWO_LINKS_WITHIN = timedelta(seconds=2)
CLICK_AFTER_LOOK = timedelta(seconds=1)
FASTER_THAN_PEOPLE = timedelta(seconds=3)  # after the mail left, or arrived
AT_ONCE, ROUNDS = 2_000, 10
DECIDED: Mapping[str, EventKind] = {"clicking": "clicked", "opening": "opened"}

Place = tuple[int, int]  # dispatch, n
Touch = tuple[datetime, int | None, int]  # when, which link, its row


@dataclass(slots=True)
class Touches:
    """What happened to one message: when it left or arrived, and who fetched what of it."""

    arrived: list[datetime] = field(default_factory=list)
    clicks: list[Touch] = field(default_factory=list)
    looks: list[Touch] = field(default_factory=list)


def settle(*, now: datetime) -> int:
    """Decide about the clicks and opens that have waited long enough, at most 20,000 at a time; how many were settled."""
    settled = 0
    for _ in range(ROUNDS):
        some = _settle_some(now)
        settled += some
        if some < AT_ONCE:
            break
    return settled


def _settle_some(now: datetime) -> int:
    waiting = VendorEvent.objects.filter(kind__in=list(DECIDED), received_at__lte=now - BURST_WITHIN)
    if not waiting.exists():
        return 0
    with transaction.atomic():
        due = list(waiting.order_by("received_at").select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
        by_machine = _by_machine({(row.dispatch_id, row.n) for row in due if row.dispatch_id and row.n is not None})
        dispatches = sql.numbers({row.dispatch_id for row in due})
        together: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for row in due:
            row.kind, row.machine = DECIDED[row.kind], row.pk in by_machine
            together[row.kind, row.machine].append(row.pk)
        for (kind, machine), ids in sorted(together.items()):
            statement = f"UPDATE delivery_vendorevent SET kind = %s, machine = %s WHERE {sql.among('dispatch_id')} AND {sql.among('id')}"
            sql.run(statement, [kind, machine, dispatches, sql.numbers(ids)])
        conclusions.draw(_told(due), now=now)
    return len(due)


def _by_machine(places: set[Place]) -> set[int]:
    """Rows of these messages' clicks and opens that no hand made."""
    touched: dict[Place, Touches] = defaultdict(Touches)
    kinds = ("clicking", "clicked", "opening", "opened", "delivered")
    some = VendorEvent.objects.filter(kind__in=kinds, dispatch_id__in={dispatch_id for dispatch_id, _ in places})
    for dispatch_id, n, kind, at, link, pk in some.filter(n__in={n for _, n in places}).values_list(
        "dispatch_id", "n", "kind", "at", "link", "pk"
    ):
        if n is not None and (dispatch_id, n) in places:
            of = touched[dispatch_id, n]
            of.arrived += [at] if kind == "delivered" else []
            of.clicks += [(at, link, pk)] if kind in ("clicking", "clicked") else []
            of.looks += [(at, None, pk)] if kind in ("opening", "opened") else []
    for place, at in _left(places).items():
        touched[place].arrived.append(at)
    return {pk for place in places for pk in _machines(touched[place])}


def _left(places: set[Place]) -> dict[Place, datetime]:
    """When each of these messages was posted."""
    attempts: dict[int, list[Place]] = defaultdict(list)
    for dispatch_id in {dispatch_id for dispatch_id, _ in places}:
        ns = {n for place, n in places if place == dispatch_id}
        for n, attempt_id in Message.objects.filter(dispatch_id=dispatch_id, n__in=ns).values_list("n", "attempt_id"):
            attempts[attempt_id].append((dispatch_id, n))
    asked = Attempt.objects.filter(dispatch_id__in={dispatch_id for dispatch_id, _ in places}, pk__in=set(attempts) - {0})
    posted = asked.values_list("pk", "posted_at")
    return {place: at for pk, at in posted for place in attempts[pk]}


def _machines(touches: Touches) -> set[int]:
    """Of one message's clicks and opens those of software."""
    clicks = sorted(touches.clicks)
    found = _within(clicks, BURST_WITHIN, BURST_LINKS) | _within(clicks, TWO_LINKS_WITHIN, 2)
    first_look = min((at for at, _, _ in touches.looks), default=None)
    for at, _, pk in clicks:
        at_once = first_look is not None and abs(at - first_look) < CLICK_AFTER_LOOK
        if at_once or any(timedelta() <= at - arrived < FASTER_THAN_PEOPLE for arrived in touches.arrived):
            found.add(pk)
    scans = [at for at, _, pk in clicks if pk in found]
    return found | {pk for at, _, pk in touches.looks if any(abs(at - scan) <= BURST_WITHIN for scan in scans)}


def _within(clicks: Sequence[Touch], span: timedelta, links: int) -> set[int]:
    """Those of the clicks (in order of time) that lie within a span in which so many different links were followed."""
    found: set[int] = set()
    for start, (since, _, _) in enumerate(clicks):
        window = [click for click in clicks[start:] if click[0] - since <= span]
        if len({link for _, link, _ in window}) >= links:
            found.update(pk for _, _, pk in window)
    return found


def _told(rows: Sequence[VendorEvent]) -> list[Told]:
    """What was settled as news about the messages; what the request could prove was proven when the click came."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        if row.dispatch_id and row.n is not None:
            wanted[row.dispatch_id].add(row.n)
    dispatches = Dispatch.objects.in_bulk(wanted)
    messages = {
        (dispatch_id, message.n): message
        for dispatch_id, ns in wanted.items()
        for message in Message.objects.filter(dispatch_id=dispatch_id, n__in=ns)
    }
    told = []
    for row in rows:
        dispatch, message = dispatches.get(row.dispatch_id), messages.get((row.dispatch_id, -1 if row.n is None else row.n))
        if dispatch is not None and message is not None:
            kind = DECIDED.get(row.kind, row.kind)
            event = base.VendorEvent(row.vendor, row.event_id, "", kind, row.at, machine=row.machine, url_k=row.link)  # type: ignore[arg-type]
            told.append(_about(event, dispatch, message))
    return told


def _about(event: base.VendorEvent, dispatch: Dispatch, message: Message) -> Told:
    place = (message.dispatch_id, message.n, dispatch.workspace_id, dispatch.channel, dispatch.topic, dispatch.key)
    return Told(event, *place, message.profile_id, message.address_hash, message.state, None)
