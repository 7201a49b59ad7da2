"""What a vendor says that its messages cost, beside what the price book said: its export, matched by the vendor's own ids."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.db import transaction
from django.db.models import Count, F, Q, Sum

from delivery import sql
from delivery.floors import oldest_posting
from delivery.models import Attempt, Dispatch
from delivery.states import AttemptState
from governance.door import Finding, Invalid

IDS, PRICES, CURRENCIES = ("sid", "vendor_id", "message_id", "id"), ("price", "cost", "amount"), ("price_unit", "priceunit", "currency")
AT_ONCE = 2_000
MICROS = 1_000_000


@dataclass(slots=True)
class Reconciled:
    """lines of the file; matched: requests of ours; unknown: ids that no request here has; unpriced: lines without a price yet.
    expected, reported: micros of the matched ones by the price book and by the vendor. differing: matched ones that differ."""

    lines: int = 0
    matched: int = 0
    unknown: int = 0
    unpriced: int = 0
    expected: int = 0
    reported: int = 0
    differing: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class MonthOfRoute:
    """One account in one month. requests and expected: what was accepted, by the price book; priced, of which: those that the vendor
    has priced, what the book says of them, and what the vendor said."""

    account: str
    requests: int
    expected: int
    priced: int
    expected_of_priced: int
    reported: int

    @property
    def difference(self) -> int:
        """How much more the vendor charged than our prices said, of what it has priced."""
        return self.reported - self.expected_of_priced


def import_prices(workspace_id: int, account: str, path: Path, *, since: datetime, until: datetime, currency: str) -> Reconciled:
    """Take over the prices of one account's messages that were posted in [since, until). Importing a file again changes nothing.

    The file is a CSV with a header: the vendor's id (sid, id), a price (negative ones, as Twilio exports them, count as costs), and
    its currency. Raises Invalid with the line and what was expected: nothing was taken over.
    """
    outcome, given = Reconciled(currency=currency), dict[str, int]()
    for vendor_id, micros in _read(path, currency, outcome):
        given[vendor_id] = micros
    oldest = oldest_posting(workspace_id, since)
    mine = Attempt.objects.filter(workspace_id=workspace_id, account=account, dispatch_id__gte=oldest)
    mine = mine.filter(posted_at__gte=since, posted_at__lt=until)
    rows = mine.exclude(vendor_id="").order_by("pk").values_list("dispatch_id", "pk", "vendor_id", "cost_micros")
    some: list[dict[str, int]] = []
    for dispatch_id, pk, vendor_id, cost in rows.iterator(chunk_size=AT_ONCE):
        micros = given.pop(vendor_id, -1)
        if micros < 0:
            continue
        outcome.matched, outcome.expected, outcome.reported = outcome.matched + 1, outcome.expected + cost, outcome.reported + micros
        outcome.differing += micros != cost
        some.append({"run": dispatch_id, "id": pk, "micros": micros})
        if len(some) == AT_ONCE:
            keep(workspace_id, some)
            some = []
    keep(workspace_id, some)
    outcome.unknown = len(given)
    return outcome


def months(workspace_id: int, *, since: datetime) -> list[MonthOfRoute]:
    """Each account since then, the dearest first."""
    posted = Attempt.objects.filter(workspace_id=workspace_id, dispatch_id__gte=oldest_posting(workspace_id, since), posted_at__gte=since)
    taken = posted.filter(state__lt=AttemptState.REFUSED)
    priced = Q(reported_micros__isnull=False)
    rows = taken.values("account").annotate(
        requests=Count("id"),
        expected=Sum("cost_micros"),
        priced=Count("id", filter=priced),
        expected_of_priced=Sum("cost_micros", filter=priced, default=0),
        reported=Sum("reported_micros", filter=priced, default=0),
    )
    return [MonthOfRoute(**row) for row in rows.order_by("-expected", "account")]


def _read(path: Path, currency: str, outcome: Reconciled) -> Iterator[tuple[str, int]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns = {(name or "").strip().casefold().replace(" ", "_"): name for name in reader.fieldnames or ()}
        id_column = next((columns[name] for name in IDS if name in columns), None)
        price_column = next((columns[name] for name in PRICES if name in columns), None)
        unit_column = next((columns[name] for name in CURRENCIES if name in columns), None)
        if id_column is None or price_column is None:
            raise Invalid([Finding("error", "/1", ", ".join(columns)[:80] or "nothing", "a header with sid (or id) and price")])
        for row in reader:
            outcome.lines += 1
            at, unit = f"/{reader.line_num}", (row.get(unit_column or "") or currency).strip().upper()
            text = (row.get(price_column) or "").strip()
            if not text:
                outcome.unpriced += 1
                continue
            if unit != currency:
                raise Invalid([Finding("error", f"{at}/{unit_column}", unit[:12], f"{currency}, the currency of the route's prices")])
            try:
                micros = int(abs(Decimal(text)) * MICROS)
            except (InvalidOperation, ValueError, OverflowError):
                raise Invalid([Finding("error", f"{at}/{price_column}", text[:40], "an amount such as 0.0079")]) from None
            if micros > 10**12:
                raise Invalid([Finding("error", f"{at}/{price_column}", text[:40], "the price of one message")])
            yield (row.get(id_column) or "").strip()[:120], micros


def keep(workspace_id: int, some: list[dict[str, int]]) -> None:
    """Write down what requests (`id`) cost by the vendor (`micros`). Their runs are marked as revised, so that an export reads them
    again."""
    if not some:
        return
    runs = sorted({each["run"] for each in some})
    columns = {"run": "bigint", "id": "bigint", "micros": "bigint"}
    reported, given = sql.table("v", columns, [(each["run"], each["id"], each["micros"]) for each in some])
    with transaction.atomic():
        sql.run(
            f"""UPDATE delivery_attempt SET reported_micros = v.micros FROM {reported}
            WHERE {sql.among("dispatch_id")} AND dispatch_id = v.run AND delivery_attempt.id = v.id AND workspace_id = %s""",
            [*given, sql.numbers(runs), workspace_id],
        )
        Dispatch.objects.filter(pk__in=runs, workspace_id=workspace_id).update(revised=F("revised") + 1)
