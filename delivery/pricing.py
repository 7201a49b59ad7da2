"""What messages are expected to cost, before they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from delivery import policies
from delivery.routing import expected


def quote(
    workspace_id: int,
    channel: str,
    countries: Mapping[str, int],
    parts: float = 1,
    *,
    now: datetime,
    route_key: str = "",
    policy_key: str = "",
) -> tuple[int, str]:
    """The estimated cost, in micros, and its currency of messages to so many people by country. Raises Missing without a released
    route, and where several routes were to be chosen from by a policy that isn't released."""
    routes = policies.routes(workspace_id, route_key, channel)
    prefer = policies.policy(workspace_id, policy_key).equal_routes if len(routes) > 1 else "share"
    micros = sum(expected(routes, country, parts, prefer=prefer, day=now.date()) * count for country, count in countries.items())
    return round(micros), routes[0].currency
