"""Records beside people, read: a person's own, for messages, pages and answers; and taken away.

Law: whatever ends a relation tells the index' feed of its person in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from django.db import transaction
from django.db.models import QuerySet

from audience import sql
from audience.catalogue import hidden_from
from audience.models import ProfileFeed, Record, Relation
from audience.profiles import Person
from audience.record_types import RecordTypeBody, record_types
from audience.rules.bound import Type
from governance.door import Role

SHOWN = 100  # of one person, on a page


@dataclass(frozen=True, slots=True)
class RecordView:
    """One of a person's records. roles: as what they have to do with it."""

    type: str
    external_id: str
    attributes: dict[str, Any]
    roles: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


def record_rows(workspace_id: int, profile_id: int) -> QuerySet[Record]:
    """One person's records, for lists that page."""
    mine = Relation.objects.filter(workspace_id=workspace_id, profile_id=profile_id).values("record_id")
    return Record.objects.filter(workspace_id=workspace_id, pk__in=mine)


def records_of(workspace_id: int, profile_id: int, rows: Sequence[Record] | None = None) -> list[RecordView]:
    """One person's records, the newest first; or these of them, in their order. Two queries."""
    if rows is None:
        rows = list(record_rows(workspace_id, profile_id).order_by("-created_at", "-id")[:SHOWN])
    roles: dict[int, list[str]] = {}
    held = Relation.objects.filter(profile_id=profile_id, record_id__in=[row.pk for row in rows]).order_by("role")
    for number, role in held.values_list("record_id", "role"):
        roles.setdefault(number, []).append(role)
    return [
        RecordView(row.type, row.external_id, row.attributes, tuple(filter(None, roles.get(row.pk, ()))), row.created_at, row.updated_at)
        for row in rows
    ]


_GIVEN = """
SELECT profile_id, type, external_id, {attributes} FROM (
  SELECT l.profile_id, r.type, r.external_id, r.attributes,
         row_number() OVER (PARTITION BY l.profile_id ORDER BY {order} r.id DESC) AS place
    FROM (SELECT DISTINCT profile_id, record_id FROM audience_relation WHERE {among}) l JOIN audience_record r ON r.id = l.record_id
   WHERE r.workspace_id = %s AND r.type = %s) of_type
 WHERE place <= %s
"""


def give_records(workspace_id: int, people: Iterable[Person], types: Collection[str]) -> None:
    """Tell these people's records of these types, in each type's own order and at most so many as it shows: `Person.records`. One query.

    Values are of their fields' types; what is kept under no field, or as something else, is left out, and so is what isn't for the role as
    which a person is seen.
    """
    known = {person.id: person for person in people}
    for person in known.values():
        person.records |= {type_: [] for type_ in types}
    bodies = {key: body for key, body in record_types(workspace_id).items() if key in types} if known and types else {}
    if not bodies:
        return
    parts, parameters = list[str](), list[Any]()
    attributes, wanted = "attributes::text" if sql.on_postgres() else "attributes", sql.listed(known)
    for key, body in bodies.items():
        order, of_order = _order(body)
        parts.append(f"SELECT * FROM ({_GIVEN.format(attributes=attributes, order=order, among=sql.among('profile_id'))}) one_type")
        parameters += [*of_order, wanted, workspace_id, key, body.shown]
    for profile_id, type_, external_id, text in sql.rows(" UNION ALL ".join(parts), parameters, often=True):
        person, body = known[profile_id], bodies[type_]
        person.records[type_].append(_told(body, external_id, visible(body, orjson.loads(text), person.seen_by)))


def _order(body: RecordTypeBody) -> tuple[str, list[Any]]:
    """SQL that puts the records of a type in their order, before their number does; those without the value last."""
    if not body.order_by:
        return "r.created_at DESC,", []
    down = "DESC" if body.order == "descending" else "ASC"
    number = body.types[body.order_by] == "number"
    if sql.on_postgres():
        kind, value = ("number", "(r.folded ->> %s)::numeric") if number else ("string", '(r.folded ->> %s) COLLATE "C"')
        case = f"CASE WHEN jsonb_typeof(r.folded -> %s) = '{kind}' THEN {value} END"
        return f"{case} {down} NULLS LAST,", [body.order_by, body.order_by]
    kinds = "('integer', 'real')" if number else "('text')"
    case = f"CASE WHEN json_type(r.folded, %s) IN {kinds} THEN json_extract(r.folded, %s) END"
    return f"{case} {down} NULLS LAST,", [f'$."{body.order_by}"'] * 2


def visible(body: RecordTypeBody | None, attributes: dict[str, Any], role: Role | None) -> dict[str, Any]:
    """What of a record's values is for this role; None: all of it."""
    if role is None or role.covers(Role.ADMIN):
        return attributes
    return {name: value for name, value in attributes.items() if not hidden_from(role, body.field(name) if body else None)}


def _told(body: RecordTypeBody, external_id: str, attributes: dict[str, Any]) -> dict[str, Any]:
    values = {name: _typed(type_, attributes.get(name)) for name, type_ in body.types.items()}
    return {"external_id": external_id, **{name: value for name, value in values.items() if value is not None}}


def _typed(type_: Type, value: Any) -> Any:
    """A kept value as its field's type; None for what is none."""
    if type_ in ("date", "datetime"):
        try:
            return (date if type_ == "date" else datetime).fromisoformat(value)
        except (TypeError, ValueError):
            return None
    kinds: dict[Type, Any] = {"text": str, "number": (int, float), "boolean": bool, "list": list}
    fits = isinstance(value, kinds[type_]) and not (type_ == "number" and isinstance(value, bool))
    return value if fits else None


def delete_record(workspace_id: int, type_: str, external_id: str, *, now: datetime) -> bool:
    """Take a record away, and with it that people have to do with it. False where there is none."""
    with transaction.atomic():
        row = Record.objects.filter(workspace_id=workspace_id, type=type_, external_id=external_id).select_for_update().first()
        if row is None:
            return False
        people = Relation.objects.filter(record=row).values_list("profile_id", flat=True).distinct()
        ProfileFeed.objects.bulk_create([ProfileFeed(workspace_id=workspace_id, profile_id=person, at=now) for person in people])
        row.delete()
    return True
