"""Everything in doubt, over all runs: what the platform waits for, and what a person may decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db.models import Count, F, Min, Q, Sum

from delivery import policies, reconcile, requeue
from delivery.adapters.registry import ADAPTERS
from delivery.doubts import GIVE_UP_ASKING
from delivery.models import Attempt, Dispatch, Message
from delivery.settled import ask_after
from delivery.states import AttemptState, MessageState
from governance.door import DoorError, Finding, Invalid, Missing

AGES = ((timedelta(minutes=15), "under 15 minutes"), (timedelta(hours=1), "under an hour"), (timedelta(days=1), "under a day"))
Waits = Literal["event", "neighbours", "probe", "lookup", "repeat", "round", "person"]
WORDS: dict[Waits, str] = {
    "event": "An event from the vendor about any of its messages.",
    "neighbours": "Events about requests that the vendor accepted at about the same time: news of this one may come with theirs.",
    "probe": "A message to the route’s seed address: its event shows that the vendor’s feed has come past this request.",
    "lookup": "An answer from the vendor, who is asked what became of it.",
    "repeat": "Its one repetition: for a transactional message a double is better than a loss.",
    "round": "The next round: the vendor’s feed has come past it without a word, so it is sent again.",
    "person": "A person. Nothing more will be heard of it by itself.",
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """One unanswered request. messages: those that still hang on it; waits_for and words: what may settle it without a person."""

    id: int
    dispatch_id: int
    kind: str
    key: str
    vendor: str
    account: str
    message_class: str
    messages: int
    posted_at: datetime
    detail: str
    waits_for: Waits
    until: datetime | None

    @property
    def words(self) -> str:
        """What the platform waits for, in a sentence."""
        return WORDS[self.waits_for]


@dataclass(frozen=True, slots=True)
class Account:
    """What is in doubt on one vendor account. ages: messages by how long ago they were posted, youngest first."""

    account: str
    vendor: str
    requests: int
    messages: int
    oldest: datetime
    ages: tuple[tuple[str, int], ...]


def doubts(workspace_id: int, *, account: str = "", after: int = 0, limit: int = 50, now: datetime) -> list[Doubt]:
    """Unanswered requests by number, which is the order of their posting; those beyond `after`."""
    found = _in_doubt(workspace_id).filter(pk__gt=after)
    found = found.filter(account=account) if account else found
    return _described(list(found.order_by("pk")[:limit]), now)


def doubt(workspace_id: int, attempt_id: int, *, now: datetime) -> Doubt:
    """One of them. Raises Missing where it isn't in doubt (any more)."""
    rows = list(_in_doubt(workspace_id).filter(pk=attempt_id)) if attempt_id < 2**63 else []
    if not rows:
        raise Missing("a request in doubt of that number: it may have been settled meanwhile")
    return _described(rows, now)[0]


def accounts(workspace_id: int, *, now: datetime) -> list[Account]:
    """By vendor account, the most messages first; one query."""
    columns, before = {}, now + timedelta(days=365)
    for place, (age, _) in enumerate(AGES):
        columns[f"age{place}"] = Sum("count", filter=Q(posted_at__gt=now - age, posted_at__lte=before))
        before = now - age
    columns[f"age{len(AGES)}"] = Sum("count", filter=Q(posted_at__lte=before))
    rows = _in_doubt(workspace_id).values("account", "vendor")
    rows = rows.annotate(requests=Count("id"), messages=Sum("count"), oldest=Min("posted_at"), **columns).order_by("-messages", "account")
    words = [*(word for _, word in AGES), "longer"]
    return [
        Account(
            row["account"],
            row["vendor"],
            row["requests"],
            row["messages"],
            row["oldest"],
            tuple((word, row[f"age{place}"] or 0) for place, word in enumerate(words)),
        )
        for row in rows
    ]


def hanging(workspace_id: int, attempt_id: int, *, after: int = -1, limit: int = 50) -> list[Message]:
    """The messages whose fate hangs on a request, by n."""
    attempt = _in_doubt(workspace_id).filter(pk=attempt_id).first()
    return list(requeue.carried(attempt).filter(n__gt=after).order_by("n")[:limit]) if attempt else []


def set_apart(attempt: Attempt, n: int) -> Attempt:
    """Give one message of a request in doubt a request of its own, in the caller's transaction, so that it can be decided alone.

    What is heard about the others no longer proves anything about it, nor the other way round. Raises Missing where the message
    doesn't hang on this request.
    """
    mine = requeue.carried(attempt).filter(n=n)
    if not mine.exists():
        raise Missing("a message of that id that hangs on this request")
    if requeue.carried(attempt).count() == 1:
        return attempt
    share = attempt.cost_micros // max(attempt.count, 1)
    alone = Attempt.objects.get(dispatch_id=attempt.dispatch_id, pk=attempt.pk)
    alone.pk, alone.first_n, alone.last_n, alone.count, alone.cost_micros = None, n, n, 1, share
    alone.detail = f"set apart from request {attempt.pk}"
    alone.save(force_insert=True)
    mine.update(attempt_id=alone.pk)
    Attempt.objects.filter(dispatch_id=attempt.dispatch_id, pk=attempt.pk).update(
        count=F("count") - 1, cost_micros=F("cost_micros") - share
    )
    return alone


def check_typed(attempt: Attempt, typed: int | None, *, one: bool) -> None:
    """Raises Invalid where the number that a person typed isn't the number of messages that the decision is about."""
    many = 1 if one else requeue.carried(attempt).count()
    if typed != many:
        raise Invalid([Finding("error", "/count", str(typed) if typed is not None else "nothing", f"{many}, the number of messages")])


def _in_doubt(workspace_id: int) -> Any:
    return Attempt.objects.filter(workspace_id=workspace_id, state=AttemptState.IN_DOUBT)


def _described(attempts: Sequence[Attempt], now: datetime) -> list[Doubt]:
    dispatches = Dispatch.objects.in_bulk({attempt.dispatch_id for attempt in attempts})
    hang = dict(
        Message.objects.filter(
            dispatch_id__in=set(dispatches), attempt_id__in=[attempt.pk for attempt in attempts], state=MessageState.SENDING
        )
        .values_list("attempt_id")
        .annotate(Count("n"))
        .order_by()
    )
    found = []
    for attempt in attempts:
        dispatch = dispatches.get(attempt.dispatch_id)
        waits_for, until = _waits(attempt, dispatch, now)
        found.append(
            Doubt(
                id=attempt.pk,
                dispatch_id=attempt.dispatch_id,
                kind=dispatch.kind if dispatch else "",
                key=dispatch.key if dispatch else "",
                vendor=attempt.vendor,
                account=attempt.account,
                message_class=attempt.message_class,
                messages=hang.get(attempt.pk, 0),
                posted_at=attempt.posted_at,
                detail=attempt.detail,
                waits_for=waits_for,
                until=until,
            )
        )
    return found


def _waits(attempt: Attempt, dispatch: Dispatch | None, now: datetime) -> tuple[Waits, datetime | None]:
    """What `reconcile` and `doubts` will do about it, and until when where that is known."""
    if attempt.message_class == "transactional":
        if attempt.replaces_id is not None or now >= attempt.posted_at + GIVE_UP_ASKING:
            return "person", None  # a third is sent by nobody
        adapter = ADAPTERS.get(attempt.vendor)
        asked = adapter is not None and adapter.features.lookup
        return ("lookup", None) if asked else ("repeat", attempt.posted_at + ask_after())
    over = attempt.posted_at + timedelta(seconds=settings.OMNI.in_doubt_after)
    if now < over:
        return "event", over
    if reconcile.feed_came_past(attempt):
        return "round", None
    account = Attempt.objects.filter(workspace_id=attempt.workspace_id, vendor=attempt.vendor, account=attempt.account)
    if account.filter(posted_at__gt=attempt.posted_at).exists():
        return "neighbours", None
    return ("probe", None) if dispatch is not None and _has_seed(dispatch) else ("person", None)


def _has_seed(dispatch: Dispatch) -> bool:
    try:
        return bool(policies.route(dispatch.workspace_id, dispatch.route_key, dispatch.channel).seed)
    except DoorError:
        return False
