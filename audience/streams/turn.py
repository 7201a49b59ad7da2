"""Whose turn it is to read a stream whose order counts: one consumer's at a time, and another's soon after it ended.

Law: between two batches of such a stream there is a commit. The turn's row is written first in a batch's transaction, so that whoever
else wants it waits for that commit; a consumer that slept through the end of its turn finds it gone, and has read nothing yet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from audience.models import StreamTurn

LASTS = timedelta(seconds=5)  # so long another waits for one that was killed


def take_turn(workspace_id: int, stream: str, consumer: str, *, now: datetime) -> bool:
    """Whether the batch of this transaction is ours; if so for `LASTS` the next ones are, too."""
    free = Q(consumer=consumer) | Q(until__lte=now)
    rows = StreamTurn.objects.filter(workspace_id=workspace_id, stream=stream)
    if rows.filter(free).update(consumer=consumer, until=now + LASTS):
        return True
    if rows.exists():
        return False
    try:
        with transaction.atomic():
            StreamTurn.objects.create(workspace_id=workspace_id, stream=stream, consumer=consumer, until=now + LASTS)
    except IntegrityError:  # another came first
        return False
    return True


def end_turn(workspace_id: int, stream: str, consumer: str, *, now: datetime) -> None:
    """Another may have it at once."""
    StreamTurn.objects.filter(workspace_id=workspace_id, stream=stream, consumer=consumer).update(consumer="", until=now)
