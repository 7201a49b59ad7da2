"""What messages cost, in micros of the route's currency."""

from __future__ import annotations

from collections.abc import Mapping

from delivery import policies
from delivery.documents import PriceTable


def price_of(table: PriceTable | None, country: str, parts: float) -> int:
    """One message to a person of `country` ("" unknown: the dearest price of the table, so that no budget is overrun)."""
    if table is None:
        return 0
    each = table.countries.get(country, table.otherwise_micros) if country else max([table.otherwise_micros, *table.countries.values()])
    return round(each * parts) if table.per == "part" else each


def quote(workspace_id: int, channel: str, countries: Mapping[str, int], parts: float = 1, *, route_key: str = "") -> tuple[int, str]:
    """The estimated cost and its currency of messages to so many people by country. Raises Missing without a released route."""
    table = policies.route(workspace_id, route_key, channel).price
    micros = sum(
        price_of(table, country, 1) * count * (parts if table and table.per == "part" else 1) for country, count in countries.items()
    )
    return round(micros), table.currency if table else ""
