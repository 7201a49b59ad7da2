"""A rule as the engines read it: names looked up, types known, values folded, relative times turned into instants.

Negations stand apart (`negated`), so an engine answers a few plain checks and nothing else; every engine must give the same
answer to them, and a value that is missing or of another type than the catalogue's fails every check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Type = Literal["text", "number", "boolean", "date", "datetime", "list", "place", "any"]  # "any": a property that is only asked to exist
Plain = str | int | float | bool
How = Literal["sum", "average", "smallest", "largest", "first", "last"]


@dataclass(frozen=True, slots=True)
class Present:
    """There is a value of the right type; a list has at least one element."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value equals one of these; a list holds at least one of them."""

    values: tuple[Plain, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """The list holds every one of these."""

    values: tuple[Plain, ...]


@dataclass(frozen=True, slots=True)
class DayOfYear:
    """The day's, or the instant's, month and day in UTC ("02-29") are one of these."""

    days: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The text starts with exactly this; no wildcards."""

    text: str


@dataclass(frozen=True, slots=True)
class Substring:
    """The text holds exactly this; no wildcards."""

    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """The value lies between the ends; None: no end on that side. Both ends belong to it unless `open_…`."""

    low: Plain | None = None
    high: Plain | None = None
    open_low: bool = False
    open_high: bool = False


@dataclass(frozen=True, slots=True)
class Near:
    """The place is at a point whose straight line to this one is, squared, at most so long (audience/rules/places.py)."""

    point: tuple[int, int, int]
    square: int


Check = Present | OneOf | AllOf | DayOfYear | Prefix | Substring | Range | Near


@dataclass(frozen=True, slots=True)
class Tested:
    """A check of one attribute or profile field. path: the node's place in the rule (JSON Pointer)."""

    source: Literal["attribute", "profile"]
    name: str
    type: Type
    check: Check
    negated: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A check of a score that was made at one of these moments; an older one is as good as none."""

    score: Tested
    made: Tested
    path: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Zoned:
    """A check whose days are those of the person's own zone. cases: zones, and the check there; elsewhere: in all others, and in none."""

    source: Literal["attribute", "profile"]
    name: str
    type: Type
    cases: tuple[tuple[tuple[str, ...], Check], ...]
    elsewhere: Check
    path: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """A check of one property of an event."""

    name: str
    type: Type
    check: Check
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """Between `low` (≥ 1) and `high` (None: any number of) events of that name, with since ≤ at ≤ until, whose properties pass."""

    event: str
    low: int
    high: int | None
    since: datetime | None
    until: datetime
    where: tuple[PropertyTest, ...] = ()
    negated: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the events of that name, with since ≤ at ≤ until, whose properties pass, come to, lies in the range.

    how: of the numbers that `of` has in them, exactly; or of the instants at which they happened ("first", "last"; of is "").
    Without any such number or event it lies in no range.
    """

    event: str
    how: How
    of: str
    check: Range
    since: datetime | None
    until: datetime
    where: tuple[PropertyTest, ...] = ()
    path: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a sequence: its name, and what its properties pass."""

    event: str
    where: tuple[PropertyTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Sequenced:
    """The steps one after the other, each at a later instant than the one before and at most `apart` after it; since ≤ the first, the
    last ≤ until.

    followed: False: all but the last so, and in the time `apart` after them, which is over, not the last.
    """

    steps: tuple[Step, ...]
    apart: timedelta
    followed: bool
    since: datetime | None
    until: datetime
    path: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class FieldTest:
    """A check of one field of a record. cases: zones of the person, and the check there; `check` in all others, and in none."""

    name: str
    type: Type
    check: Check
    negated: bool = False
    cases: tuple[tuple[tuple[str, ...], Check], ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """Between `low` (≥ 1) and `high` (None: any number of) records of that type, each counted once, to which the person is related in the
    role ("": in any), whose fields pass."""

    record: str
    role: str
    low: int
    high: int | None
    where: tuple[FieldTest, ...] = ()
    negated: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """Those whose number, mixed with the salt's, falls into the first `millionths` of a million (audience/shares.py)."""

    salt: str
    millionths: int
    path: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """On the uploaded list of that number."""

    number: int
    path: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Consented:
    """Subscribed to the topic, by an agreement that hasn't expired at that moment, and not unsubscribed from the whole channel.
    pending: asked to confirm it instead, and able to at that moment."""

    channel: str
    topic: str
    at: datetime
    pending: bool = False
    path: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Addressed:
    """Has an address of the channel."""

    channel: str
    path: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """Everyone, or nobody: a condition whose answer is the same for all profiles."""

    everyone: bool
    path: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """In another segment: its own rule, bound. The same segment is the same object wherever a rule uses it."""

    key: str
    rule: Bound
    path: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """all: every child; any: at least one; none: not one."""

    op: Literal["all", "any", "none"]
    children: tuple[Bound, ...]
    path: str = ""


Leaf = Tested | Zoned | Fresh | Counted | Measured | Sequenced | Related | Share | Listed | Consented | Addressed | Constant
Bound = Leaf | Member | Group


def below(node: Bound) -> tuple[Bound, ...]:
    """The nodes right below this one."""
    if isinstance(node, Group):
        return node.children
    return (node.rule,) if isinstance(node, Member) else ()


def joined_alternatives(group: Group) -> tuple[Bound, ...]:
    """The children of an `any` or `none` with fewer conditions: "is a" or "is b" of one attribute is "is one of a, b".

    Somebody who clicks 300 values together pays for one look at the attribute, not for 300.
    """
    if group.op == "all":
        return group.children
    values: dict[tuple[str, str, str], dict[Plain, None]] = {}
    first: dict[tuple[str, str, str], Tested] = {}
    rest: list[Bound] = []
    for child in group.children:
        if isinstance(child, Tested) and isinstance(child.check, OneOf) and not child.negated:
            key = (child.source, child.name, child.type)
            first.setdefault(key, child)
            values.setdefault(key, {}).update(dict.fromkeys(child.check.values))
        else:
            rest.append(child)
    return (*(replace(leaf, check=OneOf(tuple(values[key]))) for key, leaf in first.items()), *rest)


def leaves(node: Bound) -> Iterator[Leaf]:
    """Every condition, from left to right, those of other segments included."""
    if isinstance(node, Group | Member):
        for child in below(node):
            yield from leaves(child)
    else:
        yield node
