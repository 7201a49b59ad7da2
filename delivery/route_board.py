"""What the page of routes asks: which route carries what, how much of its limits is used, and what a message costs where."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from audience import door as audience
from delivery import limits, quotas
from delivery.adapters.registry import ADAPTERS
from delivery.control import switches
from delivery.document_words import CHANNEL_WORDS
from delivery.models import Allowance, VendorAccount
from delivery.policies import price_book, quotas_of, written_by
from delivery.prices import Prices
from delivery.route_document import VendorRoute
from governance import door as governance
from presentation import door as presentation

SCOPES = {"account": "", "sender": "by each sender", "sender_domain": "from each domain"}


@dataclass(frozen=True, slots=True)
class Use:
    """One limit now. used: of a quota, by whoever used the most of it; None for a speed, of which no second is like the other."""

    words: str
    count: int
    used: int | None = None


@dataclass(frozen=True, slots=True)
class RouteLine:
    """One released route. part: what it carries, in words; state: healthy, paused, killed; trouble and until: why it rests, or which
    kill switch is on; slower: the part of its speed that it is trusted with, 1.0 all of it."""

    key: str
    title: str
    vendor: str
    part: str
    countries: list[str]
    state: str
    trouble: str
    until: datetime | None
    slower: float
    uses: list[Use]
    prices: Prices
    weight: int


@dataclass(slots=True)
class ChannelOfRoutes:
    """A channel's routes, the most preferred first, and the price book over them: one row a country, one column a route."""

    channel: str
    title: str
    routes: list[RouteLine] = field(default_factory=list)
    book: list[tuple[str, list[int | None]]] = field(default_factory=list)
    changes: list[tuple[date, str]] = field(default_factory=list)


def board(workspace_id: int, *, now: datetime) -> list[ChannelOfRoutes]:
    """All released routes by channel, as they stand now."""
    released = governance.all_released(workspace_id, "vendor_route")
    models: dict[str, VendorRoute] = {view.key: view.model for view in released}
    resting = limits.troubled(workspace_id, now=now)
    killed = {row.key: row.reason for row in switches(workspace_id) if row.scope in ("workspace", "vendor")}
    rows = list(Allowance.objects.filter(workspace_id=workspace_id, account__in=models))
    paces = {row.account: limits.pace(row, now) for row in VendorAccount.objects.filter(workspace_id=workspace_id, account__in=models)}
    channels: dict[str, ChannelOfRoutes] = {}
    for key, model in sorted(models.items(), key=lambda named: (-named[1].weight, named[0])):
        channel = channels.setdefault(model.channel, ChannelOfRoutes(model.channel, CHANNEL_WORDS[model.channel]))
        trouble, until = resting.get(key, ("", None))
        stopped = killed.get("", killed.get(model.vendor))
        beside = [other for other in models.values() if other.channel == model.channel]
        channel.routes.append(
            RouteLine(
                key,
                model.title,
                ADAPTERS[model.vendor].title if model.vendor in ADAPTERS else model.vendor,
                _part(model, beside),
                list(model.countries),
                "killed" if stopped is not None else "paused" if until else "healthy",
                trouble if stopped is None else stopped,
                until if stopped is None else None,
                paces.get(key, 1.0),
                _uses(model, [row for row in rows if row.account == key], now),
                price_book(model),
                model.weight,
            )
        )
    for channel in channels.values():
        channel.book = _book(channel.routes, now.date())
        channel.changes = sorted((day, line.title) for line in channel.routes for day, _ in line.prices.later if day > now.date())
    return sorted(channels.values(), key=lambda channel: list(CHANNEL_WORDS).index(channel.channel))


def _part(model: VendorRoute, beside: list[VendorRoute]) -> str:
    """What of its channel's traffic a route carries while every route can be used."""
    rivals = [other for other in beside if sorted(other.countries) == sorted(model.countries)]
    whole = "everything"
    if written := written_by(model):  # a device is written to by its own platform's vendor: routes of others are no rivals
        whole = " and ".join(f"messages to {audience.PLATFORMS.get(each, each)}s" for each in sorted(written))
        rivals = [each for each in rivals if written & written_by(each)]
    best = max(other.weight for other in rivals)
    if model.weight == best:
        equal = sum(other.share for other in rivals if other.weight == best)
        share = model.share / equal
        return whole if share == 1 else f"{100 * share:.0f} %" if whole == "everything" else f"{100 * share:.0f} % of {whole}"
    return "stands in" if model.stands_in else "only where it is named"


def _uses(model: VendorRoute, rows: list[Allowance], now: datetime) -> list[Use]:
    found = [Use(f"{model.per_second:,g} message{'' if model.per_second == 1 else 's'} in a second", 0)] if model.per_second else []
    vendors = ADAPTERS[model.vendor].limits.per_second if model.vendor in ADAPTERS else None
    if vendors and not model.per_second:
        found = [Use(f"{vendors:,g} messages in a second, as the vendor allows", 0)]
    given = quotas_of(model)
    warm = quotas.warm_up(model.warm_up.began, model.warm_up.days, now.date()) if model.warm_up else None
    for limit in (*given, *([warm] if warm else [])):
        mine = [row for row in rows if row.per == limit.per and row.of.partition(":")[0] == limit.of]
        if limit.domains:
            mine = [row for row in mine if row.of == f"recipient_domain:{min(limit.domains)}"]
        used = None if limit.per == "second" else max((quotas.used(limit, row.used, now) for row in mine), default=0)
        scope = f"to {', '.join(sorted(limit.domains))}" if limit.domains else SCOPES[limit.of]
        found.append(Use(" ".join(filter(None, (limit.words(), scope))), int(limit.count), used))
    return found


def _book(routes: list[RouteLine], day: date) -> list[tuple[str, list[int | None]]]:
    """Prices of a message (or part) by country, in the order of their English names, and "" for all others; None where a route doesn't
    serve it or is free."""
    tables = [line.prices.on(day) for line in routes]
    if not any(tables):
        return []
    names = presentation.babel_locale("en").territories
    priced = {country for table in tables if table for country in table.countries}
    countries = sorted(priced, key=lambda country: str(names.get(country, country)))
    return [
        (
            country,
            [
                None if table is None or (line.countries and country not in line.countries) else line.prices.of(country or "?", 1, day)
                for line, table in zip(routes, tables, strict=True)
            ],
        )
        for country in (*countries, "")
    ]
