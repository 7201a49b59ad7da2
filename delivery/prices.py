"""The price book of one route: what a message costs on a day, in micros of the route's currency. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from delivery.route_document import PriceTable


def written(micros: int, currency: str) -> str:
    """Money in words, never rounded: "0.0004 USD", "12.50 EUR". At least two digits after the point."""
    whole, point, rest = f"{Decimal(micros) / 1_000_000:,.6f}".rstrip("0").partition(".")
    return f"{whole}{point}{rest:0<2} {currency}".strip()


@dataclass(frozen=True, slots=True)
class Prices:
    """today: the table that counts until the first change; later: changes, each with its first day (UTC), ascending."""

    today: PriceTable | None = None
    later: tuple[tuple[date, PriceTable], ...] = ()

    @property
    def currency(self) -> str:
        """ISO code, "" where the route is free."""
        return self.today.currency if self.today else ""

    def on(self, day: date) -> PriceTable | None:
        """The table that counts on that day; None: free."""
        return next((table for starts, table in reversed(self.later) if starts <= day), self.today)

    def of(self, country: str, parts: float, day: date) -> int:
        """One message to a person of `country` ("" unknown: the dearest price of the table, so that no budget is overrun)."""
        table = self.on(day)
        if table is None:
            return 0
        each = table.countries.get(country, table.otherwise_micros) if country else max([table.otherwise_micros, *table.countries.values()])
        return round(each * parts) if table.per == "part" else each
