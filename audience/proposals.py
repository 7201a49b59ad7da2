"""Attributes that came in and nobody had put into the catalogue: proposed to whoever keeps it, never typed in silence.

Their rows were refused and said so. Here is kept which names came, what they looked like and how often; no values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import F

from audience.catalogue import Catalogue
from audience.ingest.rows import ProfileRow
from audience.models import ProposedAttribute
from audience.rules.values import instant_or_day
from audience.values import AttributeType

AT_MOST = 300  # proposals of one workspace: whoever sends rows must not fill the table
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


def note_unknown(workspace_id: int, rows: Iterable[ProfileRow], known: Catalogue, *, source: str, now: datetime) -> None:
    """Keep which attributes of these rows the catalogue doesn't have. No query where there are none."""
    seen: dict[str, tuple[AttributeType, int]] = {}
    for row in rows:
        if row.attributes.keys() <= known.keys():
            continue
        for name, value in row.attributes.items():
            if name not in known and value is not None and NAME.fullmatch(name):
                looks, times = seen.get(name, (looks_like(value), 0))
                seen[name] = looks if looks == looks_like(value) else "text", times + 1
    if not seen:
        return
    ours = ProposedAttribute.objects.filter(workspace_id=workspace_id)
    room = AT_MOST - ours.exclude(name__in=list(seen)).count()
    for name, (looks, times) in sorted(seen.items())[: max(room, 0)]:
        kept, made = ours.get_or_create(
            name=name,
            defaults={"workspace_id": workspace_id, "type": looks, "times": times, "source": source[:80], "first_at": now, "last_at": now},
        )
        if not made:
            type_ = kept.type if kept.type == looks else "text"
            ours.filter(pk=kept.pk).update(times=F("times") + times, source=source[:80], last_at=now, type=type_)


def looks_like(value: Any) -> AttributeType:
    """The type that a value would have."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list"
    if isinstance(value, Mapping):
        return "score" if set(value) == {"value", "at"} else "place" if set(value) == {"lat", "lon"} else "object"
    found = instant_or_day(value)
    return "text" if found is None else "datetime" if isinstance(found, datetime) else "date"


def proposals(workspace_id: int, known: Catalogue) -> list[ProposedAttribute]:
    """What came in and is not in the catalogue yet, the most frequent first."""
    rows = ProposedAttribute.objects.filter(workspace_id=workspace_id).order_by("-times", "name")
    return [row for row in rows if row.name not in known]


def dismiss(workspace_id: int, name: str) -> None:
    """Propose it no more; until it comes again."""
    ProposedAttribute.objects.filter(workspace_id=workspace_id, name=name).delete()
