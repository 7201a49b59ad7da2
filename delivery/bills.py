"""What a month's messages cost by channel, account and country: by the price book, and by the vendors as far as they have priced them.

Counted from the requests that a vendor took or may have taken. A request that carried several messages is shared out evenly among
them. Whose country isn't known, or who was erased since, is listed under "".
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

from django.db.models import Sum
from pyroaring import BitMap64

from audience import door as audience
from delivery import sql
from delivery.models import Attempt, Dispatch
from delivery.states import AttemptState
from governance.door import Finding, Invalid

REQUESTS_AT_ONCE = 500
COLUMNS = ("channel", "account", "country", "currency", "messages", "expected", "priced", "expected_of_priced", "reported", "difference")
MONEY = {"expected", "expected_of_priced", "reported", "difference"}
Sort = tuple[int, int | None, int]  # what a request cost by the book and by the vendor, and how many messages it carried


@dataclass(slots=True)
class BillLine:
    """Money in micros of `currency`. expected: by the price book; priced: messages that the vendor has priced, expected_of_priced what
    the book says of those, reported what the vendor does."""

    channel: str
    account: str
    country: str
    currency: str
    messages: int = 0
    expected: int = 0
    priced: int = 0
    expected_of_priced: int = 0
    reported: int = 0

    @property
    def difference(self) -> int:
        """How much more the vendor charged than the book said, of what it has priced."""
        return self.reported - self.expected_of_priced


@dataclass(slots=True)
class Account:
    """The lines of one channel, account and currency, the dearest first, and their sum in a line without a country."""

    whole: BillLine
    lines: list[BillLine]


def by_account(lines: Sequence[BillLine]) -> list[Account]:
    """The bill as a reader takes it in: account by account, in the order of its lines."""
    found: dict[tuple[str, str, str], Account] = {}
    for line in lines:
        key = (line.channel, line.account, line.currency)
        mine = found.setdefault(key, Account(BillLine(line.channel, line.account, "", line.currency), []))
        mine.lines.append(line)
        _add(mine.whole, line)
    return list(found.values())


def by_currency(lines: Sequence[BillLine]) -> list[BillLine]:
    """What the whole month comes to, currency by currency, the dearest first: lines without a channel, an account and a country."""
    found: dict[str, BillLine] = {}
    for line in lines:
        _add(found.setdefault(line.currency, BillLine("", "", "", line.currency)), line)
    return sorted(found.values(), key=lambda each: (-each.expected, each.currency))


def _add(whole: BillLine, line: BillLine) -> None:
    for name in ("messages", "expected", "priced", "expected_of_priced", "reported"):
        setattr(whole, name, getattr(whole, name) + getattr(line, name))


def month_of(text: str) -> tuple[datetime, datetime]:
    """[first moment, first moment of the next month), in UTC, of "2026-11". Raises Invalid."""
    try:
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid([Finding("error", "/month", text[:20] or "nothing", "a month such as 2026-11")]) from None
    return first, first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


def bill(workspace_id: int, *, since: datetime, until: datetime) -> list[BillLine]:
    """Every line of that time, the dearest first. What costs nothing is left out, as is what has left the ledger for the archive. Reads
    each message's row once."""
    mine = Attempt.objects.filter(workspace_id=workspace_id, posted_at__gte=since, posted_at__lt=until, state__lt=AttemptState.REFUSED)
    dear = mine.exclude(cost_micros=0, reported_micros=None)
    lines = dict[tuple[str, str, str, str], BillLine]()
    for dispatch_id, account in sorted(set(dear.values_list("dispatch_id", "account").order_by())):
        channel, currency = Dispatch.objects.values_list("channel", "currency").get(pk=dispatch_id)
        people: dict[Sort, list[BitMap64]] = defaultdict(list)
        for sort, profile_id in _messages(dispatch_id, account, since, until):
            _note(people[sort], profile_id)
        for (cost, reported, size), layers in people.items():
            for country, count in _by_country(workspace_id, layers):
                line = lines.setdefault((channel, account, country, currency), BillLine(channel, account, country, currency))
                expected = round(count * cost / size)
                line.messages, line.expected = line.messages + count, line.expected + expected
                if reported is not None:
                    line.priced, line.expected_of_priced = line.priced + count, line.expected_of_priced + expected
                    line.reported += round(count * reported / size)
    return sorted(lines.values(), key=lambda line: (line.channel, -line.expected, line.country, line.account))


def free(workspace_id: int, *, since: datetime, until: datetime) -> dict[str, int]:
    """The messages of that time that the bill leaves out because they cost nothing, by account: such as went by a route without prices."""
    mine = Attempt.objects.filter(workspace_id=workspace_id, posted_at__gte=since, posted_at__lt=until, state__lt=AttemptState.REFUSED)
    nothing = mine.filter(cost_micros=0, reported_micros=None)
    return dict(nothing.values_list("account").annotate(many=Sum("count")).order_by("-many"))


def _messages(dispatch_id: int, account: str, since: datetime, until: datetime) -> Iterator[tuple[Sort, int]]:
    last = 0
    while True:
        requests = sql.rows(
            """SELECT id FROM delivery_attempt WHERE dispatch_id = %s AND account = %s AND posted_at >= %s AND posted_at < %s AND state < %s
            AND (cost_micros <> 0 OR reported_micros IS NOT NULL) AND id > %s ORDER BY id LIMIT %s""",
            [dispatch_id, account, sql.moment(since), sql.moment(until), AttemptState.REFUSED, last, REQUESTS_AT_ONCE],
        )
        if not requests:
            return
        ids, last = [row[0] for row in requests], requests[-1][0]
        yield from (
            ((row[0], row[1], row[2]), row[3])
            for row in sql.rows(
                f"""SELECT a.cost_micros, a.reported_micros, a.count, m.profile_id FROM delivery_attempt a
                JOIN delivery_message m ON m.dispatch_id = a.dispatch_id AND m.n BETWEEN a.first_n AND a.last_n AND m.attempt_id = a.id
                WHERE {sql.among("a.id")}""",
                [sql.numbers(ids)],
            )
        )


def _note(layers: list[BitMap64], profile_id: int) -> None:
    """One more message of a person: a bitmap holds each of them once, so the second goes to the next one."""
    for layer in layers:
        if profile_id not in layer:
            layer.add(profile_id)
            return
    layers.append(BitMap64([profile_id]))


def _by_country(workspace_id: int, layers: list[BitMap64]) -> Iterator[tuple[str, int]]:
    for layer in layers:
        known = audience.countries(workspace_id, layer)
        gone = len(layer) - sum(known.values())
        yield from known.items()
        if gone:
            yield "", gone


def as_csv(lines: list[BillLine]) -> str:
    """With a header; money in units of the line's currency, six digits after the point."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for line in lines:
        values = [(name, getattr(line, name)) for name in COLUMNS]
        writer.writerow(_units(value) if name in MONEY else value for name, value in values)
    return file.getvalue()


def _units(micros: int) -> str:
    return f"{Decimal(micros) / 1_000_000:.6f}"
