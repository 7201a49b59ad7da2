"""What may be said about the events of one name: what they mean, and how long they are kept. Document kind `event_type`.

Events need no type to be recorded; one that has none, or whose type says no time, is kept until its person is erased. Nothing that still
looks at them is cut short: a type that lets events go sooner than a computed attribute looks back is refused, and a segment that looks
further back is warned.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import structlog
from django.db import transaction
from pydantic import Field

from audience import sql
from audience.catalogue import ATTRIBUTE, AttributeBody
from audience.models import Event
from audience.new_events import MAX_NAME
from audience.sources import source_of
from governance import door as governance
from governance.door import CheckContext, DocumentModel, Finding, Kind, Role, Text

AT_ONCE = 5_000  # events in one transaction
LONGEST = 20.0  # seconds of one look; the rest goes at the next
log = structlog.get_logger(__name__)


class EventTypeBody(DocumentModel):
    """The events of one name."""

    title: Annotated[str, Text(120)]
    name: Annotated[str, Text(MAX_NAME)] = Field(title="Name of the event", json_schema_extra={"help": "As programs send it."})
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    owner: Annotated[str, Text(200, min=0)] = Field(default="", title="Who answers for it")
    keep_days: int | None = Field(
        default=None,
        ge=1,
        le=3_650,
        title="Days to keep them",
        json_schema_extra={"help": "Counted from when they happened; then they are deleted. Nothing: as long as the person."},
    )


def _checks(context: CheckContext, body: EventTypeBody) -> Sequence[Finding]:
    found = []
    if source_of(body.name) is not None:
        expected = "an event that is recorded here: the ledger keeps these as long as OMNI_KEEP_MESSAGES says"
        found.append(Finding("error", "/name", body.name, expected))
    for key, other in governance.drafted(context.workspace_id, EVENT_TYPE.name).items():
        if key != context.key and isinstance(other, Mapping) and other.get("name") == body.name:
            found.append(Finding("error", "/name", body.name, f"a name that no other type has: {key} has this one"))
    if body.keep_days is not None:
        for view in governance.all_released(context.workspace_id, ATTRIBUTE.name):
            if isinstance(view.model, AttributeBody) and (fault := _cut_short(view.model, body.name, body.keep_days)):
                found.append(Finding("error", "/keep_days", f"{body.keep_days} days", f"{fault}, which {view.key} counts"))
    return found


def _cut_short(attribute: AttributeBody, name: str, keep_days: int) -> str:
    """How long the attribute needs the events of this name, where that is longer than they are kept; else ""."""
    if attribute.computed is None or attribute.computed.event != name:
        return ""
    if attribute.computed.days is None:
        return "nothing, for as long as a computed attribute counts all of them"
    return f"at least the {attribute.computed.days} days" if attribute.computed.days > keep_days else ""


EVENT_TYPE = Kind(name="event_type", plural="event-types", title="Event type", schema=EventTypeBody, checks=_checks, save_role=Role.AUTHOR)


def event_titles(workspace_id: int) -> dict[str, str]:
    """What the events of a name are called, by their types: as released, or as drafted where none is released yet."""
    drafts = governance.drafted(workspace_id, EVENT_TYPE.name).values()
    bodies = [*drafts, *(view.body for view in governance.all_released(workspace_id, EVENT_TYPE.name))]
    return {str(body["name"]): str(body["title"]) for body in bodies if body.get("name") and body.get("title")}


def kept_days(workspace_id: int) -> dict[str, int]:
    """For how many days the events of a name are kept, by released types; names that are kept for good are left out."""
    released = [view.model for view in governance.all_released(workspace_id, EVENT_TYPE.name)]
    return {each.name: each.keep_days for each in released if isinstance(each, EventTypeBody) and each.keep_days is not None}


def let_events_go(*, now: datetime, longest: float = LONGEST) -> int:
    """Delete what is older than its type says, some thousand at a time and for at most so many seconds; how many went."""
    began, gone = time.monotonic(), 0
    for workspace_id in governance.Workspace.objects.values_list("pk", flat=True):
        for name, days in sorted(kept_days(workspace_id).items()):
            went = -1
            while went and time.monotonic() - began < longest:
                went = _some(workspace_id, name, now - timedelta(days=days))
                gone += max(went, 0)
    if gone:
        log.info("events.let_go", events=gone)
    return gone


def _some(workspace_id: int, name: str, before: datetime) -> int:
    """The oldest of them, but those that still wait for their triggers."""
    old = Event.objects.filter(workspace_id=workspace_id, name=name, at__lt=before, eventfeed=None).order_by("at")
    keys = list(old.values_list("pk", flat=True)[:AT_ONCE])
    if not keys:
        return 0
    with transaction.atomic():
        return sql.run(f"DELETE FROM audience_event WHERE {sql.among('id')}", [sql.listed(keys)])
