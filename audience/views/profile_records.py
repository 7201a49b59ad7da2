"""The records that a person has to do with, on their page."""

from __future__ import annotations

from typing import Any

from audience.catalogue import hidden_from
from audience.record_types import RecordTypeBody, record_types
from audience.records import SHOWN, RecordView, record_rows, records_of
from governance.door import Role


def shown_records(workspace_id: int, profile_id: int, role: Role) -> dict[str, Any]:
    """The newest of them by their types' titles, and how many there are; sensitive values only for admins."""
    views = records_of(workspace_id, profile_id)
    types = record_types(workspace_id) if views else {}
    many = len(views) if len(views) < SHOWN else record_rows(workspace_id, profile_id).count()
    return {"rows": [_row(view, types.get(view.type), role) for view in views], "many": many, "more": many - len(views)}


def _row(view: RecordView, type_: RecordTypeBody | None, role: Role) -> dict[str, Any]:
    values = []
    for name, value in view.attributes.items():
        field = type_.field(name) if type_ else None
        hidden = hidden_from(role, field)
        title = (field.title if field else "") or name.replace("_", " ")
        values.append({"title": title, "value": None if hidden else value, "hidden": hidden, "unit": field.unit if field else ""})
    order = {name: place for place, name in enumerate(type_.types)} if type_ else {}
    names = list(view.attributes)
    values = [each for _, each in sorted(zip(names, values, strict=True), key=lambda pair: order.get(pair[0], len(order)))]
    return {"view": view, "title": type_.title if type_ else view.type, "values": values}
