"""Ask a vendor's API what it charged."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from delivery import price_questions
from delivery.connections import Connections
from governance.door import DoorCommand, Finding, Invalid, Report, audit


class Command(DoorCommand):
    help = "Ask a vendor what it charged for messages that have no price yet, ten a second; workers do so by themselves after a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--route", required=True, help="key of the route whose account it is")
        parser.add_argument("--days", type=int, default=7, help="how far back its messages may lie (default: %(default)s)")
        parser.add_argument("--most", type=int, default=10_000, metavar="N", help="ask about at most N messages (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, route: str, days: int, most: int, **_: Any) -> Report:
        """Each message without a price is asked about once."""
        if not 1 <= days <= 400:
            raise Invalid([Finding("error", "--days", str(days), "1 to 400")])
        if not 1 <= most <= 1_000_000:
            raise Invalid([Finding("error", "--most", str(most), "1 to 1000000")])
        found = {each.key: each for each in price_questions.askable(self.workspace.pk)}
        if route not in found:
            raise Invalid(
                [Finding("error", "--route", route[:80], f"a released route with prices whose vendor tells them: {_list(found)}")]
            )
        now = timezone.now()
        with Connections() as vendors:
            outcome = price_questions.fetch(
                self.workspace.pk, found[route], since=now - timedelta(days=days), vendors=vendors, now=now, most=most
            )
        audit(self.actor, "prices.fetched", subject=f"vendor_route:{route}", data=asdict(outcome), now=now)
        told = f"asked about {outcome.asked:,} messages: {outcome.priced:,} priced, {outcome.unpriced:,} without a price so far"
        lines = [told, *([f"{outcome.foreign:,} in another currency"] if outcome.foreign else [])]
        lines += [f"stopped: {outcome.stopped}"] if outcome.stopped else []
        return Report(tuple(lines), asdict(outcome), status=3 if outcome.stopped else 0)


def _list(found: dict[str, Any]) -> str:
    return ", ".join(sorted(found)) or "there is none"
