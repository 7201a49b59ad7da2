"""What a value could be, while somebody types it: what people have, what is done with events, and the names of countries, languages, zones.

Quick however many people there are: so many of them are looked at, spread over all, for so long; and what was found is remembered for
a minute. Whether somebody may see a sensitive attribute is the caller's to ask. Addresses are never suggested.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from babel import Locale

from audience import breakdown_sql as held
from audience import sql
from audience.addresses import country_codes, zone_names
from audience.breakdown import as_given
from audience.catalogue import Catalogue, titles_of, types_of
from audience.event_types import event_titles
from audience.events import event_names, latest_properties
from audience.models import Subscription
from audience.rule_written import plain
from audience.rules.fields import fold_text
from audience.spread import everybody_or_some
from governance.door import Missing

OFFERED = 20  # at once
KEPT = 1_000  # values of one attribute that are remembered: the most frequent
EVENTS = 2_000  # the last ones of a name, whose properties are looked at
NAMES = 300  # event names and topics
REMEMBERED = timedelta(minutes=1)
MOST_REMEMBERED = 300  # answers
TIME = 800  # milliseconds for the values of one attribute
LONGEST = 200  # characters of a value that is worth suggesting
SUGGESTED_FIELDS = ("country", "locale", "zone")
ENGLISH = Locale("en")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value as a rule has it, what it is called, and how many of those who were looked at have it; None where nobody counted."""

    value: str
    label: str
    people: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """looked_at: how many people were, None where they don't matter; whole: whether that was everybody; cut: whether there are rarer
    values that aren't among the items; numbers: of an attribute that is a number, (the least, the middle one, the largest)."""

    items: tuple[Suggestion, ...] = ()
    looked_at: int | None = None
    whole: bool = True
    cut: bool = False
    numbers: tuple[float, float, float] | None = None


def suggest_value(workspace_id: int, known: Catalogue, subject: str, typed: str, *, now: datetime) -> Suggestions:
    """Values of "attribute:plan", of a part of one, or of "profile:country" that begin as typed. Raises Missing."""
    sort, _, name = subject.partition(":")
    if sort == "profile" and name in SUGGESTED_FIELDS:
        return Suggestions(_first(typed, _FIELDS[name]()))
    type_ = types_of(known).get(name) if sort == "attribute" else None
    if type_ == "number":
        return _remembered((workspace_id, subject), now, lambda: _numbers(workspace_id, name))
    if type_ not in ("text", "list"):
        raise Missing(f"no values are suggested for {titles_of(known).get(name, name[:80])}")
    found = _remembered((workspace_id, subject, type_), now, lambda: _values(workspace_id, name, type_))
    items = _first(typed, found.items)
    if not found.cut or len(items) == OFFERED or not (start := fold_text(typed.strip())):
        return Suggestions(items, found.looked_at, found.whole)
    rarer = _remembered((workspace_id, subject, type_, start), now, lambda: _values(workspace_id, name, type_, start))
    return Suggestions(_first(typed, {one.value: one for one in (*items, *rarer.items)}.values()), found.looked_at, found.whole)


def suggest_event(workspace_id: int, typed: str, *, now: datetime) -> Suggestions:
    """Names of events that happened."""
    found = _remembered((workspace_id, "events"), now, lambda: _events(workspace_id))
    return Suggestions(_first(typed, found.items))


def suggest_topic(workspace_id: int, typed: str, *, now: datetime) -> Suggestions:
    """Topics that somebody agreed to or refused, and the whole channel."""
    rows = Subscription.objects.filter(workspace_id=workspace_id).exclude(topic="*").order_by("topic").values_list("topic", flat=True)
    found = _remembered((workspace_id, "topics"), now, lambda: _plainly(rows.distinct()[:NAMES]))
    return Suggestions(_first(typed, (*found.items, Suggestion("*", "* (the whole channel)"))))


def suggest_property(workspace_id: int, event: str, typed: str, *, now: datetime) -> Suggestions:
    """Names of what the last events of a name had in them, the most frequent first."""
    found = _remembered((workspace_id, "properties", event), now, lambda: _properties(workspace_id, event))
    return Suggestions(_first(typed, found.items))


def suggest_property_value(workspace_id: int, event: str, name: str, typed: str, *, now: datetime) -> Suggestions:
    """What the last events of a name had under one of their properties, as the builder's field writes it."""
    found = _remembered((workspace_id, "property", event, name), now, lambda: _property_values(workspace_id, event, name))
    return Suggestions(_first(typed, found.items))


def forget() -> None:
    """Forget every answer: for tests, whose databases begin anew."""
    _answers.clear()


_answers: dict[tuple[Any, ...], tuple[datetime, Suggestions]] = {}


def _remembered(about: tuple[Any, ...], now: datetime, ask: Callable[[], Suggestions]) -> Suggestions:
    kept = _answers.get(about)
    if kept is not None and now - REMEMBERED <= kept[0] <= now:
        return kept[1]
    found = ask()
    if len(_answers) >= MOST_REMEMBERED:
        _answers.clear()
    _answers[about] = (now, found)
    return found


def _first(typed: str, items: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Those that begin as typed, and then those of which another word does, each in their order."""
    start = fold_text(typed.strip())
    if not start:
        return tuple(items)[:OFFERED]
    word = re.compile(rf"[\W_]{re.escape(start)}")
    ranks = [(0 if any(each.startswith(start) for each in said) else 1, one) for one in items if _begins(said := _said(one), start, word)]
    return tuple(one for _, one in sorted(ranks, key=lambda rank: rank[0]))[:OFFERED]


def _said(one: Suggestion) -> tuple[str, ...]:
    return (fold_text(one.value), fold_text(one.label))


def _begins(said: Sequence[str], start: str, word: re.Pattern[str]) -> bool:
    return any(each.startswith(start) or word.search(each) for each in said)


def _plainly(names: Iterable[str]) -> Suggestions:
    return Suggestions(tuple(Suggestion(name, name) for name in names))


def _events(workspace_id: int) -> Suggestions:
    """By their types' titles, where they have one: the name stays beside it, which is what the field holds."""
    titles = event_titles(workspace_id)
    names = event_names(workspace_id, limit=NAMES)
    return Suggestions(tuple(Suggestion(name, f"{titles[name]} ({name})" if name in titles else name) for name in names))


def _values(workspace_id: int, name: str, type_: str, start: str = "") -> Suggestions:
    """The most frequent values of some people, as they were given; start: only those that begin so, folded."""
    try:
        with sql.within(TIME):
            ids, everyone = everybody_or_some(workspace_id)
            found = held.items(workspace_id, ids, name) if type_ == "list" else held.attribute(workspace_id, ids, name, "text")
            rows = found.beginning(start, OFFERED) if start else found.most(KEPT)
            cut, rows = len(rows) > KEPT, [row for row in rows if row[0] and _tellable(row[0])][:KEPT]
            labels = as_given(workspace_id, name)(rows) if rows else []
    except sql.TookTooLong:
        return Suggestions()
    items = tuple(Suggestion(label, label, row[2]) for row, label in zip(rows, labels, strict=True))
    return Suggestions(items, len(ids), everyone, cut)


def _numbers(workspace_id: int, name: str) -> Suggestions:
    try:
        with sql.within(TIME):
            ids, everyone = everybody_or_some(workspace_id)
            _, known, least, largest, _, _, middle = held.attribute(workspace_id, ids, name, "number").measures((50,))
    except sql.TookTooLong:
        return Suggestions()
    return Suggestions((), len(ids), everyone, numbers=(float(least), float(middle), float(largest)) if known else None)


def _properties(workspace_id: int, event: str) -> Suggestions:
    times = Counter(name for properties in latest_properties(workspace_id, event, EVENTS) for name in properties)
    return _plainly(name for name, _ in times.most_common(KEPT))


def _property_values(workspace_id: int, event: str, name: str) -> Suggestions:
    texts = (_written(properties.get(name)) for properties in latest_properties(workspace_id, event, EVENTS))
    times = Counter(text for text in texts if text and _tellable(text))
    return _plainly(text for text, _ in times.most_common(KEPT))


def _written(value: Any) -> str:
    """A property's value as the builder's field writes it: a text that would be read as a number is in quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str) or not value:
        return ""
    return value if isinstance(plain(value, "any"), str) else f'"{value}"'


def _tellable(text: str) -> bool:
    """No address, which somebody could have put anywhere, and nothing that is a letter rather than a value."""
    return len(text) <= LONGEST and "@" not in text and not re.fullmatch(r"\+[\d\s()./-]{6,}", text)


@lru_cache(maxsize=1)
def _countries() -> tuple[Suggestion, ...]:
    named = [(str(ENGLISH.territories.get(code, code)), code) for code in country_codes()]
    return tuple(Suggestion(code, f"{name} ({code})") for name, code in sorted(named))


@lru_cache(maxsize=1)
def _languages() -> tuple[Suggestion, ...]:
    """Languages by their names."""
    codes = [str(code) for code in ENGLISH.languages if re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", str(code))]
    named = sorted((str(ENGLISH.languages[code]), code.replace("_", "-")) for code in codes)
    return tuple(Suggestion(code, f"{name} ({code})") for name, code in named)


@lru_cache(maxsize=1)
def _zones() -> tuple[Suggestion, ...]:
    return tuple(Suggestion(name, name.replace("_", " ")) for name in sorted(zone_names()))


_FIELDS: Mapping[str, Callable[[], tuple[Suggestion, ...]]] = {"country": _countries, "locale": _languages, "zone": _zones}
