"""The last day of delivery, cut three ways: what each vendor told us, hour by hour, and by the domains that mail went to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q, Sum

from audience import door as audience
from delivery.floors import posted_since
from delivery.heard import HOUR, HOURS, HourOf, Said, first_hour, hour_name
from delivery.models import Dispatch, Message
from delivery.states import AttemptState, MessageState

DAY = timedelta(days=1)
NEWEST = 1_000  # e-mails whose domains are looked up
LISTED = 12  # domains
TOLD = ("delivered", "opened", "clicked", "unsubscribed", "bounced", "complained")
WRONG = (AttemptState.REFUSED, AttemptState.FAILED)
REACHED = (MessageState.DELIVERED, MessageState.COMPLAINED)
HANDED = (MessageState.SENDING, MessageState.SENT, MessageState.DELIVERED, MessageState.BOUNCED, MessageState.COMPLAINED)


@dataclass(slots=True)
class Hour:
    """One hour that ends before the next begins. handed: messages in requests that went out; refused, doubt: messages in requests
    that came to nothing, or were never answered; told: events by kind that arrived in it."""

    begins: datetime
    handed: int = 0
    refused: int = 0
    doubt: int = 0
    told: Counter[str] = field(default_factory=Counter)

    @property
    def bad(self) -> int:
        """Bounces and complaints that arrived in it."""
        return self.told["bounced"] + self.told["complained"]


@dataclass(slots=True)
class Provider:
    """One domain among the newest e-mails: messages to it, and what became of them so far."""

    domain: str
    messages: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0


def by_vendor(said: Said) -> list[tuple[str, list[int], int]]:
    """Vendor, its events by kind in the order of TOLD, and how many opens and clicks were machines'; the most talkative first."""
    told: dict[str, Counter[str]] = {}
    machines = Counter[str]()
    for vendor, kind, _, machine, many in said:
        mine = told.setdefault(vendor, Counter())
        if machine and kind in ("opened", "clicked"):
            machines[vendor] += many
        else:
            mine[kind] += many
    order = sorted(told, key=lambda vendor: (-told[vendor].total(), vendor))
    return [(vendor, [told[vendor][kind] for kind in TOLD], machines[vendor]) for vendor in order]


def by_hour(workspace_id: int, said: Said, *, now: datetime) -> list[Hour]:
    """The last 24 hours, the oldest first, quiet ones included."""
    hours = {hour_name(begins): Hour(begins) for begins in (first_hour(now) + place * HOUR for place in range(HOURS))}
    posted = posted_since(workspace_id, first_hour(now)).annotate(hour=HourOf(F("posted_at")))
    counted = posted.values_list("hour").annotate(
        handed=Sum("count", filter=~Q(state__in=WRONG)),
        refused=Sum("count", filter=Q(state__in=WRONG)),
        doubt=Sum("count", filter=Q(state=AttemptState.IN_DOUBT)),
    )
    for name, handed, refused, doubt in counted.order_by():
        if name in hours:
            hours[name].handed, hours[name].refused, hours[name].doubt = handed or 0, refused or 0, doubt or 0
    for _, kind, name, _, many in said:
        if name in hours:
            hours[name].told[kind] += many
    return list(hours.values())


def by_domain(workspace_id: int, *, now: datetime) -> list[Provider]:
    """The domains of the newest e-mails of the last day, the commonest first: a look at few rows, however many were sent."""
    found: dict[str, Provider] = {}
    rows = _newest(workspace_id, now)
    people = {person.id: person for person in audience.load(workspace_id, list({profile_id for profile_id, _ in rows}))}
    for profile_id, state in rows:
        key = people[profile_id].email_key if profile_id in people else None
        if key:
            one = found.setdefault(key.rpartition("@")[2], Provider(key.rpartition("@")[2]))
            one.messages += 1
            one.delivered += state in REACHED
            one.bounced += state == MessageState.BOUNCED
            one.complained += state == MessageState.COMPLAINED
    return sorted(found.values(), key=lambda one: (-one.messages, one.domain))[:LISTED]


def _newest(workspace_id: int, now: datetime) -> list[tuple[int, int]]:
    """Person and state of the newest e-mails that were handed over, a query for each of the dispatches that the newest requests name."""
    posted = posted_since(workspace_id, now - DAY).filter(state=AttemptState.SENT).order_by("-pk")
    requests = list(posted.values_list("pk", "dispatch_id", "first_n", "last_n", "count")[:NEWEST])
    mail = _of_mail({dispatch_id for _, dispatch_id, _, _, _ in requests})
    wanted: dict[int, list[tuple[int, int, int]]] = {}
    left = NEWEST
    for pk, dispatch_id, first, last, many in requests:
        if dispatch_id in mail and left > 0:
            wanted.setdefault(dispatch_id, []).append((pk, first, last))
            left -= many
    rows: list[tuple[int, int]] = []
    for dispatch_id, mine in wanted.items():
        span = (min(first for _, first, _ in mine), max(last for _, _, last in mine))
        said = Message.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id, n__range=span, state__in=HANDED)
        said = said.filter(attempt_id__in=[pk for pk, _, _ in mine]).order_by("-n")
        rows += said.values_list("profile_id", "state")[: NEWEST - len(rows)]
    return rows


def _of_mail(dispatches: Iterable[int]) -> set[int]:
    return set(Dispatch.objects.filter(pk__in=dispatches, channel="email").values_list("pk", flat=True))
