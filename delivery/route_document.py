"""The vendor route: through which vendor account a channel leaves, to whom, how fast, and at what price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from delivery.adapters.registry import ADAPTERS, vendors_of
from delivery.document_words import Channel, Country, Currency, Micros, Share
from governance.door import CheckContext, DocumentModel, Finding, Kind, Like, Role, Text, pointer

SecretName = Annotated[str, Like(r"[A-Z][A-Z0-9_]{0,59}", "capital letters, digits and _, such as SENDGRID_KEY")]
MailDomain = Annotated[str, Like(r"[a-z0-9.-]{1,251}\.[a-z0-9-]{2,63}", "a mail domain in small letters, such as gmail.com")]

VENDORS: dict[str, Any] = {"suggestions": list(ADAPTERS), "words": {key: adapter.title for key, adapter in ADAPTERS.items()}}
SETTINGS: dict[str, Any] = {
    "item": "setting",
    "row": ["Setting", "Value"],
    "names": {name: adapter.setting_forms.get(name, "text") for adapter in ADAPTERS.values() for name in adapter.settings},
    "help": "What else the vendor may be told; its reference page lists the names.",
}
SECRETS: dict[str, Any] = {
    "item": "key",
    "row": ["The vendor’s name for it", "Kept under the name"],
    "names": sorted({name for adapter in ADAPTERS.values() for name in adapter.every_secret()}),
    "help": "Never the key itself: the name under which an admin keeps it, such as SENDGRID_KEY.",
}
COUNTRIES: dict[str, Any] = {"item": "country", "row": ["Country", "Price"], "help": "Two letters, such as DE."}


class PriceTable(DocumentModel):
    """What one message costs. per: a message, or each part of a text message; countries by ISO 3166 code."""

    currency: Currency = Field(title="Currency", examples=["USD"])
    per: Literal["message", "part"] = Field(
        default="message",
        title="A price is for",
        json_schema_extra={"words": {"message": "a message", "part": "each part of an SMS"}},
    )
    otherwise_micros: Micros = Field(
        default=0,
        title="Price of a message",
        description="Where no country is named, in millionths of the currency unit.",
        json_schema_extra={"help": "To every country that isn’t listed."},
    )
    countries: dict[Country, Micros] = Field(default_factory=dict, title="Other prices, by country", json_schema_extra=COUNTRIES)


class LaterPrices(DocumentModel):
    """Prices that are known to change: the table that counts from that day on (UTC)."""

    starts: date = Field(title="From", examples=["2027-01-01"])
    price: PriceTable = Field(title="Prices")


class Quota(DocumentModel):
    """At most `count` recipients in any such span, however it is laid: never exceeded, whatever number of workers sends.

    of: the whole account; each sender's address or number for itself; each domain that mail comes from; or the recipients at the
    named domains together.
    """

    count: int = Field(ge=1, le=10**9, title="Messages at most")
    per: Literal["second", "minute", "hour", "day"] = Field(
        default="day",
        title="in any",
        json_schema_extra={"words": {"second": "second", "minute": "minute", "hour": "hour", "day": "24 hours"}},
    )
    of: Literal["account", "sender", "sender_domain", "recipient_domain"] = Field(
        default="account",
        title="counted for",
        json_schema_extra={
            "words": {
                "account": "the whole account",
                "sender": "each sender",
                "sender_domain": "each sending domain",
                "recipient_domain": "recipients’ domains",
            }
        },
    )
    domains: list[MailDomain] = Field(
        default_factory=list,
        max_length=50,
        title="Recipients’ domains",
        json_schema_extra={"help": "Of one mailbox provider: they share the limit. Only for recipients’ domains."},
    )

    @model_validator(mode="after")
    def _domains_where_they_count(self) -> Quota:
        if (self.of == "recipient_domain") != bool(self.domains):
            raise ValueError("domains where recipients’ domains are counted, and only there")
        return self


class WarmUp(DocumentModel):
    """A new account or address may send a little more each day. days: how many on the first, the second, …; then it ends.

    Binds campaigns; transactional messages are counted and never held back by it.
    """

    began: date = Field(title="First day", description="By UTC.", examples=["2026-12-01"])
    days: list[Annotated[int, Field(ge=1, le=10**9)]] = Field(
        min_length=1,
        max_length=90,
        title="Messages on each day",
        examples=[[50, 100, 200, 400, 800]],
        json_schema_extra={"help": "The first day’s, the second’s, and so on. Afterwards nothing is held back."},
    )


class VendorRoute(DocumentModel):
    """One vendor account that carries one channel."""

    title: Annotated[str, Text(120)]
    channel: Channel
    vendor: str = Field(json_schema_extra=VENDORS)
    settings: dict[str, str | bool | list[str]] = Field(
        default_factory=dict, description="What the vendor's page lists.", json_schema_extra=SETTINGS
    )
    secrets: dict[str, SecretName] = Field(
        default_factory=dict, title="Keys", description="Which named secret holds each credential.", json_schema_extra=SECRETS
    )
    countries: list[Country] = Field(
        default_factory=list,
        max_length=250,
        title="Only to people in",
        json_schema_extra={
            "help": "Two letters each, such as DE. None: everywhere. A route that names a country goes before one that doesn’t."
        },
    )
    weight: int = Field(
        default=100,
        ge=0,
        le=1000,
        title="Preference",
        description="The heaviest released routes carry what names none.",
        json_schema_extra={"help": "Campaigns that name no route go by the ones with the highest number."},
    )
    share: int = Field(
        default=100,
        ge=1,
        le=1000,
        title="Part of the traffic",
        description="Beside routes of the same preference: each carries its share of their sum.",
        json_schema_extra={"help": "Beside routes of the same preference. 100 and 300: a quarter and three quarters."},
    )
    stands_in: bool = Field(
        default=False,
        title="Stands in for others",
        description="Carries what more preferred routes of the channel can't carry at the moment, though less preferred itself.",
        json_schema_extra={"help": "When a more preferred route is switched off, or its vendor doesn’t answer."},
    )
    per_second: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        title="Speed at most",
        description="Recipients a second that the account may take.",
        json_schema_extra={"unit": "messages a second", "help": "What your account with the vendor may send."},
    )
    quotas: list[Quota] = Field(
        default_factory=list,
        max_length=20,
        title="Further limits",
        json_schema_extra={"item": "limit", "help": "By the minute, hour or day; for senders and domains, too."},
    )
    reserved: Share = Field(
        default=0.1,
        le=0.9,
        title="Kept for transactional messages",
        description="Of each limit, where the account carried any in the last 30 days.",
        json_schema_extra={"help": "So much of each limit campaigns leave alone, on accounts that carry transactional messages, too."},
    )
    warm_up: WarmUp | None = Field(default=None, title="Warm-up")
    price: PriceTable | None = Field(default=None, title="Prices")
    later_prices: list[LaterPrices] = Field(
        default_factory=list, max_length=12, title="Prices that will change", json_schema_extra={"item": "change"}
    )
    seed: Annotated[str, Text(200)] | None = Field(
        default=None,
        title="Profile for test messages",
        description="External id of a profile of your own; probes go there when the vendor's events must be proven live.",
        json_schema_extra={
            "help": "External ID of a profile of your own. A test message to it shows whether the vendor still reports back."
        },
    )


def _route_checks(context: CheckContext, route: VendorRoute) -> Sequence[Finding]:
    adapter = ADAPTERS.get(route.vendor)
    if adapter is None or route.channel not in adapter.channels:
        return [Finding("error", "/vendor", route.vendor[:40], f"a vendor for {route.channel}: {', '.join(vendors_of(route.channel))}")]
    findings = [
        Finding(
            "error", pointer(("settings", name)), "a setting this vendor doesn't have", f"one of {', '.join(adapter.settings) or 'none'}"
        )
        for name in route.settings
        if name not in adapter.settings
    ]
    findings += [
        Finding("error", pointer(("secrets", name)), "nothing", "the name of the secret that holds it")
        for name in adapter.secrets_of(route.settings)
        if name not in route.secrets
    ]
    findings += [
        Finding("error", pointer(("settings", name)), str(route.settings.get(name) or "nothing")[:40], expected)
        for name, expected in adapter.faults(route.settings)
    ]
    if route.channel in ("sms", "whatsapp") and route.price is None and route.vendor != "outbox":
        findings.append(
            Finding("warning", "/price", "nothing", "a price table: without one, budgets and estimates count this route as free")
        )
    findings += _money_checks(route)
    for place, quota in enumerate(route.quotas):
        if quota.of in ("sender_domain", "recipient_domain") and route.channel != "email":
            findings.append(Finding("error", f"/quotas/{place}/of", quota.of, f"account or sender: {route.channel} has no domains"))
        if any((other.per, other.of, other.domains) == (quota.per, quota.of, quota.domains) for other in route.quotas[:place]):
            findings.append(Finding("error", f"/quotas/{place}", "the same limit as another", "one limit of each kind"))
    return findings


def _money_checks(route: VendorRoute) -> list[Finding]:
    """Later prices need prices, in the same currency, in the order of their days."""
    findings = list[Finding]()
    for place, later in enumerate(route.later_prices):
        at = f"/later_prices/{place}"
        if route.price is None:
            findings.append(Finding("error", at, "no prices of today", "prices that count until then"))
        elif later.price.currency != route.price.currency:
            findings.append(Finding("error", f"{at}/price/currency", later.price.currency, f"{route.price.currency}, as today"))
        if place and later.starts <= route.later_prices[place - 1].starts:
            findings.append(Finding("error", f"{at}/starts", later.starts.isoformat(), "a day after the change before it"))
    return findings


VENDOR_ROUTE = Kind("vendor_route", "vendor-routes", "Vendor route", VendorRoute, checks=_route_checks, save_role=Role.ADMIN)
