"""What a vendor account may be given: a shared rate, and rest after it asked for some.

The rate is a bucket in the database, so all processes share it. Promotional traffic draws on four fifths of it; the last
fifth is for transactional messages, which draw on it first and then on the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from delivery.models import VendorAccount
from delivery.states import Lane

RESERVE = 0.2
RESERVED = "#reserve"  # marks the second bucket of an account
HELD = "#held"  # marks why nothing can be given to an account from here: told to people, and asked again by every piece of work


def open_at(workspace_id: int, account: str, *, now: datetime) -> datetime | None:
    """Until when the account must be left alone; None: it may be used."""
    until = VendorAccount.objects.filter(workspace_id=workspace_id, account=account).values_list("blocked_until", flat=True).first()
    return until if until is not None and until > now else None


def rest(workspace_id: int, account: str, *, seconds: float, trouble: str, now: datetime) -> None:
    """Leave the account alone for so long; a longer rest that was asked for before stands."""
    until = now + timedelta(seconds=seconds)
    with transaction.atomic():
        row = _locked(workspace_id, account, now)
        if row.blocked_until is None or row.blocked_until < until:
            row.blocked_until = until
        row.trouble = trouble[:300]
        row.save(update_fields=["blocked_until", "trouble"])


def hold(workspace_id: int, account: str, *, seconds: float, trouble: str, now: datetime) -> None:
    """Make known that work for this account can't even be tried. Other work that goes by the same route is not held up."""
    rest(workspace_id, account + HELD, seconds=seconds, trouble=trouble, now=now)


def troubled(workspace_id: int, *, now: datetime) -> dict[str, tuple[str, datetime]]:
    """The accounts that nothing is given to now: why, and until when it is tried again."""
    rows = VendorAccount.objects.filter(workspace_id=workspace_id, blocked_until__gt=now).order_by("blocked_until")
    found = rows.values_list("account", "trouble", "blocked_until")
    return {account.removesuffix(HELD): (trouble, until) for account, trouble, until in found if until is not None}


def at_once(rate: float | None) -> int | None:
    """The most messages that one window may hold: what the account takes in a second, which is what its bucket can save up. A larger
    one would never be paid for. None: no limit."""
    return None if rate is None else max(1, int(rate * (1 - RESERVE)))


def take(workspace_id: int, account: str, *, rate: float | None, messages: int, lane: int, now: datetime) -> float:
    """Draw so many messages and answer how many seconds to wait before posting them; 0 without a rate.

    rate: messages a second that the account may be given in all. The bucket goes below zero and callers wait in turn.
    """
    if rate is None:
        return 0.0
    if lane == Lane.TRANSACTIONAL and _draw(workspace_id, account + RESERVED, rate * RESERVE, messages, now, only_if_there=True) == 0:
        return 0.0
    return _draw(workspace_id, account, rate * (1 - RESERVE), messages, now)


def put_back(workspace_id: int, account: str, messages: int) -> None:
    """What was drawn and not posted."""
    with transaction.atomic():
        row = VendorAccount.objects.select_for_update().filter(workspace_id=workspace_id, account=account).first()
        if row is not None:
            row.tokens += messages
            row.save(update_fields=["tokens"])


def _draw(workspace_id: int, account: str, rate: float, messages: int, now: datetime, *, only_if_there: bool = False) -> float:
    with transaction.atomic():
        row = _locked(workspace_id, account, now)
        passed = max((now - row.refilled_at).total_seconds(), 0.0)
        tokens = min(row.tokens + passed * rate, max(rate, 1.0))  # at most one second's worth is saved up
        if only_if_there and tokens < messages:
            return float("inf")
        row.tokens, row.refilled_at = tokens - messages, max(now, row.refilled_at)
        row.save(update_fields=["tokens", "refilled_at"])
    return max(-row.tokens / rate, 0.0)


def _locked(workspace_id: int, account: str, now: datetime) -> VendorAccount:
    same = VendorAccount.objects.select_for_update().filter(workspace_id=workspace_id, account=account)
    if (row := same.first()) is None:
        VendorAccount.objects.get_or_create(workspace_id=workspace_id, account=account, defaults={"refilled_at": now, "tokens": 0})
        row = same.get()
    return row
