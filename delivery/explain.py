"""Why did or didn't they get it: one person in one dispatch, one message on its way, and the search for messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from pyroaring import BitMap64

from audience import door as audience
from delivery import past, stations
from delivery.left_out import asked_reason
from delivery.message_ids import message_id, message_ids, read_message_id
from delivery.models import Attempt, Batch, Decision, Dispatch, LeftOut, Message, Slice
from delivery.slices import bitmap
from delivery.states import AttemptState, DispatchState, MessageState, Reason, WorkState
from delivery.stations import Stop
from governance.door import Finding, Invalid, Missing

MOST = 200


@dataclass(frozen=True, slots=True)
class Why:
    """state: "not_considered", "left_out", "archived" (its rows have left the ledger), "planned", "accepted" (decided, not yet looked
    at), "cancelled", or a message's effective state ("sent", "skipped", …); reason: why it was left out, skipped or failed."""

    state: str
    reason: str
    message_id: str = ""
    stops: tuple[Stop, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message of the ledger, with its effective state."""

    message_id: str
    dispatch_id: int
    n: int
    profile_id: int
    campaign: str
    kind: str
    channel: str
    state: str
    reason: str
    at: datetime
    variant: int
    vendor: str
    attempt_id: int | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page, newest dispatches first. next: give it as `after`; "" on the last page."""

    items: tuple[MessageView, ...]
    next: str = ""


def why(workspace_id: int, dispatch_id: int, profile_id: int) -> Why:
    """What became of this person in this dispatch, sent or not, under whichever of their numbers: of several places, what became of the one
    that counts. Raises Missing where there is no such dispatch."""
    dispatch = _dispatch(workspace_id, dispatch_id)
    found = _why(dispatch, profile_id)
    if found.state != "not_considered" and found.reason != Reason.MERGED.label:
        return found
    for number in audience.numbers_of(workspace_id, profile_id)[1:]:
        former = _why(dispatch, number)
        if former.state != "not_considered" and (found.state == "not_considered" or former.reason != Reason.MERGED.label):
            return former
    return found


def _why(dispatch: Dispatch, profile_id: int) -> Why:
    workspace_id, dispatch_id = dispatch.workspace_id, dispatch.pk
    for row in LeftOut.objects.filter(dispatch=dispatch).order_by("reason"):
        if profile_id in BitMap64.deserialize(bytes(row.ids)):
            word = Reason(row.reason).label
            more = stations.without_consent(dispatch, profile_id, row.reason, dispatch.planned_at)
            return Why("left_out", word, stops=(Stop("delivery", dispatch.planned_at, {"planned": False, "reason": word, **more}),))
    if dispatch.archived_at is not None and dispatch.kind != "campaign":
        return Why("archived", "", stops=(stations.archived(dispatch),))
    n, stops = _place(dispatch, profile_id)
    if n is None:
        return Why("not_considered", "", stops=(Stop("audience", dispatch.planned_at, {"considered": False}),))
    row_of = Message.objects.filter(dispatch_id=dispatch_id, workspace_id=workspace_id, n=n).first()
    token = message_id(dispatch_id, n)
    if dispatch.archived_at is not None:
        return Why("archived", "", token, (*stops, stations.archived(dispatch)))
    if row_of is None:
        state, reason, until = _before_the_look(dispatch, n)
        later = (Stop("delivery", None, {"postponed_until": until}),) if until else ()
        return Why(state, reason, token, (*stops, *later))
    attempt = _attempt(row_of)
    state, reason = effective(row_of.state, row_of.reason, attempt.state if attempt else None)
    return Why(state, reason, token, (*stops, *stations.walked(dispatch, row_of)))


def timeline(workspace_id: int, token: str) -> Why:
    """One message's way, by its id. Raises Missing."""
    key = read_message_id(token)
    gone = Dispatch.objects.filter(pk=key.dispatch_id, workspace_id=workspace_id, archived_at__isnull=False).first() if key else None
    if gone is not None:
        return Why("archived", "", token, (stations.archived(gone),))
    row = Message.objects.filter(dispatch_id=key.dispatch_id, n=key.n, workspace_id=workspace_id).first() if key else None
    if key is not None and row is not None:
        return why_message(row)
    decision = Decision.objects.filter(dispatch_id=key.dispatch_id, n=key.n, workspace_id=workspace_id).first() if key else None
    if decision is None:
        raise Missing("a message of that id")
    state = "cancelled" if decision.state == WorkState.CANCELLED else "accepted"
    return Why(state, "", token, (stations.decided(decision),))


def why_message(row: Message) -> Why:
    """The way of a message that had its last look."""
    attempt = _attempt(row)
    state, reason = effective(row.state, row.reason, attempt.state if attempt else None)
    dispatch = _dispatch(row.workspace_id, row.dispatch_id)
    first = stations.planned(dispatch, row.n)
    if dispatch.kind != "campaign":  # whose dispatch stands all day: the message's own beginning is its decision
        decision = Decision.objects.filter(dispatch=dispatch, n=row.n).first()
        first = [stations.decided(decision)] if decision else first
    return Why(state, reason, message_id(row.dispatch_id, row.n), (*first, *stations.walked(dispatch, row)))


def messages(
    workspace_id: int,
    *,
    profile_id: int | None = None,
    address_hash: int | None = None,
    dispatch_id: int | None = None,
    message_id: str | None = None,
    state: str = "",
    reason: str = "",
    after: str = "",
    limit: int = 50,
) -> MessagePage:
    """Search the ledger by exactly what is given; at least one of the first four. Raises Invalid naming what is wrong.

    A profile and an address together: what was for this person, and what went to this address, whosever it was.
    """
    asked = Q(workspace_id=workspace_id)
    if message_id is not None:
        key = read_message_id(message_id)
        asked &= Q(dispatch_id=key.dispatch_id, n=key.n) if key else Q(dispatch_id=-1)
    if profile_id is not None and address_hash is not None:
        asked &= Q(profile_id=profile_id) | Q(address_hash=address_hash)
        profile_id = address_hash = None
    given = {"profile_id": profile_id, "address_hash": address_hash, "dispatch_id": dispatch_id}
    asked &= Q(**{name: value for name, value in given.items() if value is not None})
    if len(asked) == 1:
        raise Invalid([Finding("error", "", "nothing to search by", "a profile, an address, a dispatch or a message id")])
    if not 1 <= limit <= MOST:
        raise Invalid([Finding("error", "/limit", str(limit), f"1 to {MOST}")])
    if state:
        asked &= _in_state(state)
    if reason:
        asked &= Q(reason=asked_reason(reason))
    if after:
        last = _read_cursor(after)
        asked &= Q(dispatch_id__lt=last[0]) | Q(dispatch_id=last[0], n__gt=last[1])
    leaving = past.leaving(workspace_id)
    if leaving:
        asked &= ~Q(dispatch_id__in=leaving)
    rows = list(Message.objects.filter(asked).order_by("-dispatch_id", "n")[: limit + 1])
    shown = rows[:limit]
    return MessagePage(_views(shown), f"{shown[-1].dispatch_id}.{shown[-1].n}" if len(rows) > limit else "")


def effective(state: int, reason: int, attempt_state: int | None) -> tuple[str, str]:
    """A row's state as it really stands, and its reason, in words."""
    if state != MessageState.SENDING:
        return MessageState(state).label, Reason(reason).label
    known = {AttemptState.SENT: MessageState.SENT, AttemptState.IN_DOUBT: MessageState.IN_DOUBT}
    return (known.get(AttemptState(attempt_state), MessageState.SENDING) if attempt_state else MessageState.SENDING).label, ""


def _attempt(row: Message) -> Attempt | None:
    return Attempt.objects.filter(dispatch_id=row.dispatch_id, pk=row.attempt_id).first() if row.attempt_id else None


def _dispatch(workspace_id: int, dispatch_id: int) -> Dispatch:
    row = Dispatch.objects.filter(pk=dispatch_id, workspace_id=workspace_id).first()
    if row is None:
        raise Missing("a dispatch of that number")
    return row


def _place(dispatch: Dispatch, profile_id: int) -> tuple[int | None, list[Stop]]:
    """The newest number of this person in this dispatch, and how they came by it."""
    if dispatch.kind == "campaign":
        for slice_id, digest, first_n, wave in Slice.objects.filter(dispatch=dispatch).values_list("id", "digest", "first_n", "wave"):
            ids = bitmap((slice_id, digest))
            if profile_id in ids:
                n = first_n + ids.rank(profile_id) - 1
                return n, stations.planned(dispatch, n, wave=wave + 1)
        return None, []
    decided = Decision.objects.filter(dispatch=dispatch, profile_id=profile_id).order_by("-n").first()
    if decided is not None:
        return decided.n, [stations.decided(decided)]
    rows = Message.objects.filter(workspace_id=dispatch.workspace_id, profile_id=profile_id, dispatch_id=dispatch.pk)
    return rows.order_by("-n").values_list("n", flat=True).first(), []


def _before_the_look(dispatch: Dispatch, n: int) -> tuple[str, str, datetime | None]:
    if dispatch.state == DispatchState.STOPPED:
        return "cancelled", Reason.CANCELLED.label, None
    if dispatch.kind != "campaign":
        return "accepted", "", None
    postponed = Batch.objects.filter(dispatch=dispatch, state=WorkState.READY, leased_until=None, due_at__gt=dispatch.due_at)
    for batch in postponed.filter(slice__first_n__lte=n).select_related("slice").defer("slice__ids"):
        rank = n - batch.slice.first_n
        if batch.start <= rank < batch.stop and (batch.ranks is None or rank in BitMap64.deserialize(bytes(batch.ranks))):
            return "planned", "postponed", batch.due_at
    return "planned", "", None


def _views(rows: list[Message]) -> tuple[MessageView, ...]:
    dispatches = {row.pk: row for row in Dispatch.objects.filter(pk__in={row.dispatch_id for row in rows})}
    asked = Attempt.objects.filter(dispatch_id__in=set(dispatches), pk__in={row.attempt_id for row in rows if row.attempt_id})
    attempts = {row.pk: row for row in asked}
    views = []
    for row in rows:
        dispatch, attempt = dispatches[row.dispatch_id], attempts.get(row.attempt_id)
        state, reason = effective(row.state, row.reason, attempt.state if attempt else None)
        views.append(
            MessageView(
                message_id=message_ids(row.dispatch_id, [row.n])[0],
                dispatch_id=row.dispatch_id,
                n=row.n,
                profile_id=row.profile_id,
                campaign=dispatch.key,
                kind=dispatch.kind,
                channel=dispatch.channel,
                state=state,
                reason=reason,
                at=row.at,
                variant=row.variant,
                vendor=attempt.vendor if attempt else "",
                attempt_id=attempt.pk if attempt else None,
            )
        )
    return tuple(views)


def _in_state(word: str) -> Q:
    """Rows in this effective state."""
    by_word = {state.label.replace(" ", "_"): state for state in MessageState}
    if word not in by_word:
        raise Invalid([Finding("error", "/state", word[:40], f"one of {', '.join(by_word)}")])
    state = by_word[word]
    if state not in (MessageState.SENDING, MessageState.IN_DOUBT, MessageState.SENT):
        return Q(state=state)
    wanted = {MessageState.IN_DOUBT: [AttemptState.IN_DOUBT], MessageState.SENT: [AttemptState.SENT]}
    open_ones = [AttemptState.POSTING, AttemptState.REFUSED]
    its_own = Attempt.objects.filter(dispatch_id=OuterRef("dispatch_id"), pk=OuterRef("attempt_id"))
    return Q(Exists(its_own.filter(state__in=wanted.get(state, open_ones))), state=MessageState.SENDING)


def _read_cursor(text: str) -> tuple[int, int]:
    dispatch_id, _, n = text.partition(".")
    if not (dispatch_id.isascii() and dispatch_id.isdigit() and n.isascii() and n.isdigit() and len(text) <= 40):
        raise Invalid([Finding("error", "/after", text[:40], "the `next` of an earlier page")])
    return int(dispatch_id), int(n)
