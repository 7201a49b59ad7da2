"""What delivery tells a person who asks what is kept of them: their messages, what waits for them, and whether they are written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audience import door as audience
from delivery import past
from delivery.addresses import address_hash
from delivery.explain import MOST, messages
from delivery.models import Decision, Suppression
from delivery.states import WorkState
from delivery.suppression import normal


def tell(workspace_id: int, numbers: Sequence[int]) -> dict[str, Any]:
    """Sections by name. What messages said isn't kept; runs in the archive are there under these numbers."""
    waiting = Decision.objects.filter(workspace_id=workspace_id, profile_id__in=numbers, state=WorkState.READY)
    return {
        "numbers": list(numbers),
        "messages": [each for number in numbers for each in _messages(workspace_id, number)],
        "messages_archived_until": past.archived_until(workspace_id),
        "messages_that_wait": [
            {"type": each.dispatch.key, "due_at": each.due_at, "data": each.payload} for each in waiting.select_related("dispatch")
        ],
        "suppressions": _suppressions(workspace_id, numbers),
    }


def _messages(workspace_id: int, number: int) -> list[dict[str, Any]]:
    found, after = list[dict[str, Any]](), ""
    while True:
        page = messages(workspace_id, profile_id=number, after=after, limit=MOST)
        found += [
            {name: getattr(each, name) for name in ("message_id", "campaign", "kind", "channel", "state", "reason", "at", "vendor")}
            for each in page.items
        ]
        if not page.next:
            return found
        after = page.next


def _suppressions(workspace_id: int, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Of the addresses that are known: only keyed hashes of suppressed ones are kept."""
    person = next(iter(audience.load(workspace_id, numbers)), None)
    addresses = (("email", person.email), ("sms", person.phone)) if person is not None else ()
    hashes = [address_hash(workspace_id, channel, normal(channel, each)) for channel, each in addresses if each]
    rows = Suppression.objects.filter(workspace_id=workspace_id, address_hash__in=hashes)
    return [{"channel": row.channel, "reason": row.reason, "source": row.source, "at": row.at} for row in rows]
