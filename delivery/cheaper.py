"""What a dispatch would have cost by another channel that its people allow: asked of its page, written nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audience import door as audience
from delivery import policies
from delivery.models import Dispatch
from delivery.planning import planned
from delivery.pricing import quote
from delivery.suppression import suppressed_people
from governance.door import Missing

CHANNELS = ("email", "sms", "push")  # those whose addresses are known of people


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """One other channel. people: whom it may reach of this dispatch's; there, here: what that many messages are expected to cost by it
    and by the dispatch's own channel, at today's prices, in micros of each one's currency; a text counts as one part."""

    channel: str
    people: int
    there: int
    there_currency: str
    here: int
    here_currency: str

    @property
    def cheaper(self) -> bool:
        """Whether it would have cost less, as far as the currencies can be compared."""
        return self.there < self.here and (self.there_currency in ("", self.here_currency))


def elsewhere(workspace_id: int, dispatch_id: int, *, now: datetime) -> list[Elsewhere]:
    """Every other channel with a released route, and how many of the planned people it may reach: with an address, consent to the same
    topic, and not suppressed there. Reads whole audiences: a second or two for a million. Raises Missing."""
    dispatch = Dispatch.objects.filter(pk=dispatch_id, workspace_id=workspace_id).first()
    if dispatch is None:
        raise Missing("a dispatch of that number")
    people, found = planned(workspace_id, dispatch_id), []
    for channel in CHANNELS:
        if channel == dispatch.channel or policies.named(workspace_id, "", channel) is None:
            continue
        reached = people - audience.unreachable(workspace_id, people, channel=channel)
        asked = {"channel": channel, "topic": dispatch.topic, "message_class": dispatch.message_class}
        reached -= audience.unwilling(workspace_id, reached, **asked, now=now)
        reached -= suppressed_people(workspace_id, channel, reached, message_class=dispatch.message_class)
        countries = audience.countries(workspace_id, reached)
        there = quote(workspace_id, channel, countries, now=now)
        here = quote(workspace_id, dispatch.channel, countries, now=now, route_key=dispatch.route_key, policy_key=dispatch.policy_key)
        found.append(Elsewhere(channel, len(reached), *there, *here))
    return found
