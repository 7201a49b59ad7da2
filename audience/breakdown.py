"""What sort of people a set is: the values of one attribute or field, added up, as small charts show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pyroaring import BitMap64

from audience import breakdown_sql as held
from audience.catalogue import catalogue, titles_of, types_of, value_of
from audience.profiles import people
from audience.rule_words import FIELD_WORDS
from governance.door import Missing

MOST_VALUES = 20
BINS = 12  # of numbers, about
FEW = 200  # numbers of so many people are shown from the least to the largest; of more, the outermost ones share a bar
OUTER = 5  # hundredths of the people, at either end
MONTHS, YEARS = 36, 80  # a longer time is shown by years, then by decades, then by centuries


@dataclass(frozen=True, slots=True)
class Bar:
    """One value, or the values from one to another, and how many people have it. value: as rules compare it, where it is one value."""

    label: str
    people: int
    value: str = ""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What numbers come to."""

    least: float
    median: float
    average: float
    largest: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """How many of some people have which value.

    sort: "values", the most frequent first; "items", the same of lists, where one person may count for several; "numbers", from the
    least on; "time", from the first on. people: all of them; missing: those of whom it isn't known; kinds: how many values there are;
    others: how many people have a value that has no bar, None where a person may have several.
    """

    subject: str
    title: str
    sort: Literal["values", "items", "numbers", "time"]
    bars: tuple[Bar, ...]
    people: int
    missing: int
    kinds: int = 0
    others: int | None = 0
    unit: str = ""
    numbers: Numbers | None = None

    @property
    def known(self) -> int:
        """Of how many it is known."""
        return self.people - self.missing


def breakdown(workspace_id: int, ids: BitMap64, subject: str, *, most: int = MOST_VALUES) -> Breakdown:
    """These people by one thing. subject: "profile:country", or "attribute:plan", or a part of one, as rules call it:
    "attribute:address.city"; most: values that get a bar.

    Addresses and places are never told, only whether there is one. Whether somebody may see a sensitive attribute is the caller's to ask.
    Raises Missing.
    """
    sort, _, name = subject.partition(":")
    if sort == "profile" and name in FIELD_WORDS:
        return _of_field(workspace_id, ids, name, most)
    if sort != "attribute" or name not in types_of(catalogue(workspace_id)):
        raise Missing(f"nothing that people could be broken down by is called {name[:80]}")
    return _of_attribute(workspace_id, ids, name, most)


def _of_field(workspace_id: int, ids: BitMap64, name: str, most: int) -> Breakdown:
    subject, title = f"profile:{name}", FIELD_WORDS[name]
    if name == "created_at":
        return _over_time(subject, title, held.created(workspace_id, ids))
    if name in ("email", "phone"):
        return _by_value(subject, title, held.presence(workspace_id, ids, {"email": "email_key"}.get(name, name)), most, _yes_or_no)
    return _by_value(subject, title, held.field(workspace_id, ids, name), most, _as_kept)


def _of_attribute(workspace_id: int, ids: BitMap64, name: str, most: int) -> Breakdown:
    known = catalogue(workspace_id)
    subject, title, type_ = f"attribute:{name}", titles_of(known)[name], types_of(known)[name]
    if type_ == "place":
        return _by_value(subject, title, held.lists(workspace_id, ids, name, of="number"), most, _yes_or_no)
    if type_ == "list":
        found, lists = held.items(workspace_id, ids, name), held.lists(workspace_id, ids, name, of="text")
        return _by_item(subject, title, found, lists, most, as_given(workspace_id, name))
    found = held.attribute(workspace_id, ids, name, type_)
    if type_ == "number":
        return _by_size(subject, title, known[name].unit if name in known else "", found)
    if type_ in ("date", "datetime"):
        return _over_time(subject, title, found)
    return _by_value(subject, title, found, most, as_given(workspace_id, name) if type_ == "text" else _yes_or_no)


Words = Callable[[Sequence[held.Row]], list[str]]  # rows that begin with a value and one who has it → what the values are called


def _as_kept(rows: Sequence[held.Row]) -> list[str]:
    return [row[0] for row in rows]


def _yes_or_no(rows: Sequence[held.Row]) -> list[str]:
    return ["yes" if row[0] == "true" else "no" for row in rows]


def as_given(workspace_id: int, name: str) -> Words:
    """Values as somebody gave them: the folded ones are for comparing."""

    def words(rows: Sequence[held.Row]) -> list[str]:
        shown: dict[tuple[int, str], str] = {}
        examples = people(workspace_id).filter(pk__in=[row[1] for row in rows]).values_list("pk", "folded", "attributes")
        for pk, folded, given in examples:
            compared, kept = folded.get(name), value_of(given, name)
            for one, as_given in zip(compared, kept or (), strict=False) if isinstance(compared, list) else [(compared, kept)]:
                shown.setdefault((pk, one), str(as_given))
        return [shown.get((row[1], row[0]), row[0]) or "(empty)" for row in rows]

    return words


def _by_value(subject: str, title: str, found: held.Held, most: int, words: Words) -> Breakdown:
    rows = found.most(most)
    missing = sum(row[2] for row in rows if row[0] is None)
    kinds = (rows[0][3] if rows else 0) - bool(missing)
    listed = [row for row in rows if row[0] is not None][:most]
    bars = tuple(Bar(label, row[2], row[0]) for label, row in zip(words(listed), listed, strict=True))
    counted = missing + sum(bar.people for bar in bars)
    everyone = counted if kinds <= len(bars) else found.known()[0]
    return Breakdown(subject, title, "values", bars, everyone, missing, kinds, everyone - counted)


def _by_item(subject: str, title: str, found: held.Held, lists: held.Held, most: int, words: Words) -> Breakdown:
    rows = found.most(most)[:most]
    bars = tuple(Bar(label, row[2], row[0]) for label, row in zip(words(rows), rows, strict=True))
    everyone, known = lists.known()
    return Breakdown(subject, title, "items", bars, everyone, everyone - known, rows[0][3] if rows else 0, None)


def _by_size(subject: str, title: str, unit: str, found: held.Held) -> Breakdown:
    everyone, known, least, largest, average, broken, *at = found.measures((OUTER, 50, 100 - OUTER))
    if not known:
        return Breakdown(subject, title, "numbers", (), everyone, everyone, unit=unit)
    low, middle, high = at if known > FEW else (least, at[1], largest)
    edges, step = _edges(low, high, whole=not broken)
    bins = found.between([float(edge) for edge in edges])
    labels = _labels(edges, step, whole=not broken)
    places = [place for place in range(len(labels)) if 0 < place < len(edges) or bins.get(place)]
    bars = tuple(Bar(labels[place], bins.get(place, 0)) for place in places)
    numbers = Numbers(float(least), float(middle), float(average), float(largest))
    return Breakdown(subject, title, "numbers", bars, everyone, everyone - known, unit=unit, numbers=numbers)


def _edges(low: float, high: float, *, whole: bool) -> tuple[list[Decimal], Decimal]:
    """Round numbers around everything from `low` to `high`, about BINS of them, at one distance from each other."""
    first, last = Decimal(repr(low)), Decimal(repr(high))
    if first == last:
        digit = Decimal(1).scaleb(min(0, int(first.normalize().as_tuple().exponent)))
        return [first, first + digit], digit
    wanted = max((last - first) / BINS, Decimal(1) if whole else Decimal("1e-9"))
    ten = Decimal(10) ** wanted.adjusted()
    step = next(ten * factor for factor in (1, 2, 5, 10) if ten * factor >= wanted)
    edges = [first // step * step - (step if first < 0 and first % step else 0)]
    while edges[-1] <= last:
        edges.append(edges[-1] + step)
    return edges, step


def _labels(edges: list[Decimal], step: Decimal, *, whole: bool) -> list[str]:
    """What each bin of `between` is called: what is below all edges, each of the bins, what is beyond them."""
    digits = 0 if whole else max(0, -int(step.normalize().as_tuple().exponent))
    words = [f"{edge:,.{digits}f}".replace("-", "−") for edge in edges]
    if whole and step == 1:
        inner = words[:-1]
    elif whole:
        inner = [f"{start} to {edge - 1:,.0f}".replace("-", "−") for start, edge in zip(words, edges[1:], strict=False)]
    else:
        inner = [f"{start} to under {end}" for start, end in zip(words, words[1:], strict=False)]
    return [f"under {words[0]}", *inner, f"{words[-1]} or more"]


def _over_time(subject: str, title: str, found: held.Held) -> Breakdown:
    rows = found.months()
    missing = sum(many for month, many in rows if month is None)
    counts = {int(month[:4]) * 12 + int(month[5:]) - 1: many for month, many in rows if month is not None}
    everyone = missing + sum(counts.values())
    return Breakdown(subject, title, "time", _periods(counts), everyone, missing)


def _periods(months: dict[int, int]) -> tuple[Bar, ...]:
    """Months since year 0 → bars without gaps: of months, years, decades or centuries, whichever are few enough."""
    if not months:
        return ()
    span = max(months) - min(months) + 1
    size = 1 if span <= MONTHS else next((each for each in (12, 120) if span <= YEARS * each), 1_200)
    totals: dict[int, int] = {}
    for month, many in months.items():
        totals[month // size] = totals.get(month // size, 0) + many
    return tuple(Bar(_period(place, size), totals.get(place, 0)) for place in range(min(totals), max(totals) + 1))


def _period(place: int, size: int) -> str:
    if size == 1:
        return f"{_MONTHS[place % 12]} {place // 12}"
    year = place * size // 12
    return {12: f"{year}", 120: f"{year}s"}.get(size, f"{year} to {year + 99}")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
