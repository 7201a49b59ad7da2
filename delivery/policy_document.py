"""The sending policy: how often, when and how much at once people are written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from delivery.document_words import CHANNEL_WORDS, Channel, Country, Share, TimeOfDay, ZoneName
from governance.door import CheckContext, DocumentModel, Finding, Kind, Slug, Text


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
    unsubscribed_times: float = Field(
        default=3,
        ge=1,
        le=100,
        title="or more than",
        description="Times the share that is usual: of the channel's promotional messages of the 90 days before, where there were enough.",
        json_schema_extra={"unit": "times what is usual", "help": "Usual is the share of the 90 days before, from 5,000 messages on."},
    )
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
    equal_routes: Literal["share", "cheapest"] = Field(
        default="share",
        title="Among equally preferred routes",
        json_schema_extra={"words": {"share": "each carries its share", "cheapest": "the cheapest for the country"}},
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


def _policy_checks(context: CheckContext, policy: SendingPolicy) -> Sequence[Finding]:
    quiet = policy.quiet_hours
    nights = [("/quiet_hours", quiet)] if quiet is not None else []
    nights += [(f"/quiet_hours/countries/{place}", row) for place, row in enumerate(quiet.countries if quiet else ())]  # type: ignore[misc]
    return [
        Finding("error", f"{at}/end", night.end, "a time other than the start: nothing could ever be sent")
        for at, night in nights
        if night.start == night.end
    ]


SENDING_POLICY = Kind("sending_policy", "sending-policies", "Sending policy", SendingPolicy, checks=_policy_checks)
