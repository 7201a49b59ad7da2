"""Which vendors there are."""

from __future__ import annotations

from delivery.adapters.base import Adapter
from delivery.adapters.outbox import Outbox
from delivery.adapters.sendgrid import SendGrid
from delivery.adapters.twilio import Twilio

ADAPTERS: dict[str, Adapter] = {adapter.key: adapter for adapter in (Outbox(), SendGrid(), Twilio())}


def adapter(key: str) -> Adapter:
    """The adapter of a vendor. KeyError for a vendor nobody wrote one for."""
    return ADAPTERS[key]


def vendors_of(channel: str) -> list[str]:
    """Keys of the vendors that carry this channel, sorted."""
    return sorted(key for key, found in ADAPTERS.items() if channel in found.channels)
