"""Which of a channel's routes carries a message. Pure.

Law: a route that names the recipient's country goes before one that doesn't, and one that names other countries never carries it. Of
those the most preferred (by weight) that can be used now carries it; less preferred ones only where they stand in for others. Of equally
preferred ones the cheapest for that country, or each by its share: the same message falls to the same one every time. A push message is
carried by a route whose vendor writes to the device that was seen last.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from hashlib import blake2b
from typing import Literal

from audience.door import DeviceAddress
from delivery.policies import Route

Prefer = Literal["share", "cheapest"]


def choose(
    routes: Sequence[Route], country: str, key: str, *, closed: Collection[str], prefer: Prefer, day: date, parts: float = 1
) -> Route | None:
    """The route of one message, or the one that it waits for where all that might carry it are closed; None where none ever does.

    key: what makes the message's draw its own, the same each time; closed: routes that can't be used now; country: "" unknown.
    """
    serving = _serving(routes, country)
    if not serving:
        return None
    best = max(route.weight for route in serving)
    usable = [route for route in serving if route.key not in closed and (route.weight == best or route.stands_in)]
    pool = usable or [route for route in serving if route.weight == best]
    heaviest = max(route.weight for route in pool)
    return _among([route for route in pool if route.weight == heaviest], country, key, prefer, day, parts)


def for_device(routes: Sequence[Route], devices: Sequence[DeviceAddress]) -> Sequence[Route]:
    """Those of a push channel's routes whose vendor writes to the device that was seen last, of those that any of them writes to."""
    for device in devices:
        if mine := [route for route in routes if device.platform in route.adapter.platforms]:
            return mine
    return routes


def expected(routes: Sequence[Route], country: str, parts: float, *, prefer: Prefer, day: date) -> float:
    """What one such message is expected to cost, while every route can be used: in micros, the mean over those it may fall to."""
    serving = _serving(routes, country)
    best = max((route.weight for route in serving), default=0)
    pool = [route for route in serving if route.weight == best]
    prices = [route.prices.of(country, parts, day) for route in pool]
    if prefer == "cheapest" or not pool:
        return min(prices, default=0)
    return sum(price * route.share for price, route in zip(prices, pool, strict=True)) / sum(route.share for route in pool)


def _serving(routes: Sequence[Route], country: str) -> list[Route]:
    return [route for route in routes if country in route.countries] or [route for route in routes if not route.countries]


def _among(pool: Sequence[Route], country: str, key: str, prefer: Prefer, day: date, parts: float) -> Route:
    """One of equally preferred routes."""
    if len(pool) == 1:
        return pool[0]
    if prefer == "cheapest":
        lowest = min(route.prices.of(country, parts, day) for route in pool)
        pool = [route for route in pool if route.prices.of(country, parts, day) == lowest]
    drawn = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") / 2**64 * sum(route.share for route in pool)
    for route in pool:
        drawn -= route.share
        if drawn < 0:
            return route
    return pool[-1]
