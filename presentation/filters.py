"""The filters that expressions may use: their names, arguments and what comes out. (How they work: rendering.)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Argument = Literal["any", "text", "digits", "length", "currency", "style", "zone", "form", "joint"]


@dataclass(frozen=True, slots=True)
class Filter:
    """arguments: kinds in order, the first `required` of them needed; takes and gives: the type of the value before and after
    ("any" where it doesn't matter)."""

    takes: str
    gives: str
    arguments: tuple[Argument, ...] = ()
    required: int = 0
    meaning: str = ""


FILTERS: dict[str, Filter] = {
    "default": Filter("any", "any", ("any",), 1, "the argument where the value is missing"),
    "upper": Filter("text", "text", meaning="UPPER CASE"),
    "lower": Filter("text", "text", meaning="lower case"),
    "title": Filter("text", "text", meaning="Every Word Capitalised"),
    "capitalize": Filter("text", "text", meaning="First letter upper, the rest as it is"),
    "trim": Filter("text", "text", meaning="without blanks at both ends"),
    "truncate": Filter("text", "text", ("length", "text"), 1, "at most so many characters, cut at a word, then … or the second argument"),
    "replace": Filter("text", "text", ("text", "text"), 2, "the first argument replaced by the second"),
    "round": Filter("number", "number", ("digits",), 0, "rounded half up to so many decimals (0)"),
    "abs": Filter("number", "number", meaning="without its sign"),
    "number": Filter("number", "text", ("digits",), 0, "written as the locale writes numbers, with so many decimals"),
    "percent": Filter("number", "text", ("digits",), 0, "0.25 as 25%, as the locale writes it"),
    "money": Filter("number", "text", ("currency",), 1, 'an amount of a currency such as "EUR", as the locale writes it'),
    "date": Filter("date", "text", ("style",), 0, "a date as the locale writes it: short, medium, long or full (medium)"),
    "time": Filter("datetime", "text", ("style", "zone"), 0, "a time of day: short, medium, in a zone (UTC)"),
    "datetime": Filter("datetime", "text", ("style", "zone"), 0, "date and time, in a zone (UTC)"),
    "length": Filter("any", "number", meaning="how many characters, items or fields"),
    "first": Filter("list", "any", meaning="the first item"),
    "last": Filter("list", "any", meaning="the last item"),
    "each": Filter("list", "list", ("text",), 1, "one field of each item, those that lack it left out"),
    "join": Filter("list", "text", ("text",), 0, 'the items with the argument (", ") between them'),
    "list": Filter("list", "text", ("joint",), 0, 'the items as the locale lists them: with its "and", or its "or"'),
    "plural": Filter("number", "text", ("form",) * 6, 1, 'a number with its words: "one: # night", "other: # nights"'),
}

JOINTS = ("and", "or")
STYLES = ("short", "medium", "long", "full")
MAX_DIGITS = 10
MAX_LENGTH = 10_000
