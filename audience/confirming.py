"""What waits to be confirmed: the questions that are to be sent, and the answer of the person who followed the link.

A link names an entry of the ledger and is good for one answer: until its end, and until the person said anything else about the topic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from django.db import InterfaceError, OperationalError, transaction

from audience.consent import State
from audience.models import ConfirmationFeed, Subscription, SubscriptionEntry
from audience.other_ids import numbers_of
from audience.profiles import present
from audience.topics import WHOLE_CHANNEL

log = structlog.get_logger(__name__)
SOURCE = "double opt-in"
AT_ONCE = 200  # questions of one round
LOOKED_AT_AGAIN = timedelta(minutes=10)  # a question that could not be sent
GIVEN_UP_AFTER = timedelta(days=1)
Stage = Literal["open", "confirmed", "over"]
Outcome = Literal["sent", "not now", "never"]


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """A pending entry. stage: open while it can be confirmed; confirmed by this very entry; else over: too late, or taken back."""

    number: int
    workspace_id: int
    profile_id: int
    channel: str
    topic: str
    wording: str
    at: datetime
    until: datetime
    stage: Stage


def to_confirm(number: int, *, now: datetime) -> ToConfirm | None:
    """The pending entry of that number, of whoever is behind it now; None where there is none, or its person was erased. A handful of
    small queries."""
    found = _pending(number)
    if found is None:
        return None
    entry, person = found
    assert entry.confirm_until is not None
    terms = (entry.channel, entry.topic, entry.wording, entry.at, entry.confirm_until)
    return ToConfirm(entry.pk, entry.workspace_id, person, *terms, _stage(entry, person, now))


def _pending(number: int) -> tuple[SubscriptionEntry, int] | None:
    """The entry, and the number of its person today: whoever has become one with another answers as the other."""
    entry = SubscriptionEntry.objects.filter(pk=number, state="pending", confirm_until__isnull=False).first()
    people = present(entry.workspace_id, [entry.profile_id]) if entry is not None else {}
    return (entry, people[entry.profile_id]) if entry is not None and people else None


def confirm(number: int, *, now: datetime) -> bool:
    """The person followed the link and says yes. True if that is news; the same again changes nothing. In the caller's transaction.

    Recorded with the pending entry's wording and terms, and its number. A refusal of the whole channel is lifted, too: who confirms wants
    these messages; then nothing else comes back that was agreed to before it.
    """
    with transaction.atomic():
        found = _pending(number)
        if found is None:
            return False
        entry, person = found
        theirs = Subscription.objects.filter(workspace_id=entry.workspace_id, profile_id=person, channel=entry.channel)
        rows = {row.topic: row for row in theirs.order_by("topic").select_for_update()}
        # Looked at under the lock: whoever takes it back at this moment came before, or comes after.
        if entry.topic not in rows or _stage(entry, person, now) != "open":
            return False
        whole = rows.get(WHOLE_CHANNEL)
        if entry.topic != WHOLE_CHANNEL and whole is not None and whole.state != "subscribed":
            others = [row for row in rows.values() if row.topic not in (entry.topic, WHOLE_CHANNEL) and row.state == "subscribed"]
            for row in others if whole.refused or whole.state == "unsubscribed" else ():
                _say(row, "unsubscribed", None, now)
            _say(whole, "subscribed", entry, now)
        _say(rows[entry.topic], "subscribed", entry, now)
    return True


def _say(row: Subscription, state: State, entry: SubscriptionEntry | None, now: datetime) -> None:
    """What stands from now on, and the ledger's entry of it."""
    own = entry is not None and row.topic == entry.topic
    terms = {
        "state": state,
        "source": SOURCE,
        "wording": entry.wording if entry is not None else "",
        "basis": entry.basis if entry is not None else "",
        "expires_at": entry.expires_at if own and entry is not None else None,
        "at": now,
    }
    Subscription.objects.filter(pk=row.pk).update(**terms, confirm_until=None, refused=False)
    SubscriptionEntry.objects.create(
        workspace_id=row.workspace_id,
        profile_id=row.profile_id,
        channel=row.channel,
        topic=row.topic,
        confirms_id=entry.pk if entry is not None else None,
        **terms,
    )


def _stage(entry: SubscriptionEntry, person: int, now: datetime) -> Stage:
    about = {"workspace_id": entry.workspace_id, "channel": entry.channel, "topic": entry.topic}
    numbers = {entry.profile_id, *numbers_of(entry.workspace_id, person)}
    later = SubscriptionEntry.objects.filter(**about, profile_id__in=numbers, pk__gt=entry.pk).exclude(state="pending").order_by("pk")
    answered = later.values_list("confirms_id", flat=True)[:1]
    if answered:
        still = Subscription.objects.filter(**about, profile_id=person, state="subscribed").exists()
        return "confirmed" if answered[0] == entry.pk and still else "over"
    return "open" if entry.confirm_until is not None and now < entry.confirm_until else "over"


def ask_for_confirmations(ask: Callable[[ToConfirm], Outcome], *, now: datetime) -> int:
    """Send the questions that wait. Returns how many were sent.

    ask: sends one in the transaction that takes it out of the feed, so that it is sent once, whoever looks and whenever somebody is
    killed. What can't be sent for a day is given up: the person may agree anew. A fault of ours in one holds up no other.
    """
    asked = 0
    due = ConfirmationFeed.objects.filter(due_at__lte=now).order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
    for pk in list(due):
        try:
            with transaction.atomic():
                asked += _take(pk, ask, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("confirmation.failed", entry=pk)
            with transaction.atomic():
                _take(pk, lambda waits: "not now", now)
    return asked


def _take(pk: int, ask: Callable[[ToConfirm], Outcome], now: datetime) -> bool:
    """Ask one question, and take it out of the feed or put it off. True if it was sent."""
    row = ConfirmationFeed.objects.select_for_update(skip_locked=True).filter(pk=pk, due_at__lte=now).first()
    if row is None:
        return False
    waits = to_confirm(row.entry_id, now=now)
    outcome: Outcome = ask(waits) if waits is not None and waits.stage == "open" else "never"
    if outcome == "not now" and now < row.at + GIVEN_UP_AFTER:
        ConfirmationFeed.objects.filter(pk=pk).update(due_at=now + LOOKED_AT_AGAIN)
    else:
        row.delete()
    return outcome == "sent"


def confirmations_waiting(*, now: datetime) -> bool:
    """Whether any question is to be sent now. One index look-up."""
    return ConfirmationFeed.objects.filter(due_at__lte=now).exists()
