"""Where a message's links lead, for delivery's click page: by pinned revision, filled for the person who clicked."""

from __future__ import annotations

from audience import door as audience
from delivery import door as delivery
from workflow import content


def link_target(dispatch_id: int, n: int, k: int) -> str | None:
    """The address behind link k of message n. None: no such message, no such link, or a value it needs is gone."""
    sent = delivery.sent_message(dispatch_id, n)
    if sent is None:
        return None
    people = audience.load(sent.workspace_id, [sent.profile_id])
    revision_id = content.revision_of(sent.experiment, sent.template_revision_id, sent.variant)
    return content.link_target(sent.workspace_id, revision_id, sent.pins, people[0] if people else None, sent.payload, k)
