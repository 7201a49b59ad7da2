"""How many people of an audience have said yes: a forecast for authors. Only the last look decides."""

from __future__ import annotations

from dataclasses import dataclass

from audience import door as audience
from workflow.outlook import Outlook, spread

LOOKED_AT = 10_000  # people asked; a larger audience is told from so many, evenly spread over it


@dataclass(frozen=True, slots=True)
class Permission:
    """count: people with consent now; exact: everybody was asked; topic: to what they agreed."""

    count: int
    exact: bool
    topic: str


def permission(outlook: Outlook) -> Permission | None:
    """How many of the people who would be written to have consented; None where nobody is asked for consent."""
    plan = outlook.plan
    if plan.message_class == "transactional" or not outlook.ids:
        return None
    asked = spread(outlook.ids, LOOKED_AT)
    willing = audience.consenting(outlook.workspace_id, asked, channel=plan.channel, topic=plan.topic, message_class=plan.message_class)
    exact = len(asked) == outlook.count
    count = len(willing) if exact else round(outlook.count * len(willing) / len(asked))
    return Permission(count, exact, plan.topic)
