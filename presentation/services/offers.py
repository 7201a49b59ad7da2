"""What the form of a content source offers: the tables that were loaded, and what is known of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from governance.door import titles_of_kinds
from presentation.models import ContentTable
from presentation.parts import PROFILE_FIELDS

MOST = 200


def offered(workspace_id: int) -> Mapping[str, Sequence[tuple[str, str]]]:
    """By pointer, what may be typed in a field, and what it is called."""
    tables = ContentTable.objects.filter(workspace_id=workspace_id, load__gt=0).order_by("key")[:MOST]
    known = [(table.key, f"{table.key}: {table.rows:,} rows") for table in tables]
    sources = [(f"profile.{name}", name) for name in PROFILE_FIELDS]
    sources += [(f"attribute.{key}", title) for (_, key), title in sorted(titles_of_kinds(workspace_id, ["attribute"]).items())][:MOST]
    return {"/table/table": known, "/similar/table": known, "/inputs/*/value/source": sources}
