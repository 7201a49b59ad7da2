"""The released routes and the policy that a dispatch goes by, ready for use. State: the witness guards it for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import chain

import structlog
from django.conf import settings

from delivery.adapters.base import Account, Adapter
from delivery.adapters.registry import ADAPTERS
from delivery.policy_document import SendingPolicy
from delivery.prices import Prices
from delivery.quotas import Limit, warm_up
from delivery.route_document import VendorRoute, WarmUp
from governance import door as governance

log = structlog.get_logger(__name__)
DEFAULT_POLICY = SendingPolicy(title="Without a policy")
OUTBOX = "outbox"
SEVERAL = "several"  # no vendor's name: a dispatch that several routes carry


@dataclass(frozen=True, slots=True)
class Route:
    """One vendor account: how to talk to it, whom it serves, how much it may be given and what it costs.

    limits: those of every day; warm_up: its first day and what each day may see. reserved: the part of its quotas that campaigns
    leave to transactional messages. countries: the only ones that it serves, none: all. weight, share, stands_in: see `routing`.
    seed: external id of the profile that probes go to, "" for none.
    """

    key: str
    channel: str
    adapter: Adapter
    account: Account = field(repr=False)
    prices: Prices = field(default_factory=Prices)
    limits: tuple[Limit, ...] = ()
    reserved: float = 0.0
    warm_up: WarmUp | None = None
    seed: str = ""
    countries: frozenset[str] = frozenset()
    weight: int = 0
    share: int = 100
    stands_in: bool = False

    @property
    def currency(self) -> str:
        """ISO code, "" where the route is free."""
        return self.prices.currency

    def limits_on(self, day: date) -> tuple[Limit, ...]:
        """With the warm-up's, if that day is one of its days."""
        todays = warm_up(self.warm_up.began, self.warm_up.days, day) if self.warm_up else None
        return (*self.limits, todays) if todays else self.limits


def routes(workspace_id: int, key: str, channel: str) -> tuple[Route, ...]:
    """The route of that key alone, or all released ones that may carry the channel's traffic where key is "": the most preferred
    first. Those without a share in it (less preferred, and not standing in for others) are left out, as are those in another currency
    than the first.

    With `OMNI_VENDOR=outbox` everything stays in the local mailbox, priced by the first route where there is one. Raises Missing.
    """
    return _routes_at(workspace_id, key, channel, governance.epoch(workspace_id), settings.OMNI)


@lru_cache(maxsize=1024)
def _routes_at(workspace_id: int, key: str, channel: str, epoch: int, environment: object) -> tuple[Route, ...]:
    """Remembered for one committed state of the workspace: an epoch is never met again with another state behind it."""
    found = _released(workspace_id, key, channel)
    if settings.OMNI.vendor == OUTBOX:
        name, prices = (found[0][0], price_book(found[0][1])) if found else (OUTBOX, Prices())
        return (Route(name, channel, ADAPTERS[OUTBOX], Account("outbox://"), prices),)
    if not found:
        raise governance.Missing(f"a released vendor route for {channel}")
    currency = price_book(found[0][1]).currency
    together = [named for named in found if price_book(named[1]).currency in ("", currency) or not currency]
    ready = [_ready(workspace_id, *together[0])]
    for key_, body in together[1:]:
        try:
            ready.append(_ready(workspace_id, key_, body))
        except governance.Missing as missing:
            log.warning("route.not_ready", workspace=workspace_id, route=key_, missing=missing.reason)
    return tuple(ready)


def route(workspace_id: int, key: str, channel: str) -> Route:
    """The first of `routes`: the one of that key, or the most preferred. Raises Missing."""
    return routes(workspace_id, key, channel)[0]


def push_platforms(workspace_id: int) -> frozenset[str]:
    """The kinds of device that a push message may go to now, by the vendors of the released routes; all of them in the outbox."""
    if settings.OMNI.vendor == OUTBOX:
        return ADAPTERS[OUTBOX].platforms
    return frozenset(chain.from_iterable(written_by(body) for _, body in _released(workspace_id, "", "push")))


def written_by(body: VendorRoute) -> frozenset[str]:
    """The kinds of device that a push route's vendor writes to; none on other channels."""
    return ADAPTERS[body.vendor].platforms if body.channel == "push" and body.vendor in ADAPTERS else frozenset()


def carriers(routes: Sequence[Route]) -> tuple[str, str]:
    """The vendor and the account that a dispatch is said to go by: of several, no single one."""
    return (routes[0].adapter.key, routes[0].key) if len(routes) == 1 else (SEVERAL, SEVERAL)


def policy(workspace_id: int, key: str) -> SendingPolicy:
    """The released policy of that key; of "": the one called "default", else manners without caps and quiet hours.

    Raises Missing for a key that isn't released, and where "default" was recalled: nothing is sent without the manners that were
    meant for it.
    """
    try:
        model: SendingPolicy = governance.released(workspace_id, "sending_policy", key or "default").model
    except governance.Missing:
        if key or _default_was_recalled(workspace_id, governance.epoch(workspace_id)):
            raise
        return DEFAULT_POLICY
    return model


@lru_cache(maxsize=256)
def _default_was_recalled(workspace_id: int, epoch: int) -> bool:
    return any(view.recalled_at for view in governance.revisions(workspace_id, "sending_policy", "default"))


@lru_cache(maxsize=1024)
def at_epoch(
    workspace_id: int, route_key: str, policy_key: str, channel: str, epoch: int, environment: object
) -> tuple[tuple[Route, ...], SendingPolicy]:
    """Both, remembered for one committed state of the workspace: an epoch is never met again with another state behind it."""
    return _routes_at(workspace_id, route_key, channel, epoch, environment), policy(workspace_id, policy_key)


def named(workspace_id: int, key: str, channel: str) -> Route | None:
    """The released route of that key and channel, if there is one that is ready."""
    try:
        return routes(workspace_id, key, channel)[0]
    except governance.Missing:
        return None


def _released(workspace_id: int, key: str, channel: str) -> list[tuple[str, VendorRoute]]:
    if key:
        try:
            return [(key, governance.released(workspace_id, "vendor_route", key).model)]
        except governance.Missing:
            if settings.OMNI.vendor == OUTBOX:
                return []
            raise
    views = governance.all_released(workspace_id, "vendor_route")
    found = [(view.key, view.model) for view in views if view.model.channel == channel]
    found.sort(key=lambda one: (-one[1].weight, one[0]))
    models = [model for _, model in found]
    return [one for one in found if one[1].countries or one[1].stands_in or not _outweighed(one[1], models)]


def _outweighed(body: VendorRoute, beside: Sequence[VendorRoute]) -> bool:
    """Whether a preferred route of every country does all that this one could. Push vendors for other devices don't."""
    mine = written_by(body)
    return any(other.weight > body.weight and not other.countries and mine <= written_by(other) for other in beside)


def _ready(workspace_id: int, key: str, body: VendorRoute) -> Route:
    adapter = ADAPTERS[body.vendor]
    secrets = {name: governance.secret(workspace_id, named) for name, named in body.secrets.items()}
    account = Account(_base_url(adapter, body), secrets, body.settings, settings.OMNI.public_url.rstrip("/"), _slug(workspace_id))
    speed = body.per_second or adapter.limits.per_second
    return Route(
        key,
        body.channel,
        adapter,
        account,
        price_book(body),
        (*([Limit(speed, "second")] if speed else []), *quotas_of(body)),
        body.reserved,
        body.warm_up,
        body.seed or "",
        frozenset(body.countries),
        body.weight,
        body.share,
        body.stands_in,
    )


def quotas_of(body: VendorRoute) -> list[Limit]:
    """Its further limits, beside its speed."""
    return [Limit(quota.count, quota.per, quota.of, frozenset(quota.domains)) for quota in body.quotas]


def price_book(body: VendorRoute) -> Prices:
    """Its prices by day."""
    return Prices(body.price, tuple((later.starts, later.price) for later in body.later_prices))


def _base_url(adapter: Adapter, body: VendorRoute) -> str:
    """Where this account is posted to: a stand-in that the environment names, else where the vendor is."""
    url = settings.OMNI.base_urls().get(adapter.key) or adapter.home(body.settings)
    return url if adapter.key == OUTBOX else url.rstrip("/")


@lru_cache(maxsize=256)
def _slug(workspace_id: int) -> str:
    """The workspace's part of webhook addresses: "" for the default one."""
    key = governance.Workspace.objects.values_list("key", flat=True).get(pk=workspace_id)
    return "" if key == "default" else str(key)
