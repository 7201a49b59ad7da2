"""What the rule builder offers and what it calls it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

GROUPS = ("all", "any", "none")
GROUP_WORDS = (("all", "all of these hold"), ("any", "at least one of these holds"), ("none", "none of these holds"))
FIELD_TYPES = {"country": "text", "locale": "text", "zone": "text", "created_at": "datetime", "email": "text", "phone": "text"}
FIELD_WORDS = {
    "country": "Country",
    "locale": "Language",
    "zone": "Time zone",
    "created_at": "Known since",
    "email": "E-mail address",
    "phone": "Phone number",
}
OP_WORDS = {
    "is": "is",
    "is_not": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "has_all": "has all of",
    "contains": "contains",
    "starts_with": "starts with",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "between": "is between",
    "exists": "is known",
    "missing": "is not known",
    "before": "is before",
    "after": "is after",
    "in_last": "is in the last",
    "in_next": "is in the next",
    "more_than_ago": "is longer ago than",
    "near": "is within",
    "anniversary": "comes round within the next",
}
_OF_SEVERAL = {"in": "contains one of", "not_in": "contains none of"}
COUNT_WORDS = (("at_least", "at least"), ("at_most", "at most"), ("exactly", "exactly"), ("never", "never"))
HOW_WORDS = (
    ("sum", "the total of"),
    ("average", "the average of"),
    ("smallest", "the smallest"),
    ("largest", "the largest"),
    ("first", "the first time of"),
    ("last", "the last time of"),
)
MEASURE_OPS: Mapping[str, tuple[str, ...]] = {
    "number": ("gte", "gt", "lte", "lt", "between"),
    "datetime": ("in_last", "more_than_ago", "before", "after", "between"),
}
"""How what events come to is compared, by whether it is a number or a moment."""
MESSAGE_WORDS = (
    ("sent", "Was sent a message"),
    ("delivered", "Got a message"),
    ("opened", "Opened a message"),
    ("clicked", "Clicked in a message"),
    ("bounced", "Had a message bounce"),
    ("complained", "Complained of a message"),
    ("unsubscribed", "Unsubscribed by a message"),
)
"""What became of our own messages."""
CHANNEL_WORDS = (("email", "by e-mail"), ("sms", "by SMS"), ("push", "by push"), ("whatsapp", "by WhatsApp"), ("wechat", "by WeChat"))
APART_UNITS = ("minutes", "hours", "days", "weeks")
COUNT_OPS = tuple(op for op, _ in COUNT_WORDS)
SEQUENCE_OPS = ("followed", "not_followed")
UNKNOWN = "unknown"
"""The type of what the catalogue doesn't know: its values are read as those of an event's property."""
UNITS = ("minutes", "hours", "days", "weeks", "months", "years")
PROPERTY_OPS = ("is", "is_not", "in", "not_in", "contains", "starts_with", "gt", "gte", "lt", "lte", "between", "exists", "missing")
LISTS, SPANS, BARE = {"in", "not_in", "has_all"}, {"in_last", "in_next", "more_than_ago", "anniversary"}, {"exists", "missing"}
PROPERTY_PICKERS: Mapping[str, Any] = {
    "property_ops": [(op, OP_WORDS[op]) for op in PROPERTY_OPS],
    "property_lists": LISTS,
    "property_bare": BARE,
}
"""What the fields of an event's property offer, for their template."""


def op_words(op: str, *, several: bool = False, past: bool = False) -> str:
    """What an operator is called, in the builder as in sentences. several: of something that holds several texts; past: of a moment
    that lies behind."""
    words = _OF_SEVERAL.get(op, OP_WORDS[op]) if several else OP_WORDS[op]
    return words.replace("is ", "was ", 1) if past and words.startswith("is ") else words


def hangs_on_the_zone(op: str, type_: str) -> bool:
    """Whether the answer may differ by the person's time zone (audience/rules/zones.py says what else is asked of the value)."""
    return op in SPANS if type_ == "date" else type_ == "datetime" and op in {"before", "after", "between"}


def about(shown: Mapping[str, Any]) -> str:
    """What a condition's operator was chosen for: while it is about the same, one that doesn't fit stays what it is."""
    subject = str(shown.get("field") or shown.get("subject") or "")
    return f"measure:{measure_type(shown.get('how'))}" if subject == "measure" else subject


def operator(shown: Mapping[str, Any], allowed: Sequence[str], usual: str) -> str:
    """The operator that a condition's fields say. One that isn't allowed counts where it was written for this very thing; where it is
    left over from another one, the usual takes its place."""
    op = str(shown.get("op") or "")
    return op if op in allowed or (op and shown.get("about") == about(shown)) else usual


def field_of(record: str, field: str) -> str:
    """A record's field among the types of everything that conditions may be about."""
    return f"record:{record}.{field}"


def field_words(name: str) -> str:
    """A field that has no title, by its name's words."""
    return name.replace("_", " ")


def record_noun(title: str, many: bool) -> str:
    """What one record, or several, of a type are called within a line: "booking", "bookings"; "VIP stay" keeps its capitals."""
    noun = title if title[1:2].isupper() else title[:1].lower() + title[1:]
    if not many:
        return noun
    if re.search("[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search("(s|x|ch|sh)$", noun) else f"{noun}s"


def measure_type(how: object) -> str:
    """Whether what events come to is a number or a moment."""
    return "datetime" if how in ("first", "last") else "number"
