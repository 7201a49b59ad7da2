"""What a person asks for by one word: to stop, or to start again. The same on every channel that people can answer on."""

from __future__ import annotations

import re

from delivery.adapters.base import EventKind

STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "remove", "arret", "baja", "stopp"})
START = frozenset({"start", "yes", "unstop"})
_NOT_LETTERS = re.compile(r"[\W_]+")


def wish(text: str, opt_out_type: str = "") -> EventKind | None:
    """What an inbound text asks for: to stop, to start again, or nothing of that kind.

    opt_out_type: the vendor's own reading, where it has one. A text that begins with a stop word ("Stop please") stops, too: too
    much silence is the safe side. Starting again takes the exact word.
    """
    if opt_out_type.upper() == "STOP" or "🛑" in text:
        return "unsubscribed"
    if opt_out_type.upper() == "START":
        return "resubscribed"
    words = _NOT_LETTERS.sub(" ", _fold(text)).split()
    if words and (words[0] in STOP or words[:2] == ["opt", "out"]):
        return "unsubscribed"
    return "resubscribed" if len(words) == 1 and words[0] in START else None


def _fold(text: str) -> str:
    return text.casefold().replace("ê", "e").replace("e\u0302", "e")
