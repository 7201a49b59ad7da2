"""Ask vendors what they charged for messages, where their API tells: a little at a time, each message once, a day after it went.

A vendor prices a message some time after it took it; one that has no price after a day is asked about no more by itself (the command
`fetch_vendor_prices` does). Laws: at most AT_ONCE questions in any EVERY per account, whatever the number of workers; asking again
changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db.models import Q

from delivery import policies, vendor_prices
from delivery.adapters.base import Limits, VendorResponse
from delivery.connections import Connections
from delivery.floors import posted_since
from delivery.models import VendorAccount
from delivery.policies import Route
from delivery.route_document import VendorRoute
from delivery.states import AttemptState
from governance import door as governance

log = structlog.get_logger(__name__)
AT_ONCE, EVERY = 20, timedelta(seconds=10)
CONCURRENCY = 5  # connections that questions may take of those that messages need
SETTLED = timedelta(days=1)
FIRST_LOOK = timedelta(days=7)  # how far back the first look at an account goes
TROUBLED = timedelta(minutes=5)


@dataclass(slots=True)
class Fetched:
    """asked: messages; priced: of those, the ones whose price was taken over; unpriced: without one so far; foreign: priced in another
    currency than the route's, which can't be compared; stopped: why the rest was not asked about, "" where all was."""

    asked: int = 0
    priced: int = 0
    unpriced: int = 0
    foreign: int = 0
    stopped: str = ""


def fetch_next(*, vendors: Connections, now: datetime) -> int:
    """The next few questions of every account whose vendor can be asked; how many were put. Called every few seconds by workers; of
    several at once one asks."""
    asked = 0
    for workspace_id in governance.Workspace.objects.values_list("id", flat=True) if settings.OMNI.vendor != policies.OUTBOX else ():
        for route in askable(workspace_id):
            if _take_turn(workspace_id, route.key, now):
                asked += _round(workspace_id, route, vendors, now)
    return asked


class Question(NamedTuple):
    """A request whose price is asked for: whose run it was, the vendor's name for it, and when it was posted."""

    dispatch_id: int
    attempt_id: int
    vendor_id: str
    posted_at: datetime


def askable(workspace_id: int) -> tuple[Route, ...]:
    """Released routes with a price book whose vendor tells prices."""
    return _askable(workspace_id, governance.epoch(workspace_id), settings.OMNI)


@lru_cache(maxsize=256)
def _askable(workspace_id: int, epoch: int, environment: object) -> tuple[Route, ...]:
    """Remembered by the epoch: releasing a route and setting a secret both move it."""
    models: list[tuple[str, VendorRoute]] = [(view.key, view.model) for view in governance.all_released(workspace_id, "vendor_route")]
    found = [policies.named(workspace_id, key, model.channel) for key, model in models if model.price is not None]
    return tuple(route for route in found if route is not None and route.adapter.features.prices and route.account.secrets)


def fetch(workspace_id: int, route: Route, *, since: datetime, vendors: Connections, now: datetime, most: int) -> Fetched:
    """Ask about messages posted since then that have no price, the oldest first, at most so many."""
    outcome, after = Fetched(), (since, 0)
    while outcome.asked < most and not outcome.stopped:
        rows = _rows(workspace_id, route, after, now, min(AT_ONCE, most - outcome.asked))
        if not rows:
            break
        after = ask(workspace_id, route, rows, after, outcome, vendors=vendors, now=now)
        vendors.wait(AT_ONCE / 10)  # ten a second
    return outcome


def ask(
    workspace_id: int,
    route: Route,
    rows: list[Question],
    after: tuple[datetime, int],
    outcome: Fetched,
    *,
    vendors: Connections,
    now: datetime,
) -> tuple[datetime, int]:
    """Put these questions; answers how far all before it is settled."""
    requests = [route.adapter.price_question(one.vendor_id, route.account) for one in rows]
    given, prices = Limits(concurrency=CONCURRENCY), list[dict[str, int]]()
    answers = vendors.post(workspace_id, f"{route.key}#prices", requests, limits=given, now=now)
    for one, answer in zip(rows, answers, strict=True):
        if not isinstance(answer, VendorResponse) or answer.status not in (200, 404):
            outcome.stopped = answer.detail if not isinstance(answer, VendorResponse) else f"HTTP {answer.status}"
            break
        outcome.asked, after = outcome.asked + 1, (one.posted_at, one.attempt_id)
        price = route.adapter.read_price(answer)
        if price is None:
            outcome.unpriced += 1
        elif price.currency != route.currency:
            outcome.foreign += 1
        else:
            prices.append({"run": one.dispatch_id, "id": one.attempt_id, "micros": price.micros})
    outcome.priced += len(prices)
    vendor_prices.keep(workspace_id, prices)
    return after


def _round(workspace_id: int, route: Route, vendors: Connections, now: datetime) -> int:
    account = VendorAccount.objects.get(workspace_id=workspace_id, account=route.key)
    after = (account.prices_until or now - FIRST_LOOK, account.prices_until_id)
    rows = _rows(workspace_id, route, after, now - SETTLED, AT_ONCE)
    if not rows:
        return 0
    outcome = Fetched()
    until, until_id = ask(workspace_id, route, rows, after, outcome, vendors=vendors, now=now)
    values: dict[str, Any] = {"prices_until": until, "prices_until_id": until_id}
    if outcome.stopped:
        values["prices_asked_at"] = now + TROUBLED
        log.warning("prices.not_told", account=route.key, reason=outcome.stopped)
    VendorAccount.objects.filter(pk=account.pk).update(**values)
    return outcome.asked


def _rows(workspace_id: int, route: Route, after: tuple[datetime, int], before: datetime, most: int) -> list[Question]:
    mine = posted_since(workspace_id, after[0]).filter(vendor=route.adapter.key, account=route.key, state=AttemptState.SENT)
    past = Q(posted_at__gt=after[0]) | Q(posted_at=after[0], pk__gt=after[1])
    open_ones = mine.filter(past, posted_at__lte=before, reported_micros=None).exclude(vendor_id="").order_by("posted_at", "pk")
    return [Question(*row) for row in open_ones.values_list("dispatch_id", "pk", "vendor_id", "posted_at")[:most]]


def _take_turn(workspace_id: int, account: str, now: datetime) -> bool:
    VendorAccount.objects.get_or_create(workspace_id=workspace_id, account=account)
    mine = VendorAccount.objects.filter(Q(prices_asked_at=None) | Q(prices_asked_at__lte=now - EVERY), workspace_id=workspace_id)
    return bool(mine.filter(account=account).exclude(blocked_until__gt=now).update(prices_asked_at=now))
