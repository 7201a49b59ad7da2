"""The released route and policy that a dispatch goes by, ready for use. State: the witness guards it for every batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings

from delivery.adapters.base import Account, Adapter
from delivery.adapters.registry import ADAPTERS
from delivery.documents import PriceTable, SendingPolicy, VendorRoute
from governance import door as governance

DEFAULT_POLICY = SendingPolicy(title="Without a policy")
OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class Route:
    """One vendor account: how to talk to it and what it costs. per_second: recipients it may be given, None: no limit.
    seed: external id of the profile that probes go to, "" for none."""

    key: str
    channel: str
    adapter: Adapter
    account: Account = field(repr=False)
    price: PriceTable | None = None
    per_second: float | None = None
    seed: str = ""

    @property
    def currency(self) -> str:
        """ISO code, "" where the route is free."""
        return self.price.currency if self.price else ""


def route(workspace_id: int, key: str, channel: str) -> Route:
    """The route of that key, or the heaviest released one of the channel where key is "".

    With `OMNI_VENDOR=outbox` everything stays in the local mailbox, priced by the route where there is one. Raises Missing.
    """
    found = _released(workspace_id, key, channel)
    if settings.OMNI.vendor == OUTBOX:
        body = found[1] if found else None
        return Route(found[0] if found else OUTBOX, channel, ADAPTERS[OUTBOX], Account("outbox://"), body.price if body else None)
    if found is None:
        raise governance.Missing(f"a released vendor route for {channel}")
    return _ready(workspace_id, *found)


def policy(workspace_id: int, key: str) -> SendingPolicy:
    """The released policy of that key; of "": the one called "default", else manners without caps and quiet hours."""
    try:
        model: SendingPolicy = governance.released(workspace_id, "sending_policy", key or "default").model
    except governance.Missing:
        if key:
            raise
        return DEFAULT_POLICY
    return model


@lru_cache(maxsize=1024)
def at_epoch(
    workspace_id: int, route_key: str, policy_key: str, channel: str, epoch: int, environment: object
) -> tuple[Route, SendingPolicy]:
    """Both, remembered for one committed state of the workspace: an epoch is never met again with another state behind it."""
    return route(workspace_id, route_key, channel), policy(workspace_id, policy_key)


def _released(workspace_id: int, key: str, channel: str) -> tuple[str, VendorRoute] | None:
    if key:
        try:
            return key, governance.released(workspace_id, "vendor_route", key).model
        except governance.Missing:
            if settings.OMNI.vendor == OUTBOX:
                return None
            raise
    views = [view.released for view in governance.documents(workspace_id, "vendor_route") if view.released]
    routes = [(view.key, view.model) for view in views if view.model.channel == channel]
    return max(routes, key=lambda named: (named[1].weight, named[0]), default=None)


def _ready(workspace_id: int, key: str, body: VendorRoute) -> Route:
    adapter = ADAPTERS[body.vendor]
    secrets = {name: governance.secret(workspace_id, named) for name, named in body.secrets.items()}
    account = Account(_base_url(adapter, body), secrets, body.settings, settings.OMNI.public_url.rstrip("/"), _slug(workspace_id))
    return Route(key, body.channel, adapter, account, body.price, body.per_second or adapter.limits.per_second, body.seed or "")


def _base_url(adapter: Adapter, body: VendorRoute) -> str:
    """Where this account is posted to: a stand-in that the environment names, else where the vendor is."""
    url = settings.OMNI.base_urls().get(adapter.key) or adapter.home(body.settings)
    return url if adapter.key == OUTBOX else url.rstrip("/")


@lru_cache(maxsize=256)
def _slug(workspace_id: int) -> str:
    """The workspace's part of webhook addresses: "" for the default one."""
    key = governance.Workspace.objects.values_list("key", flat=True).get(pk=workspace_id)
    return "" if key == "default" else str(key)
