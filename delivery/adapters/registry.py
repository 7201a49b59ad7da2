"""Which vendors there are: those of the house, and those that installed packages bring (entry points of the group `omni.adapters`).

A package that can't be loaded, or whose adapter breaks the rules below, is left out and named in `BROKEN`; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from audience.door import CHANNELS
from delivery.adapters.apns import Apns
from delivery.adapters.base import Adapter
from delivery.adapters.fcm import Fcm
from delivery.adapters.mailgun import Mailgun
from delivery.adapters.outbox import Outbox
from delivery.adapters.postmark import Postmark
from delivery.adapters.sendgrid import SendGrid
from delivery.adapters.ses import Ses
from delivery.adapters.smtp import Smtp
from delivery.adapters.twilio import Twilio
from delivery.adapters.webhook import OwnWebhook
from delivery.adapters.webpush import WebPush
from delivery.adapters.wechat import WeChat
from delivery.adapters.whatsapp import WhatsAppCloud

GROUP = "omni.adapters"
PLATFORMS = frozenset({"fcm", "apns", "webpush"})  # of devices
LONGEST_KEY = 20  # characters of a vendor's name in the ledger
HOUSE: tuple[Adapter, ...] = (
    Outbox(),
    SendGrid(),
    Ses(),
    Mailgun(),
    Postmark(),
    Smtp(),
    Twilio(),
    WhatsAppCloud(),
    WeChat(),
    Fcm(),
    Apns(),
    WebPush(),
    OwnWebhook(),
)


@dataclass(frozen=True, slots=True)
class Broken:
    """An installed adapter that was left out. entry: the entry point's name and value; why: what a person must mend."""

    entry: str
    why: str


def with_packages(house: Iterable[Adapter], found: Iterable[EntryPoint]) -> tuple[dict[str, Adapter], list[Broken]]:
    """The house's adapters and those of the entry points, by key, in order; and what had to be left out. Never raises."""
    known, broken = {one.key: one for one in house}, list[Broken]()
    for entry in sorted(found, key=lambda entry: (entry.name, entry.value)):
        try:
            made = entry.load()
            one = made() if isinstance(made, type) else made
            why = _fault(one, known)
        except Exception as error:  # somebody else's code: whatever it does, the other vendors go on
            why = f"{type(error).__name__}: {error}"[:300]
        if why:
            broken.append(Broken(f"{entry.name} = {entry.value}", why))
        else:
            known[one.key] = one
    return known, broken


def _fault(one: object, known: Mapping[str, Adapter]) -> str:
    """Why this is no adapter that can be used, "" where it is one."""
    if not isinstance(one, Adapter):
        return "not a subclass of delivery.adapters.base.Adapter"
    key, title, channels = (getattr(one, name, None) for name in ("key", "title", "channels"))
    if not isinstance(key, str) or not key.isidentifier() or len(key) > LONGEST_KEY:
        return f"its key is not a name of at most {LONGEST_KEY} letters, digits and _"
    if key in known:
        return f"the key {key!r} is taken by {known[key].title}"
    if not isinstance(title, str) or not title:
        return "it has no title"
    if not isinstance(channels, frozenset) or not channels or not channels <= set(CHANNELS):
        return f"its channels are not a frozenset of some of {', '.join(CHANNELS)}"
    platforms = getattr(one, "platforms", None)
    if "push" in channels and not (isinstance(platforms, frozenset) and platforms and platforms <= PLATFORMS):
        return f"it carries push, and its platforms are not a frozenset of some of {', '.join(sorted(PLATFORMS))}"
    return ""


ADAPTERS, BROKEN = with_packages(HOUSE, entry_points(group=GROUP))


def adapter(key: str) -> Adapter:
    """The adapter of a vendor. KeyError for a vendor nobody wrote one for."""
    return ADAPTERS[key]


def vendors_of(channel: str) -> list[str]:
    """Keys of the vendors that carry this channel, sorted."""
    return sorted(key for key, found in ADAPTERS.items() if channel in found.channels)


def title_of(key: str) -> str:
    """A vendor's name for people; the key itself of one that isn't installed (any more)."""
    return ADAPTERS[key].title if key in ADAPTERS else key
