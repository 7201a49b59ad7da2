"""What permitted a message: the proof for whoever asks "why did you write to me?".

The answer is what the ledger of consents said at the message's last look, whatever the person said later. A handful of queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from audience import door as audience
from audience.door import Consent, Stood
from delivery import past
from delivery.message_ids import MessageKey, read_message_id
from delivery.models import Dispatch, Message
from governance.door import Missing

Verdict = Literal["not_needed", "agreed", "not_refused", "refused", "not_agreed", "pending", "expired", "erased", "undecided", "archived"]

_WORDS: dict[Verdict, str] = {
    "not_needed": "needs no consent: class transactional",
    "agreed": "agreed before it was sent",
    "not_refused": "needs no agreement, only no refusal: class service",
    "refused": "had refused",
    "not_agreed": "had never agreed",
    "pending": "has not confirmed yet",
    "expired": "had agreed until before then",
    "erased": "the person was erased, and what they had agreed to with them",
    "undecided": "is looked at when the message is sent",
    "archived": "stands in the archive, with the message",
}

_PERMITTING = ("not_needed", "agreed", "not_refused")


@dataclass(frozen=True, slots=True)
class Permission:
    """Why a message might go, or might not, as of `at`: its last look; None before that.

    said: the ledger's entry that decides, about the topic or (topic "*") the whole channel; None where nobody needed to say anything, or
    nobody did.
    """

    verdict: Verdict
    channel: str
    topic: str
    message_class: str
    at: datetime | None
    said: Consent | None = None

    @property
    def permits(self) -> bool:
        """Whether consent stood in the message's way or not."""
        return self.verdict in _PERMITTING

    @property
    def words(self) -> str:
        """In a sentence about the message, or about its person."""
        return _WORDS[self.verdict]


def permission(workspace_id: int, token: str) -> Permission:
    """What permitted this message, or forbade it. Raises Missing for the id of another workspace, or none."""
    key = read_message_id(token)
    dispatch = Dispatch.objects.filter(pk=key.dispatch_id, workspace_id=workspace_id).first() if key is not None else None
    if key is None or dispatch is None:
        raise Missing("a message of that id")
    about = (dispatch.channel, dispatch.topic, dispatch.message_class)
    found = _looked_at(dispatch, key)
    if dispatch.message_class == "transactional":
        return Permission("not_needed", *about, found[1] if found else None)
    if found is None:
        return Permission("archived" if dispatch.archived_at is not None else "undecided", *about, None)
    profile_id, at = found
    verdict, said = _judged(audience.stood(workspace_id, profile_id, channel=about[0], topic=about[1], at=at), about[2], at)
    return Permission(verdict, *about, at, said)


def _judged(each: Sequence[Stood], message_class: str, at: datetime) -> tuple[Verdict, Consent | None]:
    """Of those who are one person by now, the one whose word permitted it: the ledger of messages has made them one, too."""
    found = [_follows(stood, message_class, at) for stood in each]
    permitting = (one for one in found if one[0] in _PERMITTING)
    return next(permitting, found[0] if found else ("erased", None))


def _follows(stood: Stood, message_class: str, at: datetime) -> tuple[Verdict, Consent | None]:
    """What follows from what somebody had said, and which of it decides: as `audience.consenting` decides at that moment."""
    for said in (stood.whole, stood.topic):
        if said is not None and (said.state == "unsubscribed" or said.refused):
            return ("pending" if said.state == "pending" else "refused"), said
    if message_class == "service":
        return "not_refused", stood.topic
    said = stood.topic
    if said is None:
        return "not_agreed", None
    if said.state == "pending":
        return "pending", said
    return ("expired" if said.expires_at is not None and said.expires_at <= at else "agreed"), said


def because(workspace_id: int, profile_id: int, *, channel: str, topic: str, message_class: str, at: datetime) -> str:
    """Why somebody had no consent at that moment, in words such as "has not confirmed yet"."""
    verdict, _ = _judged(audience.stood(workspace_id, profile_id, channel=channel, topic=topic, at=at), message_class, at)
    return _WORDS[verdict]


def _looked_at(dispatch: Dispatch, key: MessageKey) -> tuple[int, datetime] | None:
    """Whose message it is, and when it had its last look; of a run in the archive, when that was planned. None before the look."""
    row = Message.objects.filter(dispatch_id=key.dispatch_id, n=key.n).values_list("profile_id", "at").first()
    if row is None and dispatch.archived_at is not None:
        return past.recipient(key.dispatch_id, key.n)
    return row
