"""Attributes of several parts: objects with fields, scores with the moment they were made, places on earth.

Rules compare the parts under names of their own ("address.city", "churn.at"), which is how they are kept beside the value as given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from audience.rules.bound import Type
from audience.rules.places import on_earth
from audience.values import Unfit, comparable, kind_of

if TYPE_CHECKING:
    from audience.catalogue import AttributeBody

Kept = tuple[Any, dict[str, Any]]  # as it is shown, and as it is compared by name


def parts(name: str, body: AttributeBody) -> dict[str, Type]:
    """What rules may ask about the attribute: its own name, or those of its parts, and their types."""
    if body.type == "object":
        return {f"{name}.{each.name}": each.type for each in body.fields}
    if body.type == "score":
        return {name: "number", f"{name}.at": "datetime"}
    return {name: body.type}


def kept(name: str, body: AttributeBody, value: Any) -> Kept:
    """A value as it is shown and as it is compared; None clears it. What an object leaves out is unknown. Raises Unfit."""
    if value is None:
        return None, dict.fromkeys(parts(name, body))
    if body.type == "object":
        return _object(name, body, value)
    if body.type == "score":
        return _score(name, value)
    if body.type == "place":
        return _place(name, value)
    shown, folded = comparable(body.type, value)
    return shown, {name: folded}


def _members(value: Any, names: tuple[str, ...], wanted: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(wanted, kind_of(value))
    if unknown := sorted(str(one) for one in value if one not in names):
        raise Unfit(f"{wanted}: only {', '.join(names)}", f"the part {unknown[0][:40]}")
    return value


def _object(name: str, body: AttributeBody, value: Any) -> Kept:
    given = _members(value, tuple(each.name for each in body.fields), "an object with its fields")
    shown: dict[str, Any] = {}
    folded: dict[str, Any] = {}
    for each in body.fields:
        one = given.get(each.name)
        try:
            in_words, compared = (None, None) if one is None else comparable(each.type, one)
        except Unfit as unfit:
            raise Unfit(f"{unfit} in {each.name}", unfit.found) from None
        folded[f"{name}.{each.name}"] = compared
        if in_words is not None:
            shown[each.name] = in_words
    return shown, folded


def _score(name: str, value: Any) -> Kept:
    wanted = 'a score such as {"value": 0.8, "at": "2026-01-31T09:00:00Z"}'
    given = _members(value, ("value", "at"), wanted)
    if given.get("value") is None or given.get("at") is None:
        raise Unfit(wanted, "a score without its value or its moment")
    (number, _), (moment, _) = comparable("number", given["value"]), comparable("datetime", given["at"])
    return {"value": number, "at": moment}, {name: number, f"{name}.at": moment}


def _place(name: str, value: Any) -> Kept:
    wanted = 'a place such as {"lat": 48.14, "lon": 11.58}'
    given = _members(value, ("lat", "lon"), wanted)
    lat, lon = given.get("lat"), given.get("lon")
    for one, largest in ((lat, 90), (lon, 180)):
        if isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one) or abs(one) > largest:
            raise Unfit("a latitude from -90 to 90 and a longitude from -180 to 180", kind_of(one))
    assert lat is not None and lon is not None
    return {"lat": lat, "lon": lon}, {name: list(on_earth(lat, lon))}
