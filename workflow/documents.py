"""The document kind `campaign`: who hears what, when, within which limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from audience import door as audience
from governance.door import DocumentModel, Slug, Text
from presentation.door import Override
from workflow.cron import parse_cron, parse_zone

CronLine = Annotated[str, AfterValidator(parse_cron)]
ZoneName = Annotated[str, AfterValidator(parse_zone)]


def _parse_local(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a local date and time such as 2026-12-01T09:00") from None
    if moment.tzinfo is not None:
        raise ValueError("a local time without an offset; name the zone in `zone`")
    return moment.isoformat(timespec="minutes")


class Manual(DocumentModel):
    """A person or a command launches it."""

    type: Literal["manual"] = "manual"


class Schedule(DocumentModel):
    """A cron line in a zone. A local time that a clock change skips runs at the next valid minute; a repeated one once, the first time."""

    type: Literal["schedule"]
    cron: CronLine = Field(examples=["0 9 * * MON"])
    zone: ZoneName = "UTC"
    late_limit_minutes: int = Field(60, ge=1, le=1440, description="How late a missed tick may still run.")


class Once(DocumentModel):
    """One planned local time. One that happens twice means the first; one that is skipped, the first instant after the gap."""

    type: Literal["once"]
    at: Annotated[str, AfterValidator(_parse_local)] = Field(examples=["2026-12-01T09:00"])
    zone: ZoneName = "UTC"
    late_limit_minutes: int = Field(60, ge=1, le=1440)

    def instant(self) -> datetime:
        """The planned instant, UTC."""
        return datetime.fromisoformat(self.at).replace(tzinfo=ZoneInfo(self.zone), fold=0).astimezone(UTC)


class OnEvent(DocumentModel):
    """Whenever an event of this name arrives for a person of the segment, and `where` holds for the event."""

    type: Literal["event"]
    event: Slug
    where: audience.TriggerRule | None = None
    delay_minutes: int = Field(0, ge=0, le=60 * 24 * 30)


Trigger = Annotated[Manual | Schedule | Once | OnEvent, Field(discriminator="type")]


class Variant(DocumentModel):
    """One arm of an experiment. weight: relative."""

    key: Slug
    weight: float = Field(gt=0, le=1000)
    template: Slug


class Budget(DocumentModel):
    """What one run may spend. micros: millionths of the currency's unit."""

    micros: int = Field(ge=0, le=2**53)
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$")


class CampaignBody(DocumentModel):
    """Everything an approver vouches for, except the documents it uses (they are in the bill of materials)."""

    title: Annotated[str, Text(120)]
    description: Annotated[str, Text(2000, min=0, lines=True)] = ""
    segment: Slug
    template: Slug | None = None
    variants: list[Variant] = Field(default_factory=list, max_length=10)
    holdout: float = Field(0.0, ge=0, le=0.5, description="Share of the audience that is left alone, to measure the effect.")
    trigger: Trigger = Manual()
    priority: int = Field(50, ge=0, le=100, description="Which campaign wins when one event could trigger several.")
    ramp: list[float] = Field(default_factory=list, max_length=6, description="Cumulative shares, e.g. [0.01, 0.1, 1]; empty: all at once.")
    soak_minutes: int = Field(15, ge=0, le=1440, description="How long each wave is watched before the next.")
    recheck: Literal["at_launch", "at_send"] = "at_launch"
    reentry: bool = Field(False, description="May a later launch reach the same people again?")
    expires_after_hours: int = Field(24, ge=1, le=720)
    batch_size: int = Field(1000, ge=1, le=1000)
    budget: Budget | None = None
    route: Slug | None = None
    policy: Slug | None = None
    theme: Override | None = Field(None, description="What its mails wear instead of their templates' themes: a key, or one with changes.")

    @model_validator(mode="after")
    def _one_content(self) -> CampaignBody:
        if (self.template is None) == (not self.variants):
            raise ValueError("either `template` or `variants`, not both and not neither")
        if len({variant.key for variant in self.variants}) != len(self.variants):
            raise ValueError("every variant with a key of its own")
        return self

    @model_validator(mode="after")
    def _rising_ramp(self) -> CampaignBody:
        if self.ramp and (self.ramp != sorted(set(self.ramp)) or self.ramp[-1] != 1 or self.ramp[0] <= 0):
            raise ValueError("a ramp of rising shares that ends with 1, such as [0.01, 0.1, 1]")
        return self

    def template_paths(self) -> list[str]:
        """Where the body names the templates of its arms, in their order (JSON Pointers)."""
        return [f"/variants/{place}/template" for place in range(len(self.variants))] or ["/template"]

    def arms(self) -> list[Variant]:
        """The variants; a campaign without an experiment is one arm."""
        return self.variants or [Variant(key="only", weight=1.0, template=self.template or "")]
