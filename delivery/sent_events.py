"""The ledger as rules see it: "message.sent", one for each message that a vendor surely took. What is in doubt is not among them.

As far back as the ledger is kept: what was archived is no row any more (docs/how-to/export-and-retention.md).
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from audience.door import EventSource, Having
from delivery import past
from delivery.models import Attempt, Dispatch, Message
from delivery.states import AttemptState, MessageState

_TAKEN = (MessageState.SENT, MessageState.DELIVERED, MessageState.BOUNCED, MessageState.COMPLAINED)
_COLUMNS = {"campaign": "key", "channel": "channel"}


def sent(workspace_id: int, name: str, since: datetime | None, until: datetime, having: Having) -> QuerySet[Message]:
    """The messages sent, by the moment of their last look. having: keys of campaigns or message types, channels."""
    asked = Q(workspace_id=workspace_id, at__lte=until)
    if since is not None:
        asked &= Q(at__gte=since)
    its_own = Attempt.objects.filter(dispatch_id=OuterRef("dispatch_id"), pk=OuterRef("attempt_id"), state=AttemptState.SENT)
    asked &= Q(state__in=_TAKEN) | Q(Exists(its_own), state=MessageState.SENDING)
    if having:
        theirs = Dispatch.objects.filter(workspace_id=workspace_id, **{f"{_COLUMNS[of]}__in": values for of, values in having.items()})
        asked &= Q(dispatch_id__in=theirs.values("pk"))
    leaving = past.leaving(workspace_id)
    return Message.objects.filter(asked & ~Q(dispatch_id__in=leaving) if leaving else asked)


SENT_EVENTS = EventSource(frozenset({"message.sent"}), sent, "profile_id", frozenset(_COLUMNS))
