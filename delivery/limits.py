"""Rest for a vendor account that asked for it, is out of reach, or answers nobody: shared by all processes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from delivery import sql
from delivery.models import VendorAccount
from delivery.states import Lane

HELD = "#held"  # marks why nothing can be given to an account from here: told to people, and asked again by every piece of work

SLOWEST, RECOVERS = 1 / 16, 120.0  # of the pace; seconds until a stopped one would be whole again
SAME_MOMENT, FORGOTTEN = timedelta(milliseconds=500), timedelta(minutes=10)


def resting(workspace_id: int, accounts: Iterable[str], *, lane: int, now: datetime) -> dict[str, datetime]:
    """Those of these accounts that must be left alone by this lane, and until when."""
    statement = """SELECT account, blocked_until, campaigns_wait_until FROM delivery_vendoraccount
        WHERE workspace_id = %s AND (blocked_until IS NOT NULL OR campaigns_wait_until IS NOT NULL)"""
    asked, found = set(accounts), dict[str, datetime]()
    for account, until, campaigns in sql.rows(statement, [workspace_id], often=True):
        if account not in asked:
            continue
        moments = [until] if lane == Lane.TRANSACTIONAL else [until, campaigns]
        open_again = max((sql.read_moment(moment) for moment in moments if moment is not None), default=now)
        if open_again > now:
            found[account] = open_again
    return found


def rest(
    workspace_id: int, account: str, *, seconds: float, trouble: str, now: datetime, too_fast: bool = False, named: bool = True
) -> None:
    """Leave the account alone for so long; a longer rest that was asked for before stands.

    too_fast: the vendor asked for less, so its speed is halved for the next two minutes; named: the vendor said how long. Where it
    didn't, each time in a row doubles the rest, up to some minutes.
    """
    with transaction.atomic():
        row = _locked(workspace_id, account)
        slower = too_fast and _slow_down(row, named, now)
        until = now + timedelta(seconds=seconds * (2 ** max(row.throttled - 1, 0) if too_fast and not named else 1))
        if slower:
            row.paced_at = until  # it recovers once it is used again
        if row.blocked_until is None or row.blocked_until < until:
            row.blocked_until = until
        row.trouble = trouble[:300]
        row.save()


def _slow_down(row: VendorAccount, named: bool, now: datetime) -> bool:
    """Halve the pace, once for all who are told so before it is used again."""
    since = None if row.paced_at is None else now - row.paced_at
    if since is None or since > FORGOTTEN:
        row.throttled = 0
    if since is not None and since <= SAME_MOMENT:
        return False
    row.pace = max(SLOWEST, pace(row, now) / 2)
    row.throttled = 0 if named else min(row.throttled + 1, 6)
    return True


def pace(row: VendorAccount, now: datetime) -> float:
    """The part of its speed that an account is trusted with: halved when it asked for less, whole again two minutes later."""
    if row.paced_at is None:
        return 1.0
    return min(1.0, row.pace + max((now - row.paced_at).total_seconds(), 0.0) / RECOVERS)


def hold(workspace_id: int, account: str, *, seconds: float, trouble: str, now: datetime) -> None:
    """Make known that work for this account can't even be tried. Other work that goes by the same route is not held up."""
    rest(workspace_id, account + HELD, seconds=seconds, trouble=trouble, now=now)


def troubled(workspace_id: int, *, now: datetime) -> dict[str, tuple[str, datetime]]:
    """The accounts that nothing is given to now, or no campaign: why, and until when it is tried again."""
    mine = VendorAccount.objects.filter(workspace_id=workspace_id)
    waiting = mine.filter(campaigns_wait_until__gt=now).values_list("account", "campaigns_wait_for", "campaigns_wait_until")
    resting = mine.filter(blocked_until__gt=now).order_by("blocked_until").values_list("account", "trouble", "blocked_until")
    return {account.removesuffix(HELD): (trouble, until) for account, trouble, until in (*waiting, *resting) if until is not None}


def _locked(workspace_id: int, account: str) -> VendorAccount:
    VendorAccount.objects.get_or_create(workspace_id=workspace_id, account=account)
    return VendorAccount.objects.select_for_update().get(workspace_id=workspace_id, account=account)
