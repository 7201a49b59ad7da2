"""What follows from a new event about a message: proof, state, suppression, consent, engagement.

Law: a message's state never goes to a lower rank, a suppression never gets weaker, and an event that was drawn from once is
never drawn from again (its caller keeps it in the same transaction).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from audience import door as audience
from delivery import soft_bounces, sql, suppression
from delivery.adapters.base import EventKind, VendorEvent
from delivery.models import Attempt, VendorAccount
from delivery.states import AttemptState, MessageState, Reason

OURS = "omni"  # the "vendor" of what happens at our own addresses
UNRESOLVED = (AttemptState.POSTING, AttemptState.IN_DOUBT)

RAISES: Mapping[EventKind, MessageState] = {
    "delivered": MessageState.DELIVERED,
    "opening": MessageState.DELIVERED,
    "opened": MessageState.DELIVERED,
    "clicking": MessageState.DELIVERED,
    "clicked": MessageState.DELIVERED,
    "unsubscribed": MessageState.DELIVERED,
    "bounced": MessageState.BOUNCED,
    "blocked": MessageState.BOUNCED,
    "complained": MessageState.COMPLAINED,
    "dropped": MessageState.FAILED,
    "failed": MessageState.FAILED,
}
# Why the address is left alone after a *permanent* event of this kind.
DEAD_ADDRESS: Mapping[EventKind, str] = {"bounced": "bounced", "dropped": "bounced", "failed": "invalid", "unsubscribed": "stopped"}
ENGAGEMENT: Mapping[EventKind, str] = {
    "delivered": "message.delivered",
    "opened": "message.opened",
    "clicked": "message.clicked",
    "bounced": "message.bounced",
    "complained": "message.complained",
    "unsubscribed": "message.unsubscribed",
}
# What software does has names of its own, so that nobody counts it who doesn't ask for it.
MACHINES: Mapping[EventKind, str] = {"opened": "message.machine_opened", "clicked": "message.machine_clicked"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The vendor request that carried a message, as it stood when the event was matched."""

    id: int
    vendor_id: str
    state: int
    heard_at: datetime | None
    account: str


@dataclass(frozen=True, slots=True)
class Told:
    """One event about one message of ours. request: None where there is none, or where all that it could prove is proven."""

    event: VendorEvent
    dispatch_id: int
    n: int
    workspace_id: int
    channel: str
    topic: str
    campaign: str
    profile_id: int
    address_hash: int
    state: int
    request: Asked | None


def draw(told: Sequence[Told], *, now: datetime) -> None:
    """Everything that follows from these new events, in the caller's transaction."""
    _prove(told, now)
    _raise_states(told)
    _suppress(told, now)
    _withdraw_consent(told, now)
    _record(told, now)


def note_accounts(told: Sequence[Told], *, now: datetime) -> None:
    """The vendor still speaks about these accounts (see reconcile). After the transaction that keeps the events, so that nobody who
    sends waits for it: where it is lost, what is in doubt stays so for longer."""
    spoken_of = {(one.workspace_id, one.request.account) for one in told if one.request is not None and one.event.vendor != OURS}
    for workspace_id, account in sorted(spoken_of):
        row, made = VendorAccount.objects.get_or_create(workspace_id=workspace_id, account=account, defaults={"heard_at": now})
        if not made and (row.heard_at is None or row.heard_at < now):
            VendorAccount.objects.filter(Q(heard_at=None) | Q(heard_at__lt=now), pk=row.pk).update(heard_at=now)


def heed(workspace_id: int, wishes: Sequence[VendorEvent], *, now: datetime) -> list[VendorEvent]:
    """What people wrote. STOP: nothing more to this number on that channel, from any campaign. START takes the own STOP back, and
    only that. Answers the wishes that changed something, and those for help: who made them may be told so, once."""
    heeded = []
    for wish in wishes:
        person = audience.find(workspace_id, address=wish.address)
        ids, source = [person.id] if person else [], f"{wish.vendor}:keyword"
        if wish.kind == "unsubscribed":
            news = suppression.suppress(workspace_id, wish.channel, wish.address, reason="stopped", source=source, now=now)
            heeded += [wish] if news else []
            audience.set_consent(workspace_id, ids, channel=wish.channel, topic="*", state="unsubscribed", source=source, now=now)
        elif wish.kind == "resubscribed" and suppression.lift_stop(workspace_id, wish.channel, wish.address):
            heeded.append(wish)  # it comes from the number itself: there is nothing left to confirm
            audience.set_consent(
                workspace_id, ids, channel=wish.channel, topic="*", state="subscribed", source=source, confirmed=True, now=now
            )
        elif wish.kind == "asked_help":
            heeded.append(wish)
    return heeded


def _prove(told: Sequence[Told], now: datetime) -> None:
    """One event about any message of a request proves that the vendor has the request: it is accepted or refused as a whole."""
    named = {one.request.id: one.event.vendor_id for one in told if one.request is not None and one.request.state in UNRESOLVED}
    ours = Attempt.objects.filter(dispatch_id__in={one.dispatch_id for one in told})
    unresolved = ours.filter(pk__in=named, state__in=UNRESOLVED).order_by("pk").select_for_update(no_key=True)
    for attempt_id in unresolved.values_list("pk", flat=True) if named else ():
        vendor_id = {"vendor_id": named[attempt_id]} if named[attempt_id] else {}
        proven = ours.filter(pk=attempt_id)
        proven.update(state=AttemptState.SENT, resolved_by="event", resolved_at=now, **vendor_id)
    _note_heard(told, now)


def _note_heard(told: Sequence[Told], now: datetime) -> None:
    """The vendor has spoken about these requests: so its feed has come to the time they were made (see reconcile). The first word
    counts, in whatever order they are drawn from: what was said before the window was over proves less."""
    fresh = {
        one.request.id
        for one in told
        if one.request is not None and one.event.vendor != OURS and (one.request.heard_at is None or one.request.heard_at > now)
    }
    if fresh:
        unheard = Q(heard_at=None) | Q(heard_at__gt=now)
        ours = Attempt.objects.filter(dispatch_id__in={one.dispatch_id for one in told})
        heard = ours.filter(unheard, pk__in=fresh).order_by("pk").select_for_update(no_key=True)
        ours.filter(pk__in=list(heard.values_list("pk", flat=True))).update(heard_at=now)


def _raise_states(told: Sequence[Told]) -> None:
    """Per dispatch and state one update; the highest of this round's states counts, and only where it is higher than the row's."""
    highest: dict[tuple[int, int], tuple[MessageState, Reason]] = {}
    for one in told:
        state, reason = _state(one.event)
        if state is not None and state > max(one.state, highest.get((one.dispatch_id, one.n), (0, Reason.NONE))[0]):
            highest[one.dispatch_id, one.n] = (state, reason)
    together: dict[tuple[int, MessageState, Reason], list[int]] = defaultdict(list)
    for (dispatch_id, n), (state, reason) in sorted(highest.items()):
        together[dispatch_id, state, reason].append(n)
    for (dispatch_id, state, reason), ns in together.items():
        sql.run(
            f"""UPDATE delivery_message SET state = %s, reason = CASE WHEN %s = 0 THEN reason ELSE %s END
            WHERE dispatch_id = %s AND {sql.among("n")} AND state < %s""",
            [state, reason, reason, dispatch_id, sql.numbers(ns), state],
        )


def _state(event: VendorEvent) -> tuple[MessageState | None, Reason]:
    if event.kind == "unsubscribed" and event.permanent:  # the vendor refused to send because of an earlier STOP
        return MessageState.FAILED, Reason.REJECTED
    state = RAISES.get(event.kind)
    if state is not MessageState.FAILED:
        return state, Reason.NONE
    return state, Reason.BAD_ADDRESS if event.permanent else Reason.REJECTED


def _suppress(told: Sequence[Told], now: datetime) -> None:
    """Dead addresses and complaints stop everything; an unsubscription from everything stops marketing."""
    groups: dict[tuple[int, str, str, str], set[int]] = defaultdict(set)
    for one in told:
        reason = _suppression(one.event)
        if reason and one.address_hash:
            groups[one.workspace_id, one.channel, reason, one.event.vendor].add(one.address_hash)
    for (workspace_id, channel, reason, vendor), hashes in sorted(groups.items()):
        suppression.suppress_hashes(workspace_id, channel, hashes, reason=reason, source=f"event:{vendor}", now=now)
    _give_up_worn_out(told, now)


def _give_up_worn_out(told: Sequence[Told], now: datetime) -> None:
    soft: dict[tuple[int, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for one in told:
        if one.event.kind in soft_bounces.SOFT and not one.event.permanent and one.address_hash:
            soft[one.workspace_id, one.channel][one.dispatch_id].add(one.address_hash)
    for (workspace_id, channel), bounced in sorted(soft.items()):
        if hashes := soft_bounces.worn_out(workspace_id, bounced, now=now):
            suppression.suppress_hashes(workspace_id, channel, hashes, reason="bounced", source="event:soft bounces", now=now)


def _suppression(event: VendorEvent) -> str:
    if event.kind == "complained":
        return "complained"
    if event.permanent:
        return DEAD_ADDRESS.get(event.kind, "")
    return "unsubscribed" if event.kind == "unsubscribed" and event.everything else ""


def _withdraw_consent(told: Sequence[Told], now: datetime) -> None:
    """A complaint withdraws everything on the channel; an unsubscription the message's topic, or everything where it says so."""
    groups: dict[tuple[int, str, str, str], set[int]] = defaultdict(set)
    for one in told:
        if one.event.kind in {"complained", "unsubscribed"}:
            topic = one.topic if one.topic and one.event.kind == "unsubscribed" and not one.event.everything else "*"
            through = one.event.detail if one.event.vendor == OURS and one.event.detail else one.event.kind
            groups[one.workspace_id, one.channel, topic, f"{one.event.vendor}:{through}"].add(one.profile_id)
    for (workspace_id, channel, topic, source), ids in sorted(groups.items()):
        audience.set_consent(workspace_id, sorted(ids), channel=channel, topic=topic, state="unsubscribed", source=source, now=now)


def _record(told: Sequence[Told], now: datetime) -> None:
    """Engagement as events of the profile; what machines did under names of its own."""
    by_workspace: dict[int, list[audience.NewEvent]] = defaultdict(list)
    for one in told:
        name = MACHINES.get(one.event.kind) if one.event.machine else ENGAGEMENT.get(one.event.kind)
        if name is not None:
            by_workspace[one.workspace_id].append(_engagement(one, name))
    for workspace_id, events in by_workspace.items():
        audience.record(workspace_id, events, now=now)


def _engagement(one: Told, name: str) -> audience.NewEvent:
    properties: dict[str, object] = {"campaign": one.campaign, "channel": one.channel, "dispatch": one.dispatch_id}
    if one.event.url_k is not None:
        properties["link"] = one.event.url_k
    event_id = f"{one.event.vendor}:{one.event.event_id}"
    return audience.NewEvent(event_id, name, one.profile_id, one.event.at, properties)
