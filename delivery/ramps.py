"""Open the waves of a ramp: each one after the one before it has been sent, has soaked, was reported on, and has harmed nobody.

What is sent in one wave, or is in its last, is looked at as well, less often: it halts all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from delivery import baselines, policies
from delivery.accounts import webhook_accounts
from delivery.adapters.registry import ADAPTERS
from delivery.counts import Counts, count
from delivery.halts import halt
from delivery.models import Batch, Dispatch, VendorEvent
from delivery.policy_document import Halt
from delivery.states import DispatchState, MessageState, Reason, WorkState

SYSTEM = "ramp"
Z = 1.96  # of a 95 % interval
LEAST_USUAL = 0.0005  # where hardly anybody ever left, three times nothing is no limit
LOOKED_AT = timedelta(seconds=30)  # how often a dispatch is judged that has no further wave
_looked: dict[int, datetime] = {}


def advance(*, now: datetime) -> int:
    """Look at every dispatch with closed waves; answers how many waves were opened. An unhealthy one is paused at once."""
    opened = 0
    sending = Dispatch.objects.filter(state=DispatchState.RUNNING, kind="campaign").annotate(
        closed=Exists(Batch.objects.filter(dispatch_id=OuterRef("pk"), state=WorkState.CLOSED))
    )
    for dispatch in sending.defer("pins", "recheck_rule"):
        if not dispatch.closed and timedelta() <= now - _looked.get(dispatch.pk, now - LOOKED_AT) < LOOKED_AT:
            continue
        _remember(dispatch.pk, now)
        found = health(dispatch, count(dispatch.workspace_id, dispatch.pk), now=now)
        if found.trouble:
            halt(dispatch.workspace_id, dispatch.pk, found.trouble, by=SYSTEM, now=now)
        elif not dispatch.closed or _under_way(dispatch, now):
            continue
        elif dispatch.wave_done_at is None and dispatch.soak_minutes:
            Dispatch.objects.filter(pk=dispatch.pk, wave_done_at=None).update(wave_done_at=now)
        elif found.heard_enough and (dispatch.wave_done_at or now) + timedelta(minutes=dispatch.soak_minutes) <= now:
            opened += open_wave(dispatch, now=now)
    return opened


def _remember(dispatch_id: int, now: datetime) -> None:
    if len(_looked) > 1_000:
        _looked.clear()
    _looked[dispatch_id] = now


def open_wave(dispatch: Dispatch, *, now: datetime) -> int:
    """Make the next wave's batches due; 0 if there is none or somebody else just did."""
    with transaction.atomic():
        row = Dispatch.objects.select_for_update(no_key=True).get(pk=dispatch.pk)
        if row.waves_open != dispatch.waves_open:
            return 0
        wave = row.waves_open
        batches = Batch.objects.filter(dispatch_id=row.pk, wave=wave, state=WorkState.CLOSED)
        if not batches.update(state=WorkState.READY, due_at=max(now, row.due_at)):
            return 0
        row.waves_open, row.wave_done_at = wave + 1, None
        row.save(update_fields=["waves_open", "wave_done_at"])
    return 1


@dataclass(frozen=True, slots=True)
class Health:
    """How a dispatch is doing. trouble: what speaks against sending on, "" if nothing does; sent: messages that the vendor has;
    heard: of how many it has reported more; needed: the share that a next wave waits for, 0 where nothing is ever reported."""

    trouble: str
    sent: int
    heard: int
    needed: float

    @property
    def heard_enough(self) -> bool:
        """Whether a next wave may open as far as reports go."""
        return self.heard >= self.needed * self.sent


def health(dispatch: Dispatch, counts: Counts, *, now: datetime) -> Health:
    """What the ledger (`counts`, of all its messages) and the vendor's events say of it so far."""
    limits = policies.policy(dispatch.workspace_id, dispatch.policy_key).halt
    states, reasons = counts.states, counts.reasons
    tried = sum(states.values()) - states[MessageState.SKIPPED]
    sent = tried - states[MessageState.FAILED] - states[MessageState.SENDING] - states[MessageState.IN_DOUBT]
    unrendered = reasons[Reason.INVALID] + reasons[Reason.POISON]
    judged = [
        ("refused by the vendor", states[MessageState.FAILED] - unrendered, tried, limits.failed),
        ("could not be rendered", unrendered, tried, limits.unrendered),
    ]
    if sent >= limits.at_least:
        judged += [
            ("bounced", states[MessageState.BOUNCED], sent, limits.bounced),
            ("complained", states[MessageState.COMPLAINED], sent, limits.complained),
            ("unsubscribed", _unsubscribed(dispatch), sent, _most_unsubscribed(dispatch, limits, now)),
        ]
    over = [f"{number / of:.1%} {word}, more than {limit:.1%}" for word, number, of, limit in judged if surely_at_least(number, of) > limit]
    heard = sent - states[MessageState.SENT]
    return Health("; ".join(over), sent, heard, limits.heard if _reports(dispatch) else 0.0)


def surely_at_least(number: int, of: int) -> float:
    """The lower end of the 95 % interval of a share (E. B. Wilson, 1927); 0 for nothing of nothing."""
    if not of or not number:
        return 0.0
    share, z2 = number / of, Z * Z
    return (share + z2 / (2 * of) - Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of))) / (1 + z2 / of)


def _unsubscribed(dispatch: Dispatch) -> int:
    said = VendorEvent.objects.filter(workspace_id=dispatch.workspace_id, dispatch_id=dispatch.pk, kind="unsubscribed")
    return said.values("n").distinct().count()


def _most_unsubscribed(dispatch: Dispatch, limits: Halt, now: datetime) -> float:
    """The policy's share, or so many times what is usual, whichever is less."""
    usual = baselines.unsubscribed(dispatch.workspace_id, dispatch.channel, now=now)
    return limits.unsubscribed if usual is None else min(limits.unsubscribed, limits.unsubscribed_times * max(usual, LEAST_USUAL))


def _reports(dispatch: Dispatch) -> bool:
    """Whether anybody may tell us what became of its messages: a vendor without webhooks, or whose key nobody gave us, never will."""
    vendors = [dispatch.vendor]
    if dispatch.vendor == policies.SEVERAL:
        vendors = [route.adapter.key for route in policies.routes(dispatch.workspace_id, dispatch.route_key, dispatch.channel)]
    return all(_hears(dispatch.workspace_id, vendor) for vendor in vendors)


def _hears(workspace_id: int, vendor: str) -> bool:
    adapter = ADAPTERS.get(vendor)
    if adapter is None or not adapter.webhook_secret:
        return False
    return any(account.only in (None, workspace_id) for account in webhook_accounts(vendor))


def _under_way(dispatch: Dispatch, now: datetime) -> bool:
    """Whether something of the open waves is being sent or could be; what waits for quiet hours to end doesn't hold the ramp."""
    leased_or_due = Q(leased_until__gt=now) | Q(due_at__lte=now)
    return Batch.objects.filter(leased_or_due, dispatch_id=dispatch.pk, state=WorkState.READY).exists()
