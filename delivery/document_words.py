"""The words that delivery's documents share: channels, countries, money, times of day."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import AfterValidator, Field

from governance.door import Like, zone_names
from presentation.door import CHANNEL_WORDS, Channel, Country

Share = Annotated[float, Field(ge=0, le=1, json_schema_extra={"shown_as": "share"})]
Micros = Annotated[int, Field(ge=0, le=10**12, json_schema_extra={"shown_as": "money", "currency": "currency"})]


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


ZoneName = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Paris"])]
TimeOfDay = Annotated[str, AfterValidator(_moment), Field(examples=["21:00"])]

__all__ = ["CHANNEL_WORDS", "Channel", "Country", "Currency", "Micros", "Share", "TimeOfDay", "ZoneName"]
