"""Reading people in bulk: one query, plain values, no objects with behaviour."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection
from django.db.models import Count, Q
from pyroaring import BitMap64

from audience.models import Profile

AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Person:
    """One profile as templates, eligibility and pages read it. email is sent to; email_key is compared."""

    id: int
    external_id: str
    email: str | None = field(repr=False)
    email_key: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    locale: str | None
    country: str | None
    zone: str | None
    attributes: dict[str, Any] = field(repr=False)


_COLUMNS = "p.id, p.external_id, p.email, p.email_key, p.phone, p.locale, p.country, p.zone, "


def load(workspace_id: int, ids: Sequence[int] | BitMap64) -> list[Person]:
    """The people of these ids in one query, in the order of `ids`; those who are missing or erased are left out."""
    wanted = [int(each) for each in ids]
    if not wanted:
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sql = f"SELECT {_COLUMNS} p.attributes::text FROM audience_profile p WHERE p.workspace_id = %s AND p.id = ANY(%s)"
            cursor.execute(sql + " AND p.erased_at IS NULL", [workspace_id, wanted])
        else:
            sql = f"SELECT {_COLUMNS} p.attributes FROM audience_profile p WHERE p.workspace_id = %s AND p.erased_at IS NULL"
            cursor.execute(sql + " AND p.id IN (SELECT value FROM json_each(%s))", [workspace_id, json.dumps(wanted)])
        found = {row[0]: _person(row) for row in cursor.fetchall()}
    return [found[each] for each in wanted if each in found]


def _person(row: tuple[Any, ...]) -> Person:
    return Person(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], orjson.loads(row[8]))


def find(workspace_id: int, *, external_id: str | None = None, address: str | None = None) -> Person | None:
    """One person by external id, or the first by e-mail address or phone number."""
    rows = Profile.objects.filter(workspace_id=workspace_id, erased_at=None)
    if external_id is not None:
        rows = rows.filter(external_id=external_id)
    elif address is not None:
        rows = rows.filter(Q(email_key=address.strip().casefold()) | Q(phone=address.strip()))
    ids = list(rows.order_by("id").values_list("id", flat=True)[:1])
    return next(iter(load(workspace_id, ids)), None)


def search(workspace_id: int, text: str, *, limit: int = 50, after: int = 0) -> list[Person]:
    """People whose external id or address starts with the text, by id, beyond the id `after`."""
    text = text.strip()
    rows = Profile.objects.filter(workspace_id=workspace_id, erased_at=None, id__gt=after)
    if text:
        rows = rows.filter(Q(external_id__startswith=text) | Q(email_key__startswith=text.casefold()) | Q(phone__startswith=text))
    return load(workspace_id, list(rows.order_by("id").values_list("id", flat=True)[:limit]))


def everyone(workspace_id: int) -> int:
    """How many people there are."""
    return Profile.objects.filter(workspace_id=workspace_id, erased_at=None).count()


def countries(workspace_id: int, ids: BitMap64) -> dict[str, int]:
    """How many of these people live in which country; "" where that isn't known."""
    totals: dict[str, int] = {}
    if len(ids) == everyone(workspace_id):
        rows: Iterable[tuple[str | None, int]] = (
            Profile.objects.filter(workspace_id=workspace_id, erased_at=None).values_list("country").annotate(n=Count("id")).order_by()
        )
        return {country or "": n for country, n in rows}
    for start in range(0, len(ids), AT_ONCE):
        chunk = [int(each) for each in ids[start : start + AT_ONCE]]
        for country, n in _countries(workspace_id, chunk):
            totals[country or ""] = totals.get(country or "", 0) + n
    return totals


def _countries(workspace_id: int, chunk: list[int]) -> list[tuple[str | None, int]]:
    given, value = (
        ("= ANY(%s)", chunk) if connection.vendor == "postgresql" else ("IN (SELECT value FROM json_each(%s))", json.dumps(chunk))
    )
    with connection.cursor() as cursor:
        sql = f"SELECT country, count(*) FROM audience_profile WHERE workspace_id = %s AND id {given} GROUP BY country"
        cursor.execute(sql, [workspace_id, value])
        return list(cursor.fetchall())


def same_address(workspace_id: int, ids: BitMap64, *, channel: str) -> BitMap64:
    """Those of `ids` whose address a lower id among them has too: everybody but the first of each address."""
    column = "email_key" if channel == "email" else "phone"
    repeated = (
        Profile.objects.filter(workspace_id=workspace_id, **{f"{column}__isnull": False})
        .values(column)
        .annotate(n=Count("id"))
        .filter(n__gt=1)
        .order_by()
        .values_list(column, flat=True)
    )
    rows = Profile.objects.filter(workspace_id=workspace_id, **{f"{column}__in": repeated}).order_by("id").values_list("id", column)
    seen: set[str] = set()
    again = BitMap64()
    for profile_id, address in rows.iterator(AT_ONCE):
        if profile_id in ids and address is not None:
            if address in seen:
                again.add(profile_id)
            seen.add(address)
    return again
