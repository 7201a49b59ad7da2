"""Days of the person's own zone: one check for all whose clocks agree, instead of one for each of some four hundred zones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from audience.addresses import zone_names
from audience.rules.bound import Check, Type
from audience.rules.moments import day_bounds
from audience.rules.operations import WrongOperand, check_for
from audience.rules.values import SPANNED, instant_or_day

Cases = tuple[tuple[tuple[str, ...], Check], ...]  # zones → the check there
_DAYS = ("before", "after", "between")


def own_days(type_: Type, op: str, value: Any, *, as_of: datetime, fold: Callable[[str], str]) -> tuple[Cases, Check]:
    """The check by zone where it differs from UTC's, and UTC's: that is for everybody else, whose zone isn't known among them.

    Raises WrongOperand, also where nothing hangs on the zone.
    """
    elsewhere, _ = check_for(type_, op, value, as_of=as_of, fold=fold)
    if type_ == "date" and op in SPANNED:
        alike = _by_today(as_of)
    elif type_ == "datetime" and op in _DAYS and (days := _days_of(value)):
        alike = _by_days(days)
    else:
        expected = "no zone: only what is counted from today, or an instant compared with a day, is different in another zone"
        raise WrongOperand("/zone", "own", expected)
    found: dict[Check, list[str]] = {}
    for zones in alike:
        check, _ = check_for(type_, op, value, as_of=as_of, fold=fold, zone=ZoneInfo(zones[0]))
        if check != elsewhere:
            found.setdefault(check, []).extend(zones)
    return tuple((tuple(sorted(zones)), check) for check, zones in found.items()), elsewhere


def _days_of(value: Any) -> tuple[date, ...]:
    """The days that an instant is compared with; none where it is compared with instants."""
    given = [instant_or_day(one) for one in (value if isinstance(value, list) else [value])]
    return tuple(one for one in given if one is not None and not isinstance(one, datetime)) if given else ()


@lru_cache(maxsize=64)
def _by_today(as_of: datetime) -> tuple[tuple[str, ...], ...]:
    return _grouped(lambda zone: _local_day(as_of, zone))


@lru_cache(maxsize=64)
def _by_days(days: tuple[date, ...]) -> tuple[tuple[str, ...], ...]:
    return _grouped(lambda zone: tuple(day_bounds(day, zone) for day in days))


def _local_day(moment: datetime, zone: ZoneInfo) -> date:
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return moment.date()


def _grouped(seen: Callable[[ZoneInfo], object]) -> tuple[tuple[str, ...], ...]:
    """The zones, those together whose clocks show the same."""
    groups: dict[object, list[str]] = {}
    for name in sorted(zone_names()):
        groups.setdefault(seen(ZoneInfo(name)), []).append(name)
    return tuple(tuple(names) for names in groups.values())
