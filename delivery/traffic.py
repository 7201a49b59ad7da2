"""How much may go to a vendor account now: its speed and its quotas, shared by all processes.

Law: no span of a limit's length, however it is laid, sees more than the limit. A speed is a bucket that holds a twentieth of a
second's worth and fills at nineteen twentieths of the rate, so that any second sees at most the rate. A quota counts what went in
120 shares of its span and lets none of them go before the span and one share more have passed: what is drawn and posted half a share
later is still inside. Either leaves at most a twentieth unused. Campaigns leave the reserved part of a quota to transactional
messages where an account carries both, and never draw a speed's bucket further down than they find it above zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from delivery.eligibility import Candidate
from delivery.limits import pace
from delivery.models import Allowance, VendorAccount
from delivery.quotas import SPAN, Key, Limit, free_at, oldest, share_of, used
from delivery.states import Lane

CARRIES_BOTH = timedelta(days=30)  # an account that carried a transactional message this lately keeps room for more
PATIENCE = 5.0  # seconds that transactional messages may be drawn ahead of a speed
SOON = 10.0  # seconds that are waited for rather than given back


@dataclass(slots=True)
class Taken:
    """What a draw allowed. going: their numbers; wait: seconds until they may be posted; soon: numbers whose turn comes within
    seconds, at soon_at; later: numbers that wait for longer, until later_at. shut: the words of the account's limit that is used
    up, "" where others may still go. drawn: what each was counted under, and shares: where in its span, to be put back where it isn't
    posted."""

    going: set[int] = field(default_factory=set)
    wait: float = 0.0
    soon: set[int] = field(default_factory=set)
    soon_at: datetime | None = None
    later: set[int] = field(default_factory=set)
    later_at: datetime | None = None
    shut: str = ""
    drawn: dict[int, list[Key]] = field(default_factory=dict)
    shares: dict[Key, int] = field(default_factory=dict)

    def holds_up(self, n: int, until: datetime, *, soon: bool) -> None:
        """One more that may not go before then."""
        if soon:
            self.soon.add(n)
            self.soon_at = min(until, self.soon_at or until)
        else:
            self.later.add(n)
            self.later_at = min(until, self.later_at or until)


def take(
    workspace_id: int, account: str, limits: Sequence[Limit], candidates: Sequence[Candidate], *, lane: int, reserved: float, now: datetime
) -> Taken:
    """Draw for as many of these as may go, in their order, in one transaction of its own. reserved: the share of each quota that
    campaigns leave alone on an account that carries transactional messages, too. An account whose own quota is used up is shut for
    its lane until there is room again."""
    taken = Taken()
    with transaction.atomic():
        row = _account(workspace_id, account, lane, now)
        both = row.transactional_at is not None and row.transactional_at > now - CARRIES_BOTH
        keep = reserved if both and lane != Lane.TRANSACTIONAL else 0.0
        book = _Book(workspace_id, account, limits, candidates, pace(row, now), lane, keep, now)
        for candidate in candidates:
            book.ask(candidate, taken)
        book.close(taken)
        if taken.shut and taken.later_at is not None and (taken.later_at - now).total_seconds() > SOON:
            _shut(row, lane, taken, now)
    return taken


def put_back(workspace_id: int, account: str, taken: Taken, numbers: Iterable[int]) -> None:
    """These were drawn and are not posted."""
    back = Counter(key for n in numbers for key in taken.drawn.get(n, ()))
    if not back:
        return
    with transaction.atomic():
        for key, row in _rows(workspace_id, account, back).items():
            share = taken.shares[key]
            if key[1] == "second":
                row.tokens += back[key]
            else:
                row.used = [[at, max(0, counted - back[key])] if at == share else [at, counted] for at, counted in row.used]
            row.save(update_fields=["tokens", "used"])


class _Book:
    """The limits of one account, locked: how much room each has, and what is drawn."""

    def __init__(
        self,
        workspace_id: int,
        account: str,
        limits: Sequence[Limit],
        candidates: Sequence[Candidate],
        pace: float,
        lane: int,
        keep: float,
        now: datetime,
    ) -> None:
        self.now, self.lane, self.pace = now, lane, pace
        self.limits = limits
        self.by_key: dict[Key, Limit] = {}
        self.keys = {candidate.n: self._keys_of(candidate) for candidate in candidates}
        self.rows = _rows(workspace_id, account, set(self.by_key))
        self.room: dict[Key, int] = {}
        self.drawn = Counter[Key]()
        for key, row in self.rows.items():
            limit = self.by_key[key]
            if limit.per == "second":
                self.room[key] = self._room_of_bucket(limit, row)
            else:
                self.room[key] = int(limit.count * (1 - (0 if limit.gently else keep))) - used(limit, row.used, now)

    def _keys_of(self, candidate: Candidate) -> list[Key]:
        found = []
        for limit in self.limits:
            key = limit.key(candidate)
            if key is not None:
                known = self.by_key.get(key)
                if known is None or limit.count < known.count:
                    self.by_key[key] = limit
                found.append(key)
        return found

    def _room_of_bucket(self, limit: Limit, row: Allowance) -> int:
        """Fill the bucket up to now; how many may be drawn from it. Campaigns draw while there is anything in it, at most one burst
        ahead; transactional messages go before them, up to some seconds ahead."""
        speed, burst = limit.filling(self.pace), limit.burst
        filled = row.filled_at or self.now - timedelta(days=1)
        row.tokens = min(row.tokens + max((self.now - filled).total_seconds(), 0.0) * speed, burst)
        row.filled_at = max(self.now, filled)
        if self.lane == Lane.TRANSACTIONAL:
            return max(1, int(row.tokens + speed * PATIENCE))
        return max(1, int(row.tokens + burst)) if row.tokens > 0 else 0

    def ask(self, candidate: Candidate, taken: Taken) -> None:
        """Draw for one, or say when its turn may come."""
        keys = self.keys[candidate.n]
        short = next((key for key in keys if self.room[key] < 1 and self._binds(self.by_key[key])), None)
        if short is None:
            for key in keys:
                self.room[key] -= 1
                self.drawn[key] += 1
            taken.going.add(candidate.n)
            taken.drawn[candidate.n] = keys
            return
        limit, row = self.by_key[short], self.rows[short]
        if limit.per == "second":
            seconds = max((1 - row.tokens + self.drawn[short]) / limit.filling(self.pace), 0.01)
            taken.holds_up(candidate.n, self.now + timedelta(seconds=seconds), soon=True)
            return
        at = self._turn(limit, row)
        if limit.of == "account":
            taken.shut = limit.words()
        taken.holds_up(candidate.n, at, soon=(at - self.now).total_seconds() <= SOON)

    def _binds(self, limit: Limit) -> bool:
        """A warm-up counts transactional messages and doesn't hold them back."""
        return not (limit.gently and self.lane == Lane.TRANSACTIONAL)

    def _turn(self, limit: Limit, row: Allowance) -> datetime:
        """When a quota has room for one more; for a part of the account's traffic, behind those who were told a moment before."""
        free = free_at(limit, row.used, self.now)
        if limit.of == "account":
            return free
        booked = max(row.booked_until or free, free)
        row.booked_until = booked + timedelta(seconds=SPAN.get(limit.per, 86_400) / limit.count)
        return booked

    def close(self, taken: Taken) -> None:
        """Write down what was drawn, at the moment when it may be posted."""
        for key, many in self.drawn.items():
            limit, row = self.by_key[key], self.rows[key]
            if limit.per == "second":
                row.tokens -= many
                taken.wait = max(taken.wait, -row.tokens / limit.filling(self.pace))
        posted = self.now + timedelta(seconds=taken.wait)
        taken.shares = {key: 0 if limit.per == "second" else share_of(limit, posted) for key, limit in self.by_key.items()}
        for key, many in self.drawn.items():
            limit, row = self.by_key[key], self.rows[key]
            if limit.per != "second":
                kept = {share: many for share, many in row.used if many and share >= oldest(limit, self.now)}
                kept[taken.shares[key]] = kept.get(taken.shares[key], 0) + many
                row.used = sorted(map(list, kept.items()))
        for row in self.rows.values():
            row.save(update_fields=["tokens", "filled_at", "used", "booked_until"])


def _account(workspace_id: int, account: str, lane: int, now: datetime) -> VendorAccount:
    """The account's row, noting that it carries transactional messages."""
    row, _ = VendorAccount.objects.get_or_create(workspace_id=workspace_id, account=account)
    if lane == Lane.TRANSACTIONAL and (row.transactional_at is None or row.transactional_at < now - timedelta(hours=1)):
        row.transactional_at = now
        row.save(update_fields=["transactional_at"])
    return row


def _shut(row: VendorAccount, lane: int, taken: Taken, now: datetime) -> None:
    """Nothing of this lane is leased for the account until there is room."""
    trouble = f"its limit of {taken.shut} is used up"
    mine = VendorAccount.objects.filter(pk=row.pk)
    if lane == Lane.TRANSACTIONAL:
        mine.filter(Q(blocked_until=None) | Q(blocked_until__lt=taken.later_at)).update(blocked_until=taken.later_at, trouble=trouble)
    mine.update(campaigns_wait_until=taken.later_at, campaigns_wait_for=trouble)


def _rows(workspace_id: int, account: str, keys: Iterable[Key]) -> dict[Key, Allowance]:
    """The rows of these limits, locked in one order, made where they are new."""
    wanted = set(keys)
    if not wanted:
        return {}
    which = Q()
    for of, per in wanted:
        which |= Q(of=of, per=per)
    mine = Allowance.objects.filter(workspace_id=workspace_id, account=account)
    found = {(row.of, row.per): row for row in mine.select_for_update().filter(which).order_by("pk")}
    if missing := wanted - set(found):
        new = [Allowance(workspace_id=workspace_id, account=account, of=of, per=per) for of, per in sorted(missing)]
        Allowance.objects.bulk_create(new, ignore_conflicts=True)
        found = {(row.of, row.per): row for row in mine.select_for_update().filter(which).order_by("pk")}
    return found
