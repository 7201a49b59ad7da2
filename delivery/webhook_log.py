"""What vendors' webhooks brought lately, and what was turned away and why: no addresses, no bodies, kept for some days."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet, Sum

from delivery.accounts import WebhookAccount
from delivery.adapters.base import Adapter, Webhook
from delivery.models import WebhookCall
from governance import door as governance

KEPT_FOR = timedelta(days=3)
KEPT_AT_MOST = 50_000  # calls
TOGETHER = timedelta(seconds=1)  # refused calls alike within it are one row: strangers must not fill the table
FAILS_REPEATEDLY = 3
LOOKS_BACK = timedelta(hours=1)
NO_ACCOUNT = "no route has a secret for it"
BAD_SIGNATURE = "signature missing or wrong"
STALE = "signed too long ago"
ADVICE = {
    NO_ACCOUNT: "Name the vendor’s webhook secret in a route, and have that released.",
    BAD_SIGNATURE: "Compare the route’s webhook secret with the one on the vendor’s page.",
    STALE: "The secret is right. Look at this machine’s clock first; else somebody repeats calls that were once made.",
}  # what helps against calls that are turned away
_held: dict[tuple[str, str, str], tuple[datetime, int]] = {}
_turn = threading.Lock()


def why_refused(adapter: Adapter, webhook: Webhook, accounts: Sequence[WebhookAccount]) -> str:
    """What was wrong with a call that nobody's key verifies: for the log, never for the caller."""
    if not accounts:
        return NO_ACCOUNT
    signed_at = adapter.signed_at(webhook)
    if signed_at is not None:
        then = Webhook(webhook.url, webhook.headers, webhook.body, signed_at)
        if any(adapter.verify(then, one.account) for one in accounts):
            return STALE
    return BAD_SIGNATURE


def refused(vendor: str, workspace_key: str, reason: str, *, now: datetime) -> None:
    """Note a call that was turned away. Those of one second, alike, are counted in the next row."""
    with _turn:
        last, held = _held.get((vendor, workspace_key, reason), (datetime.min.replace(tzinfo=now.tzinfo), 0))
        if timedelta() <= now - last < TOGETHER:
            _held[vendor, workspace_key, reason] = last, held + 1
            return
        if len(_held) > 1_000:
            _held.clear()
        _held[vendor, workspace_key, reason] = now, 0
    workspace = governance.Workspace.objects.filter(key=workspace_key).values_list("pk", flat=True).first() if workspace_key else None
    home = workspace if workspace is not None else governance.default_workspace().pk
    WebhookCall.objects.create(workspace_id=home, vendor=vendor, received_at=now, outcome="refused", reason=reason, calls=held + 1)


def calls(workspace_id: int, *, vendor: str = "", outcome: str = "") -> QuerySet[WebhookCall]:
    """The log of one workspace, newest first, without what waits."""
    rows = WebhookCall.objects.filter(workspace_id=workspace_id).defer("waiting").order_by("-id")
    rows = rows.filter(vendor=vendor) if vendor else rows
    if outcome == "unreadable":
        return rows.filter(unreadable__gt=0)
    return rows.filter(outcome=outcome) if outcome else rows


def failing(workspace_id: int, *, now: datetime) -> list[dict[str, Any]]:
    """Vendors whose calls were refused repeatedly in the last hour for their signature, with how often and when last."""
    rows = WebhookCall.objects.filter(workspace_id=workspace_id, outcome="refused", received_at__gt=now - LOOKS_BACK)
    alike = rows.values("vendor", "reason").annotate(many=Sum("calls"), last=Max("received_at")).order_by("-many")
    return [{**row, "advice": ADVICE.get(row["reason"], "")} for row in alike if row["many"] >= FAILS_REPEATEDLY]


def trim(*, now: datetime) -> None:
    """Forget what is old; what waits, and what nobody could draw from, stays."""
    rows = WebhookCall.objects.filter(waiting=None)
    rows.filter(received_at__lt=now - KEPT_FOR).delete()
    newest = WebhookCall.objects.order_by("-id").values_list("id", flat=True).first()
    if newest is not None:
        rows.filter(id__lte=newest - KEPT_AT_MOST).delete()
