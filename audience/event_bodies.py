"""The body of an event, by whatever door it comes: strict, bounded, every fault named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from audience.new_events import NewEvent
from governance.door import DocumentModel, Slug, Text

MAX_EVENTS = 1000  # per request


def _instant(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("an ISO 8601 instant such as 2026-12-01T09:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("an instant with its offset, such as 2026-12-01T09:00:00Z")
    return moment.astimezone(UTC).isoformat()


Instant = Annotated[str, AfterValidator(_instant), Field(examples=["2026-12-01T09:00:00Z"])]


class EventRequest(DocumentModel):
    """Something a person did. id: unique per workspace; the same id twice counts once."""

    id: Annotated[str, Text(200)]
    name: Slug
    external_id: Annotated[str, Text(200)]
    at: Instant | None = None
    properties: dict[str, Any] = Field(default_factory=dict, max_length=50)

    def event(self, otherwise: datetime) -> NewEvent:
        """As the door takes it. otherwise: when it happened where that isn't said."""
        return NewEvent(self.id, self.name, self.external_id, datetime.fromisoformat(self.at) if self.at else otherwise, self.properties)


class EventsRequest(DocumentModel):
    """One event, or up to 1,000 as `events`."""

    events: list[EventRequest] = Field(min_length=1, max_length=MAX_EVENTS)

    @model_validator(mode="before")
    @classmethod
    def _single(cls, given: Any) -> Any:
        return {"events": [given]} if isinstance(given, dict) and "events" not in given else given
