"""The two documents of delivery: through which vendor account a channel leaves, and under which manners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from delivery.adapters.registry import ADAPTERS, vendors_of
from governance.door import CheckContext, DocumentModel, Finding, Kind, Like, Role, Slug, Text, pointer, zone_names

CHANNEL_WORDS: dict[str, Any] = {
    "email": "E-mail",
    "sms": "SMS",
    "push": "Push",
    "webpush": "Web push",
    "whatsapp": "WhatsApp",
    "wechat": "WeChat",
    "webhook": "Webhook",
}
Channel = Annotated[
    Literal["email", "sms", "push", "webpush", "whatsapp", "wechat", "webhook"], Field(json_schema_extra={"words": CHANNEL_WORDS})
]
Share = Annotated[float, Field(ge=0, le=1, json_schema_extra={"shown_as": "share"})]
Micros = Annotated[int, Field(ge=0, le=10**12, json_schema_extra={"shown_as": "money", "currency": "currency"})]


SecretName = Annotated[str, Like(r"[A-Z][A-Z0-9_]{0,59}", "capital letters, digits and _, such as SENDGRID_KEY")]
Country = Annotated[str, Like(r"[A-Z]{2}", "a country’s two capital letters, such as DE")]
Currency = Annotated[str, Like(r"[A-Z]{3}", "a currency’s three capital letters, such as USD")]


def _zone(value: str) -> str:
    if value not in zone_names():
        raise ValueError("a time zone such as Europe/Paris")
    return value


def _moment(value: str) -> str:
    try:
        parsed = time.fromisoformat(value)
    except ValueError:
        raise ValueError("a time of day such as 21:00") from None
    if len(value) != 5 or parsed.tzinfo is not None:
        raise ValueError("a time of day such as 21:00")
    return value


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

ZoneName = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Paris"])]
TimeOfDay = Annotated[str, AfterValidator(_moment), Field(examples=["21:00"])]


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
    weight: int = Field(
        default=100,
        ge=0,
        le=1000,
        title="Preference",
        description="The heaviest released route carries what names none.",
        json_schema_extra={"help": "Campaigns that name no route go by the one with the highest number."},
    )
    per_second: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        title="Speed at most",
        description="Recipients a second that the account may take.",
        json_schema_extra={"unit": "messages a second", "help": "What your account with the vendor may send."},
    )
    price: PriceTable | None = Field(default=None, title="Prices")
    seed: Annotated[str, Text(200)] | None = Field(
        default=None,
        title="Profile for test messages",
        description="External id of a profile of your own; probes go there when the vendor's events must be proven live.",
        json_schema_extra={
            "help": "External ID of a profile of your own. A test message to it shows whether the vendor still reports back."
        },
    )


class Cap(DocumentModel):
    """At most `count` promotional messages to one person, either in any window of `hours` or in so many `days` of their own calendar,
    today being the last; over all campaigns, or those of a channel or a topic."""

    count: int = Field(ge=1, le=1000, title="Messages at most")
    hours: int | None = Field(default=None, ge=1, le=24 * 90, title="within", json_schema_extra={"unit": "hours", "none": ""})
    days: int | None = Field(
        default=None,
        ge=1,
        le=90,
        title="or within",
        description="Days of the person's own calendar; 1: from their midnight to midnight. Either this or `hours`.",
        json_schema_extra={"unit": "days by their calendar", "none": ""},
    )
    channel: Channel | None = Field(default=None, json_schema_extra={"none": "Every channel together"})
    topic: Slug | None = Field(default=None, json_schema_extra={"none": "Every topic together"})

    @model_validator(mode="after")
    def _one_window(self) -> Cap:
        if (self.hours is None) == (self.days is None):
            raise ValueError("either hours or days, not both and not neither")
        return self


class CountryHours(DocumentModel):
    """Further quiet hours of a country's people: the law, or good manners there."""

    country: Country
    start: TimeOfDay = Field(title="Quiet from")
    end: TimeOfDay = Field(title="to")
    sundays: bool = Field(default=False, title="All of Sunday, too")


class QuietHours(DocumentModel):
    """Between start and end, by the recipient's own clock, nothing of these channels and classes goes out."""

    start: TimeOfDay = Field(title="Quiet from")
    end: TimeOfDay = Field(title="to")
    channels: list[Channel] = Field(default=["sms"], min_length=1, json_schema_extra={"words": CHANNEL_WORDS})
    classes: list[Literal["promotional", "service"]] = Field(default=["promotional"], min_length=1, title="Kinds of message")
    zone: ZoneName = Field(
        default="UTC",
        title="Time zone",
        description="Counts for people of whom neither zone nor country is known.",
        json_schema_extra={"help": "For people of whom neither zone nor country is known."},
    )
    countries: list[CountryHours] = Field(
        default_factory=list,
        max_length=60,
        title="Further quiet hours, by country",
        json_schema_extra={
            "item": "country",
            "help": "In addition to the hours above. Texts to the USA are never sent from 21:00 to 8:00.",
        },
    )
    then: Literal["postpone", "skip"] = Field(
        default="postpone",
        title="A message that falls into them",
        json_schema_extra={"words": {"postpone": "goes out afterwards", "skip": "doesn’t go out"}},
    )


class Halt(DocumentModel):
    """Shares of what was sent past which the dispatch is paused, and what a next wave waits for.

    A share counts where it is surely past its limit: by the lower end of its 95 % interval (Wilson's), so that two bounces of ten
    mails halt nothing.
    """

    bounced: Share = Field(default=0.05, title="Bounced, more than")
    complained: Share = Field(default=0.002, title="Complained, more than")
    unsubscribed: Share = Field(default=0.02, title="Unsubscribed, more than")
    failed: Share = Field(default=0.02, title="Refused by the vendor, more than")
    unrendered: Share = Field(default=0.01, title="Could not be rendered, more than")
    at_least: int = Field(
        default=500,
        ge=1,
        title="Bounces and people’s reactions are judged from",
        description="Messages before they mean anything; what was refused or can't be rendered is judged at once.",
        json_schema_extra={"unit": "messages", "help": "With fewer, only refusals and rendering are judged."},
    )
    heard: Share = Field(
        default=0.8,
        title="The next wave waits for reports about",
        description="Share of what was sent that the vendor must have reported on, where it reports at all.",
        json_schema_extra={"help": "Where the vendor reports. A person may open it before."},
    )


class SoftBounces(DocumentModel):
    """When an address that keeps bouncing for a while counts as dead, though no bounce said so."""

    count: int = Field(default=5, ge=2, le=50, title="After", json_schema_extra={"unit": "bounces"})
    days: int = Field(default=30, ge=1, le=90, title="within", json_schema_extra={"unit": "days"})


class SendingPolicy(DocumentModel):
    """How often, when and how much at once people are written to."""

    title: Annotated[str, Text(120)]
    caps: list[Cap] = Field(
        default_factory=list,
        max_length=8,
        title="Limits for one person",
        json_schema_extra={"item": "limit", "help": "Over all campaigns together, in any such time."},
    )
    caps_then: Literal["skip", "postpone"] = Field(
        default="skip",
        title="When a person had enough",
        json_schema_extra={"words": {"skip": "the message isn’t sent", "postpone": "the message waits"}},
    )
    quiet_hours: QuietHours | None = Field(default=None, title="Quiet hours", json_schema_extra={"help": "By each person’s own clock."})
    soft_bounces: SoftBounces = Field(
        default=SoftBounces(),
        title="Give an address up that keeps bouncing",
        json_schema_extra={"help": "Without a delivery in between. A bounce that says “never” gives it up at once."},
    )
    max_per_request: int = Field(
        default=1000,
        ge=1,
        le=1000,
        title="Handed over at once",
        description="Messages in one vendor request: what one kill can leave in doubt.",
        json_schema_extra={"unit": "messages", "help": "If the vendor doesn’t answer, so many are in doubt."},
    )
    halt: Halt = Field(
        default=Halt(),
        title="Pause a run when too much goes wrong",
        json_schema_extra={"help": "Shares of what was sent. Past one of them no further wave opens."},
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
    return findings


def _policy_checks(context: CheckContext, policy: SendingPolicy) -> Sequence[Finding]:
    quiet = policy.quiet_hours
    nights = [("/quiet_hours", quiet)] if quiet is not None else []
    nights += [(f"/quiet_hours/countries/{place}", row) for place, row in enumerate(quiet.countries if quiet else ())]  # type: ignore[misc]
    return [
        Finding("error", f"{at}/end", night.end, "a time other than the start: nothing could ever be sent")
        for at, night in nights
        if night.start == night.end
    ]


VENDOR_ROUTE = Kind("vendor_route", "vendor-routes", "Vendor route", VendorRoute, checks=_route_checks, save_role=Role.ADMIN)
SENDING_POLICY = Kind("sending_policy", "sending-policies", "Sending policy", SendingPolicy, checks=_policy_checks)
__all__ = ["SENDING_POLICY", "VENDOR_ROUTE", "Cap", "PriceTable", "QuietHours", "SendingPolicy", "VendorRoute"]
