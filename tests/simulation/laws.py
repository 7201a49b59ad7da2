"""What must hold at every moment of a day, whatever goes wrong. docs/architecture/send-path.md lists them by these numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap64

from audience.models import Event, Profile
from delivery import door as delivery
from delivery.addresses import text_hash
from delivery.models import Attempt, Batch, Decision, Dispatch, IdempotencyKey, Message, Slice, VendorEvent
from delivery.states import AttemptState, DispatchState, MessageState, WorkState
from governance.audit import verify
from tests import factories as make
from tests.simulation.town import CAP_HOURS, SMS_MICROS
from tests.vendor_standin import Accepted
from workflow.models import Run
from workflow.triggers import MOST_PER_HOUR

KEYS_LAST = timedelta(hours=24)


class Broken(AssertionError):
    """A law that does not hold."""


@dataclass
class Known:
    """What the town's people know to be so, each from the moment at which whoever did it was answered."""

    left: dict[tuple[int, str], datetime] = field(default_factory=dict)  # person and channel: nothing promotional any more
    dead: dict[tuple[int, str], datetime] = field(default_factory=dict)  # person and channel: nothing at all
    erased: dict[int, datetime] = field(default_factory=dict)
    halted: dict[int, datetime] = field(default_factory=dict)  # dispatches
    switched: dict[tuple[str, str], datetime] = field(default_factory=dict)
    recalled: dict[int, datetime] = field(default_factory=dict)  # revisions
    approved: set[str] = field(default_factory=set)  # bills
    keys: dict[str, tuple[str, datetime]] = field(default_factory=dict)  # Idempotency-Key -> the message it was answered with


def on_handing_over(tokens: Iterable[str], vendor: str, known: Known) -> None:
    """Laws of the last look, judged by the moment at which it was had."""
    for token in tokens:
        row, dispatch, attempt = _rows(token)
        at, channel, promotional = attempt.posted_at, dispatch.channel, dispatch.message_class == "promotional"

        def before(moment: datetime | None, what: str, at: datetime = at, token: str = token) -> None:
            if moment is not None and moment < at:
                raise Broken(f"{what} at {moment:%H:%M:%S.%f}, and admitted at {at:%H:%M:%S.%f}: {token}")

        if dispatch.kind == "probe":
            continue
        before(known.left.get((row.profile_id, channel)) if promotional else None, "4: left")
        before(known.dead.get((row.profile_id, channel)), "4: an address that is dead or complained")
        before(known.erased.get(row.profile_id), "4: erased")
        before(known.halted.get(dispatch.pk), "11: paused or stopped")
        for scope, key in (("workspace", ""), ("vendor", vendor), ("campaign", dispatch.key)):
            before(known.switched.get((scope, key)), f"11: the switch of {scope} {key}")
        for pin in dispatch.pins:
            before(known.recalled.get(pin), "3: recalled")
        if dispatch.bill_hash and dispatch.bill_hash not in known.approved:
            raise Broken(f"3: nobody approved the bill of dispatch {dispatch.pk}")
        if promotional and channel == "sms":
            _waking_hours(row.profile_id, at)
        _wave_is_open(dispatch, row.n)


def by_its_account(tokens: Iterable[str], route: str) -> None:
    """Law 2: the ledger says by whose account a message leaves, since only that vendor account can tell what became of it."""
    for token in tokens:
        _, _, attempt = _rows(token)
        if attempt.account != route:
            raise Broken(f"2: handed to {route}, and {attempt.account} in the ledger: {token}")


def _rows(token: str) -> tuple[Message, Dispatch, Attempt]:
    key = delivery.read_message_id(token)
    row = Message.objects.filter(dispatch_id=key.dispatch_id, n=key.n).first() if key else None
    if row is None:
        raise Broken(f"2: handed over without a row in the ledger: {token}")
    return row, Dispatch.objects.get(pk=row.dispatch_id), Attempt.objects.get(pk=row.attempt_id)


def _waking_hours(profile_id: int, at: datetime) -> None:
    zone = Profile.objects.values_list("zone", flat=True).get(pk=profile_id)
    hours = [at.astimezone(ZoneInfo(name)).hour for name in ([zone] if zone else [])]
    if any(not 8 <= hour < 21 for hour in hours):
        raise Broken(f"5: a text at {at:%H:%M} UTC to {zone}")


def _wave_is_open(dispatch: Dispatch, n: int) -> None:
    piece = Slice.objects.filter(dispatch_id=dispatch.pk, first_n__lte=n).order_by("-first_n").first()
    if piece is not None and piece.wave >= dispatch.waves_open:
        raise Broken(f"13: message {n} of wave {piece.wave} of dispatch {dispatch.pk}, of which {dispatch.waves_open} are open")


def at_any_time(accepted: list[Accepted], known: Known, *, now: datetime) -> None:
    """What the ledger, the vendors and the counters must agree on while work is under way."""
    times: dict[str, int] = defaultdict(int)
    for one in accepted:
        times[one.message_id] += 1
    kinds = dict(Dispatch.objects.values_list("pk", "message_class"))
    rows = {(row.dispatch_id, row.n): row for row in Message.objects.all()}
    attempts = dict(Attempt.objects.values_list("pk", "state"))
    for token, count in times.items():
        key = delivery.read_message_id(token)
        row = rows.get((key.dispatch_id, key.n)) if key else None
        if key is None or row is None:
            raise Broken(f"2: the vendor has a message that the ledger doesn't know: {token}")
        if count > (2 if kinds[key.dispatch_id] == "transactional" else 1):
            raise Broken(f"7: accepted {count} times: dispatch {key.dispatch_id}, n {key.n}, {kinds[key.dispatch_id]}")
        if row.state == MessageState.SENDING and attempts.get(row.attempt_id) == AttemptState.FAILED:
            raise Broken(f"2: accepted, and its attempt counts as failed: {token}")
        if row.state == MessageState.SKIPPED:
            raise Broken(f"2: accepted, and skipped({row.reason}) in the ledger: dispatch {row.dispatch_id}, n {row.n}")
    _counters(rows)
    _caps(accepted, kinds, rows)
    _money(accepted)
    _keys(known, now)


def _counters(rows: dict[tuple[int, int], Any]) -> None:
    for dispatch in Dispatch.objects.all():
        view = delivery.facts(dispatch.workspace_id, dispatch.pk)
        if sum(view.counts.values()) != view.considered:
            raise Broken(f"1, 9: dispatch {dispatch.pk} considered {view.considered}, counts {dict(view.counts)}")
        if dispatch.kind == "campaign" and dispatch.state != DispatchState.STOPPED:
            _somebody_has_it(dispatch, rows)


def _somebody_has_it(dispatch: Dispatch, rows: dict[tuple[int, int], Any]) -> None:
    """Whatever has no row yet, or surely failed, lies in a batch that waits or is in somebody's hands."""
    held = set[int]()
    for batch in Batch.objects.filter(dispatch=dispatch, state__in=(WorkState.CLOSED, WorkState.READY)).select_related("slice"):
        ranks = range(batch.start, batch.stop) if batch.ranks is None else BitMap64.deserialize(bytes(batch.ranks))
        held |= {rank + batch.slice.first_n for rank in ranks}
    refused = set(Attempt.objects.filter(dispatch_id=dispatch.pk, state=AttemptState.REFUSED).values_list("pk", flat=True))
    for n in range(dispatch.planned):
        row = rows.get((dispatch.pk, n))
        open_ = row is None or (row.state == MessageState.SENDING and row.attempt_id in refused)
        if open_ and n not in held:
            raise Broken(f"1: message {n} of dispatch {dispatch.pk} is in no batch that waits: {row and row.attempt_id}")


def _caps(accepted: list[Accepted], kinds: dict[int, str], rows: dict[tuple[int, int], Any]) -> None:
    moments: dict[int, list[datetime]] = defaultdict(list)
    texted: dict[int, list[datetime]] = defaultdict(list)
    events = set(Dispatch.objects.filter(kind="event").values_list("pk", flat=True))
    posted = dict(Attempt.objects.values_list("pk", "posted_at"))
    for one in {one.message_id: one for one in accepted}.values():
        key = delivery.read_message_id(one.message_id)
        assert key is not None
        row = rows[key.dispatch_id, key.n]
        if kinds[key.dispatch_id] == "promotional":
            moments[row.profile_id].append(posted[row.attempt_id])
        if key.dispatch_id in events:
            event_id = Decision.objects.get(dispatch_id=key.dispatch_id, n=key.n).payload.get("event_id")
            texted[row.profile_id] += Event.objects.filter(event_id=event_id).values_list("received_at", flat=True)
    for person, listed in moments.items():
        listed.sort()
        for first, last in zip(listed, listed[1:], strict=False):
            if last - first < timedelta(hours=CAP_HOURS):
                raise Broken(f"6: two promotional messages to {person} within {last - first}")
    for person, listed in texted.items():
        listed.sort()
        for first, last in zip(listed, listed[MOST_PER_HOUR:], strict=False):
            if last - first < timedelta(hours=1):
                raise Broken(f"12: more than {MOST_PER_HOUR} messages to {person} for events of one hour")


def _money(accepted: list[Accepted]) -> None:
    for dispatch in Dispatch.objects.filter(budget_micros__isnull=False):
        sent, budget = 0, dispatch.budget_micros or 0
        for one in accepted:
            key = delivery.read_message_id(one.message_id)
            sent += SMS_MICROS if key is not None and key.dispatch_id == dispatch.pk else 0
        if max(sent, dispatch.committed_micros) > budget or sent > dispatch.committed_micros:
            raise Broken(f"14: dispatch {dispatch.pk} sent for {sent}, committed {dispatch.committed_micros} of {budget}")


def _keys(known: Known, now: datetime) -> None:
    for key, (message_id, at) in known.keys.items():
        row = IdempotencyKey.objects.filter(key=text_hash(make.workspace().pk, key)).first()
        if row is None and now - at > KEYS_LAST:
            continue
        if row is None or row.dispatch_id is None or row.n is None or delivery.message_id(row.dispatch_id, row.n) != message_id:
            raise Broken(f"7: the key {key} has another message than its caller was told")


def anything_open() -> bool:
    """Whether something waits, is on its way, or may still be settled."""
    waits = (WorkState.CLOSED, WorkState.READY)
    return (
        Batch.objects.filter(state__in=waits).exists()
        or Decision.objects.filter(state__in=waits).exists()
        or Attempt.objects.filter(state__in=(AttemptState.POSTING, AttemptState.IN_DOUBT)).exists()
    )


def at_the_end(accepted: list[Accepted], workspace_id: int) -> None:
    """After everything has settled: whoever was decided about has an end, and the ledger agrees with the vendors on each."""
    has = {one.message_id for one in accepted}
    attempts = {row.pk: row for row in Attempt.objects.all()}
    for row in Message.objects.all():
        token = delivery.message_id(row.dispatch_id, row.n)
        attempt = attempts.get(row.attempt_id)
        state = attempt.state if row.state == MessageState.SENDING and attempt is not None else None
        where = f"dispatch {row.dispatch_id}, n {row.n}: message {row.state}({row.reason}), attempt {attempt and attempt.state}"
        if state in (AttemptState.POSTING, AttemptState.REFUSED):
            raise Broken(f"1: no end: {where}")
        sent = state == AttemptState.SENT or row.state in (MessageState.SENT, MessageState.DELIVERED, MessageState.BOUNCED)
        if sent and token not in has:
            raise Broken(f"2: sent, and the vendor doesn't have it: {where}")
        unsent = row.state == MessageState.SKIPPED or (row.state == MessageState.FAILED and not row.attempt_id)
        if unsent and token in has:
            raise Broken(f"2: not sent, and the vendor has it: {where}")
    waiting = [*Batch.objects.filter(state=WorkState.READY), *Decision.objects.filter(state=WorkState.READY)]
    if waiting:
        raise Broken(f"1: still waiting: {[(type(one).__name__, one.pk, one.due_at) for one in waiting][:5]}")
    doubts = {attempt.pk for attempt in delivery.in_doubt(workspace_id)}
    if {pk for pk, attempt in attempts.items() if attempt.state == AttemptState.IN_DOUBT} - doubts:
        raise Broken("1: something is in doubt and not listed")
    told = set(VendorEvent.objects.exclude(vendor="omni").values_list("dispatch_id", "n"))
    for row in Message.objects.filter(attempt_id__in=doubts):
        if (row.dispatch_id, row.n) in told:
            raise Broken(f"2: in doubt, though the vendor has spoken of it: dispatch {row.dispatch_id}, n {row.n}")
    if Dispatch.objects.filter(kind="campaign").count() != Run.objects.exclude(trigger="event").count():
        raise Broken("7: a launch with two dispatches, or none")
    chain = verify(workspace_id)
    if chain.fault:
        raise Broken(f"10: the audit chain is broken: {chain.fault}")
