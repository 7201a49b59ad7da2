"""What messages cost, in micros of the route's currency."""

from __future__ import annotations

from collections.abc import Mapping

from delivery import policies
from delivery.documents import PriceTable


def price_of(table: PriceTable | None, country: str, parts: int) -> int:
    """One message to a person of `country` ("" unknown: the dearest price of the table, so that no budget is overrun)."""
    if table is None:
        return 0
    each = table.countries.get(country, table.otherwise_micros) if country else max([table.otherwise_micros, *table.countries.values()])
    return each * (parts if table.per == "part" else 1)


def quote(workspace_id: int, channel: str, countries: Mapping[str, int], parts: int = 1, *, route_key: str = "") -> tuple[int, str]:
    """The estimated cost and its currency of messages to so many people by country. Raises Missing without a released route."""
    table = policies.route(workspace_id, route_key, channel).price
    return sum(price_of(table, country, parts) * count for country, count in countries.items()), table.currency if table else ""
