"""What a suppression or a consent came through, in words: they keep it as `room:what` or in the caller's own words."""

from __future__ import annotations

from delivery.adapters.registry import ADAPTERS, title_of
from delivery.conclusions import OURS

_OUR_PAGES = {"preferences": "the preference page", "unsubscribed": "the link in a message"}
_EVENTS = {OURS: "our own pages", "soft bounces": "repeated soft bounces"}
_THROUGH = {"keyword": "a reply", "complained": "a complaint", "unsubscribed": "an unsubscription"}


def source_words(source: str) -> str:
    """To be read after "by": "twilio:keyword" → "a reply through Twilio Messages". What is nobody's form stays as it is."""
    room, colon, what = source.partition(":")
    if not colon:
        return source
    if room == "event":
        return _EVENTS.get(what) or title_of(what)
    if room == "import":
        return f"the import of {what}"
    if room == OURS:
        return _OUR_PAGES.get(what, "our own pages")
    return f"{_THROUGH[what]} through {title_of(room)}" if room in ADAPTERS and what in _THROUGH else source
