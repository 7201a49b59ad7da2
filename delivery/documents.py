"""The two documents of delivery: through which vendor account a channel leaves, and under which manners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from delivery.adapters.registry import ADAPTERS, vendors_of
from governance.door import CheckContext, DocumentModel, Finding, Kind, Role, Text, pointer, zone_names

Channel = Literal["email", "sms"]
Share = Annotated[float, Field(ge=0, le=1)]
Micros = Annotated[int, Field(ge=0, le=10**12)]
SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,59}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


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


ZoneName = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Paris"])]
TimeOfDay = Annotated[str, AfterValidator(_moment), Field(examples=["21:00"])]


class PriceTable(DocumentModel):
    """What one message costs. per: a message, or each part of a text message; countries by ISO 3166 code."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(examples=["USD"])
    per: Literal["message", "part"] = "message"
    otherwise_micros: Micros = Field(default=0, description="Where no country is named, in millionths of the currency unit.")
    countries: dict[Country, Micros] = Field(default_factory=dict)


class VendorRoute(DocumentModel):
    """One vendor account that carries one channel."""

    title: Annotated[str, Text(120)]
    channel: Channel
    vendor: str
    settings: dict[str, str | bool | list[str]] = Field(default_factory=dict, description="What the vendor's page lists.")
    secrets: dict[str, SecretName] = Field(default_factory=dict, description="Which named secret holds each credential.")
    weight: int = Field(default=100, ge=0, le=1000, description="The heaviest released route carries what names none.")
    per_second: float | None = Field(default=None, gt=0, le=1_000_000, description="Recipients a second that the account may take.")
    price: PriceTable | None = None
    seed: Annotated[str, Text(200)] | None = Field(
        default=None, description="External id of a profile of your own; probes go there when the vendor's events must be proven live."
    )


class Cap(DocumentModel):
    """At most `count` messages to one person in any window of `hours`, over all campaigns of the channel (or of every one)."""

    count: int = Field(ge=1, le=1000)
    hours: int = Field(ge=1, le=24 * 90)
    channel: Channel | None = None


class QuietHours(DocumentModel):
    """Between start and end, by the recipient's own clock, nothing of these channels and classes goes out."""

    start: TimeOfDay
    end: TimeOfDay
    channels: list[Channel] = Field(default=["sms"], min_length=1)
    classes: list[Literal["promotional", "service"]] = Field(default=["promotional"], min_length=1)
    zone: ZoneName = Field(default="UTC", description="Counts for people of whom neither zone nor country is known.")
    then: Literal["postpone", "skip"] = "postpone"


class Halt(DocumentModel):
    """Shares of what was sent past which the next wave is not opened and the dispatch is paused."""

    bounced: Share = 0.05
    complained: Share = 0.002
    failed: Share = 0.02
    at_least: int = Field(default=100, ge=1, description="Messages before shares mean anything.")


class SendingPolicy(DocumentModel):
    """How often, when and how much at once people are written to."""

    title: Annotated[str, Text(120)]
    caps: list[Cap] = Field(default_factory=list, max_length=8)
    caps_then: Literal["skip", "postpone"] = "skip"
    quiet_hours: QuietHours | None = None
    max_per_request: int = Field(
        default=1000, ge=1, le=1000, description="Messages in one vendor request: what one kill can leave in doubt."
    )
    halt: Halt = Halt()


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
        for name in adapter.secrets
        if name not in route.secrets and not _replaced(name, route.settings)
    ]
    if route.vendor == "twilio" and not route.settings.get("account_sid"):
        findings.append(Finding("error", "/settings/account_sid", "nothing", "the account's SID"))
    if route.channel == "sms" and route.price is None and route.vendor != "outbox":
        findings.append(
            Finding("warning", "/price", "nothing", "a price table: without one, budgets and estimates count this route as free")
        )
    return findings


def _replaced(secret: str, settings: dict[str, Any]) -> bool:
    """Twilio takes an API key instead of the account's token."""
    return secret == "auth_token" and bool(settings.get("api_key_sid"))


def _policy_checks(context: CheckContext, policy: SendingPolicy) -> Sequence[Finding]:
    quiet = policy.quiet_hours
    if quiet is not None and quiet.start == quiet.end:
        return [Finding("error", "/quiet_hours/end", quiet.end, "a time other than the start: nothing could ever be sent")]
    return []


VENDOR_ROUTE = Kind("vendor_route", "vendor-routes", "Vendor route", VendorRoute, checks=_route_checks, save_role=Role.ADMIN)
SENDING_POLICY = Kind("sending_policy", "sending-policies", "Sending policy", SendingPolicy, checks=_policy_checks)
__all__ = ["SENDING_POLICY", "VENDOR_ROUTE", "Cap", "PriceTable", "QuietHours", "SendingPolicy", "VendorRoute"]
