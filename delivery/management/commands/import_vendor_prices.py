"""Take over what a vendor says that its messages cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from delivery import policies, vendor_prices
from delivery.route_document import VendorRoute
from governance import door as governance
from governance.door import DoorCommand, Finding, Invalid, Report, audit


class Command(DoorCommand):
    help = "Compare a vendor's own export of its messages and their prices with what the price book said, and keep it with each request."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV with a header: the vendor's id (sid, id), price, currency")
        parser.add_argument("--route", required=True, help="key of the route whose account it is")
        parser.add_argument("--days", type=int, default=62, help="how far back its messages may lie (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, file: Path, route: str, days: int, **_: Any) -> Report:
        """Read the whole file first: a fault in it takes nothing over."""
        found: VendorRoute = governance.released(self.workspace.pk, "vendor_route", route).model
        if found.price is None:
            raise Invalid([Finding("error", "/price", "nothing", "a route with prices: without them there is nothing to compare")])
        if not 1 <= days <= 4_000:
            raise Invalid([Finding("error", "/days", str(days), "1 to 4000")])
        now: datetime = timezone.now()
        since, currency = now - timedelta(days=days), policies.price_book(found).currency
        outcome = vendor_prices.import_prices(self.workspace.pk, route, file, since=since, until=now, currency=currency)
        counts = {name: getattr(outcome, name) for name in ("lines", "matched", "unknown", "unpriced", "differing", "expected", "reported")}
        audit(self.actor, "prices.imported", subject=f"vendor_route:{route}", data=counts, now=now)
        difference = (outcome.reported - outcome.expected) / 1e6
        lines = (
            f"{outcome.lines:,} lines: {outcome.matched:,} messages of ours, {outcome.unknown:,} unknown, "
            f"{outcome.unpriced:,} without a price",
            f"the price book said {outcome.expected / 1e6:,.4f} {currency}, the vendor {outcome.reported / 1e6:,.4f}: "
            f"{difference:+,.4f}, {outcome.differing:,} of them differ",
        )
        return Report(lines, counts)
