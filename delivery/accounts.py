"""Whose signature a webhook may bear."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import structlog
from django.conf import settings

from delivery.adapters.base import Account
from delivery.adapters.registry import ADAPTERS
from delivery.route_document import VendorRoute
from governance import door as governance

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookAccount:
    """Who may have signed a webhook. home: the workspace that keeps what can't be matched; only: the one workspace whose
    messages this account may speak about, None: the whole installation's."""

    account: Account
    home: int
    only: int | None


def webhook_accounts(vendor: str, workspace_key: str = "") -> list[WebhookAccount]:
    """The installation's own key, then every released route's that names one.

    With a workspace key only that workspace's routes; none where there is no such workspace.
    """
    workspaces = governance.Workspace.objects.order_by("pk")
    chosen = workspaces.filter(key=workspace_key) if workspace_key else workspaces
    found = [] if workspace_key else _of_installation(vendor)
    for workspace_id in chosen.values_list("pk", flat=True):
        found += _of_routes(workspace_id, governance.epoch(workspace_id), vendor)
    return found


def _of_installation(vendor: str) -> list[WebhookAccount]:
    """SendGrid's public key may be given once for all workspaces: OMNI_SENDGRID_WEBHOOK_KEY."""
    key = settings.OMNI.sendgrid_webhook_key if vendor == "sendgrid" else ""
    if not key:
        return []
    return [WebhookAccount(Account("", {ADAPTERS[vendor].webhook_secret: key}), governance.default_workspace().pk, None)]


@lru_cache(maxsize=256)
def _of_routes(workspace_id: int, epoch: int, vendor: str) -> tuple[WebhookAccount, ...]:
    """Remembered by the epoch: releasing a route and setting a secret both move it."""
    role, greeting, found = ADAPTERS[vendor].webhook_secret, ADAPTERS[vendor].greeting_secret, []
    for released in governance.all_released(workspace_id, "vendor_route"):
        route = released.model
        if not isinstance(route, VendorRoute) or route.vendor != vendor or role not in route.secrets:
            continue
        try:
            roles = [name for name in (role, greeting) if name in route.secrets]
            secrets = {name: governance.secret(workspace_id, route.secrets[name]) for name in roles}
        except governance.Missing:
            log.warning("webhook.secret_missing", workspace=workspace_id, route=released.key)
            continue
        found.append(WebhookAccount(Account("", secrets, route.settings), workspace_id, workspace_id))
    return tuple(found)
