"""What a rule means, in plain Python over what is kept of one person: the engines are held against it."""

from __future__ import annotations

import calendar
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from audience.models import Event, Profile, Record
from audience.rules.places import RADIUS, UNITS, on_earth
from audience.shares import place_of
from tests.audience.world import CATALOGUE, DAYS, MOMENTS, RECORDS, ZONES, folded_text

FIELDS = {"country": "country", "locale": "locale", "zone": "zone", "email": "email_key", "phone": "phone"}


def matches(rule: dict[str, Any], person: Profile, as_of: datetime, segments: dict[str, dict[str, Any]]) -> bool:
    """Whether the person is in. `person` has its events, subscriptions and records prefetched."""
    ask = lambda child: matches(child, person, as_of, segments)  # noqa: E731  (one line says it)
    if person.gone_at is not None:
        return False
    if "all" in rule:
        return all(ask(child) for child in rule["all"])
    if "any" in rule:
        return any(ask(child) for child in rule["any"])
    if "none" in rule:
        return not any(ask(child) for child in rule["none"])
    if "everyone" in rule:
        return True
    if "list" in rule:
        return person.pk % 3 == 0
    if "segment" in rule:
        return ask(segments[rule["segment"]])
    if rule.get("fresh"):
        return _fresh(rule, person, as_of)
    if rule.get("zone"):
        return _zoned(rule, person, as_of)
    if "attribute" in rule:
        return tested(CATALOGUE[rule["attribute"]], rule, person.folded.get(rule["attribute"]), as_of)
    if "profile" in rule:
        return _field(rule, person, as_of)
    if "consent" in rule:
        return _consents(rule["consent"], person, as_of)
    if "reachable" in rule:
        return bool(person.email_key if rule["reachable"] == "email" else person.phone)
    if "share" in rule:
        return place_of(person.pk, rule["share"]["salt"]) < round(rule["share"]["percent"] * 10_000)
    if "sequence" in rule:
        return _follows(rule, person, as_of)
    if "record" in rule:
        return _relates(rule, person, as_of)
    return _measures(rule, person, as_of) if "measure" in rule else _counts(rule, person, as_of)


def _relates(rule: dict[str, Any], person: Profile, as_of: datetime) -> bool:
    """Each record once, in however many roles."""
    wanted = [each for each in person.relations.all() if each.record.type == rule["record"] and rule.get("role") in (None, each.role)]
    found = {each.record.pk: each.record for each in wanted}
    fields = RECORDS[rule["record"]].fields
    times = len([one for one in found.values() if all(_field_of(fields, test, one, person, as_of) for test in rule.get("where", []))])
    return _often(rule, times)


def _field_of(fields: Mapping[str, str], test: dict[str, Any], record: Record, person: Profile, as_of: datetime) -> bool:
    kind, value = fields[test["field"]], record.folded.get(test["field"])
    return _in_zone(kind, value, test, person, as_of) if test.get("zone") else tested(kind, test, value, as_of)


def _fresh(rule: dict[str, Any], person: Profile, as_of: datetime) -> bool:
    """A score that is too old is none."""
    made = {"op": "in_last", "value": rule["fresh"]}
    recent = tested("datetime", made, person.folded.get(f"{rule['attribute']}.at"), as_of)
    return tested("number", rule, person.folded.get(rule["attribute"]) if recent else None, as_of)


def _zoned(rule: dict[str, Any], person: Profile, as_of: datetime) -> bool:
    """Days as the person's own calendar has them."""
    kind, value = ("datetime", f"{person.created_at:%Y-%m-%dT%H:%M:%S.%fZ}") if "profile" in rule else (CATALOGUE[rule["attribute"]], None)
    return _in_zone(kind, value or person.folded.get(rule.get("attribute", "")), rule, person, as_of)


def _in_zone(kind: str, value: Any, rule: dict[str, Any], person: Profile, as_of: datetime) -> bool:
    zone = ZoneInfo(person.zone) if person.zone in ZONES[:-2] else UTC
    if not _of_kind(kind, value):
        return False
    if kind == "date":
        return _time("date", rule["op"], value, rule["value"] if "value" in rule else None, as_of.astimezone(zone).replace(tzinfo=UTC))
    day = datetime.fromisoformat(value).astimezone(zone).date()
    wanted = [date.fromisoformat(one) for one in (rule["value"] if isinstance(rule["value"], list) else [rule["value"]])]
    return {"before": day < wanted[0], "after": day > wanted[0], "between": wanted[0] <= day <= wanted[-1]}[rule["op"]]


def _follows(rule: dict[str, Any], person: Profile, as_of: datetime) -> bool:
    """Every way of picking one event for each step, one after the other."""
    apart = timedelta(**{rule["apart"]["unit"]: rule["apart"]["amount"]})
    steps = [
        _events(step["event"], {**step, **({"within": rule.get("within")} if place == 0 else {})}, person, as_of)
        for place, step in enumerate(rule["sequence"])
    ]
    ends = {event.at for event in steps[0]}
    for step in steps[1:-1]:
        ends = {event.at for event in step if any(end < event.at <= end + apart for end in ends)}
    followed = {end for end in ends if any(end < event.at <= end + apart for event in steps[-1])}
    if rule.get("op", "followed") == "followed":
        return bool(followed)
    return any(end + apart <= as_of for end in ends - followed)


def _field(rule: dict[str, Any], person: Profile, as_of: datetime) -> bool:
    if rule["profile"] == "created_at":
        return tested("datetime", rule, person.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), as_of)
    value = getattr(person, FIELDS[rule["profile"]])
    return tested("text" if rule["profile"] == "email" else "kept", rule, value or None, as_of)


def _consents(wanted: dict[str, str], person: Profile, as_of: datetime) -> bool:
    if wanted.get("state") == "pending":
        about = wanted["channel"], wanted["topic"]
        return any(
            (row.channel, row.topic) == about and row.state == "pending" and row.confirm_until > as_of for row in person.subscriptions.all()
        )
    states = {(row.channel, row.topic): row.state for row in person.subscriptions.all()}
    for row in person.subscriptions.all():
        if row.state == "subscribed" and row.expires_at is not None and row.expires_at <= as_of:
            states.pop((row.channel, row.topic))
        if row.refused:
            states[row.channel, row.topic] = "unsubscribed"
    whole = states.get((wanted["channel"], "*")) != "unsubscribed"
    return states.get((wanted["channel"], wanted["topic"])) == "subscribed" and whole


def _events(name: str, rule: dict[str, Any], person: Profile, as_of: datetime) -> list[Event]:
    since = _before(as_of, rule["within"]["last"], rule["within"]["unit"]) if rule.get("within") else datetime.min.replace(tzinfo=UTC)
    found = [event for event in person.events.all() if event.name == name and since <= event.at <= as_of]
    return [event for event in found if all(_property(test, event.folded) for test in rule.get("where", []))]


def _measures(rule: dict[str, Any], person: Profile, as_of: datetime) -> bool:
    """Numbers as fractions: nothing is rounded."""
    found = _events(rule["measure"], rule, person, as_of)
    if rule["how"] in ("first", "last"):
        moments = sorted(event.at for event in found)
        at = moments[0 if rule["how"] == "first" else -1] if moments else None
        return at is not None and _time("datetime", rule["op"], at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), rule["value"], as_of)
    numbers = [Fraction(repr(value)) for event in found if _of_kind("number", value := event.folded.get(rule["of"]))]
    if not numbers:
        return False
    taken = {"sum": sum(numbers), "average": sum(numbers) / len(numbers), "smallest": min(numbers), "largest": max(numbers)}[rule["how"]]
    wanted = [Fraction(repr(one)) for one in (rule["value"] if isinstance(rule["value"], list) else [rule["value"]])]
    return {
        "gt": lambda: taken > wanted[0],
        "gte": lambda: taken >= wanted[0],
        "lt": lambda: taken < wanted[0],
        "lte": lambda: taken <= wanted[0],
        "between": lambda: wanted[0] <= taken <= wanted[1],
    }[rule["op"]]()


def _counts(rule: dict[str, Any], person: Profile, as_of: datetime) -> bool:
    if "message" in rule:
        asked = [{"property": of, "op": "is", "value": rule[of]} for of in ("campaign", "channel") if rule.get(of)]
        times = len(_events(f"message.{rule['message']}", {**rule, "where": asked}, person, as_of))
    else:
        times = len(_events(rule["event"], rule, person, as_of))
    return _often(rule, times)


def _often(rule: dict[str, Any], times: int) -> bool:
    count = rule.get("count")
    return {
        "at_least": lambda: times >= (1 if count is None else count),
        "at_most": lambda: times <= count,
        "exactly": lambda: times == count,
        "never": lambda: times == 0,
    }[rule.get("op", "at_least")]()


def _property(test: dict[str, Any], properties: dict[str, Any]) -> bool:
    value, op = properties.get(test["property"]), test["op"]
    if op in ("exists", "missing"):
        return (value is not None) == (op == "exists")
    wanted = test["value"][0] if isinstance(test["value"], list) else test["value"]
    kind = "boolean" if isinstance(wanted, bool) else "text" if isinstance(wanted, str) else "number"
    return tested(kind, test, value, datetime.min)


def tested(kind: str, rule: dict[str, Any], value: Any, as_of: datetime) -> bool:
    """One operator on one kept value. "kept": a profile's field, compared as it is."""
    op, wanted = rule["op"], rule.get("value")
    known = _of_kind(kind, value)
    if op in ("missing", "is_not", "not_in"):
        opposite = {"missing": "exists", "is_not": "is", "not_in": "in"}[op]
        return not (known and _holds(kind, opposite, value, wanted, as_of))
    return known and _holds(kind, op, value, wanted, as_of)


def _of_kind(kind: str, value: Any) -> bool:
    if kind == "list":
        return isinstance(value, list) and any(isinstance(one, str) for one in value)
    if kind == "place":
        return isinstance(value, list) and len(value) == 3 and all(isinstance(one, int) for one in value)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("date", "datetime"):
        return value in (DAYS if kind == "date" else MOMENTS) or (kind == "datetime" and isinstance(value, str) and len(value) == 27)
    return isinstance(value, bool) if kind == "boolean" else isinstance(value, str)


def _holds(kind: str, op: str, value: Any, wanted: Any, as_of: datetime) -> bool:
    fold = folded_text if kind in ("text", "list") else lambda one: one
    if op == "exists":
        return True
    if kind == "place":
        return _distance(value, wanted) <= 2 * UNITS * math.sin(min(wanted["km"] / RADIUS, math.pi) / 2)
    if kind == "list":
        held = [fold(one) in value for one in (wanted if isinstance(wanted, list) else [wanted])]
        return all(held) if op == "has_all" else any(held)
    if kind in ("date", "datetime"):
        return _time(kind, op, value, wanted, as_of)
    if op in ("is", "in"):
        return any(
            value == fold(one) if isinstance(one, str) else value == one for one in (wanted if isinstance(wanted, list) else [wanted])
        )
    if op == "contains":
        return folded_text(wanted) in value
    if op == "starts_with":
        return value.startswith(fold(wanted))
    return {
        "gt": lambda: value > wanted,
        "gte": lambda: value >= wanted,
        "lt": lambda: value < wanted,
        "lte": lambda: value <= wanted,
        "between": lambda: wanted[0] <= value <= wanted[1],
    }[op]()


def _distance(point: list[int], wanted: dict[str, float]) -> float:
    """The straight line through the earth, in units of its radius / 10^7."""
    return math.sqrt(sum((one - other) ** 2 for one, other in zip(point, on_earth(wanted["lat"], wanted["lon"]), strict=True)))


def _time(kind: str, op: str, text: str, wanted: Any, as_of: datetime) -> bool:
    """Days and instants, on real dates: nothing here compares texts."""
    moment = datetime.fromisoformat(text) if kind == "datetime" else datetime.fromisoformat(f"{text}T00:00:00+00:00")
    asked = as_of if kind == "datetime" else datetime.combine(as_of.date(), datetime.min.time(), UTC)
    if op in ("in_last", "in_next", "more_than_ago"):
        sign = 1 if op == "in_next" else -1
        far = _before(as_of, -sign * wanted["amount"], wanted["unit"])
        far = far if kind == "datetime" else datetime.combine(far.date(), datetime.min.time(), UTC)
        return {"in_last": far <= moment <= asked, "in_next": asked <= moment <= far, "more_than_ago": moment < far}[op]
    if op == "anniversary":
        last = asked.date() if wanted is None else _before(as_of, -wanted["amount"], wanted["unit"]).date()
        return any(_celebrated(moment.date(), year) in _days(as_of.date(), last) for year in range(as_of.year, last.year + 1))
    starts = [_day_or_instant(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
    if op == "is":
        return moment == starts[0][0]
    if op == "between":
        (low, _), (_, high) = starts
        return low <= moment < high if len(wanted[1]) == 10 else low <= moment <= high
    start, end = starts[0]
    if op == "before":
        return moment < start
    return moment >= end if len(wanted) == 10 else moment > end


def _celebrated(day: date, year: int) -> date:
    """That day in another year; 29 February is the 28th where there is none."""
    return date(year, day.month, 28 if (day.month, day.day) == (2, 29) and not calendar.isleap(year) else day.day)


def _days(first: date, last: date) -> set[date]:
    return {first + timedelta(days=ahead) for ahead in range((last - first).days + 1)}


def _day_or_instant(text: str) -> tuple[datetime, datetime]:
    if len(text) == 10:
        start = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return start, start + timedelta(days=1)
    return datetime.fromisoformat(text), datetime.fromisoformat(text)


def _before(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in ("months", "years"):
        months = moment.year * 12 + moment.month - 1 - amount * (12 if unit == "years" else 1)
        year, month = months // 12, months % 12 + 1
        return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
    return moment - timedelta(**{unit: amount})
