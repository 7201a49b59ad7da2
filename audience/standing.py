"""What somebody had said at a moment of the past, by the ledger: the answer to "why did you write to me?"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from audience.consent import Consent, as_consent
from audience.models import SubscriptionEntry
from audience.other_ids import numbers_of
from audience.profiles import present
from audience.topics import WHOLE_CHANNEL


@dataclass(frozen=True, slots=True)
class Stood:
    """What stood about a topic of a channel and about the channel as a whole; None: nothing was ever said."""

    topic: Consent | None
    whole: Consent | None


def stood(workspace_id: int, profile_id: int, *, channel: str, topic: str, at: datetime) -> list[Stood]:
    """What this person's ledger said at that moment, whatever came later: first under their own number, then under each of those who have
    become one with them, of whom each had a ledger of their own then. Empty for the erased: it went with them. Three queries.
    """
    person = present(workspace_id, [profile_id]).get(profile_id)
    if person is None:
        return []
    numbers = numbers_of(workspace_id, person)
    newest = Window(RowNumber(), partition_by=[F("profile_id"), F("topic")], order_by=[F("at").desc(), F("id").desc()])
    entries = SubscriptionEntry.objects.filter(
        workspace_id=workspace_id, profile_id__in=numbers, channel=channel, topic__in=(topic, WHOLE_CHANNEL), at__lte=at
    )
    said = {(row.profile_id, row.topic): as_consent(row) for row in entries.annotate(place=newest).filter(place=1)}
    return [Stood(said.get((number, topic)), said.get((number, WHOLE_CHANNEL))) for number in numbers]
