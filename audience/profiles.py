"""Reading people in bulk: one query, plain values, no objects with behaviour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db.models import Q, QuerySet
from pyroaring import BitMap64

from audience import sql
from audience.addresses import BadAddress, email_address, phone_number
from audience.device_forms import DeviceAddress
from audience.external_ids import external_id_of
from audience.models import Profile
from governance.door import Missing, Role

AT_ONCE = 50_000
NOBODY = "no profile with this external id"
MAX_SEARCH = 320


@dataclass(slots=True)  # not frozen: one is made per message
class Person:
    """One profile as templates, eligibility and pages read it. email is sent to; email_key is compared. devices: those that may be
    written to, the one seen last first, once `give_devices` has told them; records: those of each type, once `give_records` has; seen_by:
    the role as which they are shown (see masking), None as whom messages are sent."""

    id: int
    external_id: str
    email: str | None = field(repr=False)
    email_key: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    locale: str | None
    country: str | None
    zone: str | None
    attributes: dict[str, Any] = field(repr=False)
    devices: tuple[DeviceAddress, ...] = field(default=(), repr=False)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    seen_by: Role | None = field(default=None, repr=False)


_LOAD = "SELECT id, external_id, email, email_key, phone, locale, country, zone, {attributes} FROM audience_profile WHERE workspace_id = %s"


def load(workspace_id: int, ids: Sequence[int] | BitMap64) -> list[Person]:
    """The people of these ids in one query, in the order of `ids`; those who are missing or erased are left out."""
    wanted = list(map(int, ids))
    if not wanted:
        return []
    found = {person.id: person for person in _read(sql.among("id"), [workspace_id, sql.listed(wanted)], often=len(wanted) < FEW)}
    return [found[each] for each in wanted if each in found]


def _read(condition: str, parameters: Sequence[Any], *, often: bool) -> list[Person]:
    """The people of a workspace (the first parameter) for whom a condition in SQL holds, but the erased. often: see `sql.rows`."""
    statement = _LOAD.format(attributes="attributes::text" if sql.on_postgres() else "attributes")
    found = sql.rows(f"{statement} AND gone_at IS NULL AND {condition}", parameters, often=often)
    return list(map(person_of, found))


def person_of(row: Sequence[Any]) -> Person:
    """From the columns of `_LOAD`, in its order."""
    return Person(*(*row[:8], orjson.loads(row[8])))


def people(workspace_id: int) -> QuerySet[Profile]:
    """Everyone but the erased."""
    return Profile.objects.filter(workspace_id=workspace_id, gone_at__isnull=True)


def find(workspace_id: int, *, external_id: str | None = None, address: str | None = None) -> Person | None:
    """One person by external id, or the one with the lowest id by e-mail address or phone number, however these are written."""
    if external_id is not None:
        kept = external_id_of(external_id)
        found = [] if "\0" in kept else _read("external_id = %s", [workspace_id, kept], often=True)
        if not found and (theirs := behind(workspace_id, [kept])):
            found = _read("external_id = %s", [workspace_id, theirs[kept]], often=False)
        return next(iter(found), None)
    is_theirs = _address(address) if address is not None else None
    number = people(workspace_id).filter(is_theirs).order_by("id").values_list("id", flat=True).first() if is_theirs else None
    return None if number is None else next(iter(load(workspace_id, [number])), None)


def named(workspace_id: int, external_id: str) -> Person:
    """One person by any of their external ids. Raises Missing."""
    person = find(workspace_id, external_id=external_id)
    if person is None:
        raise Missing(NOBODY)
    return person


def _address(text: str) -> Q | None:
    """Whose address this is; None for what is no address."""
    try:
        return Q(email_key=email_address(text)[1]) if "@" in text else Q(phone=phone_number(text))
    except BadAddress:
        return None


def search_rows(workspace_id: int, text: str) -> QuerySet[Profile]:
    """People whose external id, e-mail address or phone number starts with the text; everyone for "". Not ordered yet."""
    text = text.strip()[:MAX_SEARCH]
    if "\0" in text:
        return Profile.objects.none()
    start = Q(external_id__startswith=external_id_of(text)) | Q(email_key__startswith=text.casefold())
    if text.startswith("+"):
        start |= Q(phone__startswith="".join(char for char in text if char in "+0123456789"))
    return people(workspace_id).filter(start) if text else people(workspace_id)


def search(workspace_id: int, text: str, *, limit: int = 50, after: int | None = None) -> list[Person]:
    """People whose external id or address starts with the text, by id, beyond the id `after`."""
    rows = search_rows(workspace_id, text).filter(id__gt=after or 0)
    return load(workspace_id, list(rows.order_by("id").values_list("id", flat=True)[:limit]))


def sharing(workspace_id: int, person: Person, *, channel: str) -> BitMap64:
    """The person and everybody else who has their address on this channel; a device is one person's."""
    if channel == "push":
        return BitMap64([person.id])
    address = {"email_key": person.email_key} if channel == "email" else {"phone": person.phone}
    others = people(workspace_id).filter(**address).values_list("id", flat=True) if any(address.values()) else ()
    return BitMap64([person.id, *others])


_NUMBERS = "SELECT {given}, coalesce(merged_into, id) FROM audience_profile WHERE workspace_id = %s AND "
_THERE = "(gone_at IS NULL OR merged_into IS NOT NULL) AND "


def ids_of(workspace_id: int, external_ids: Iterable[str]) -> dict[str, int]:
    """Profile ids by external id, whichever of their ids a person is named by; those who are missing or erased are left out. One query."""
    statement = _NUMBERS.format(given="external_id") + _THERE + sql.among("external_id")
    return dict(sql.rows(statement, [workspace_id, sql.listed(external_ids)]))


def present(workspace_id: int, ids: Iterable[int]) -> dict[int, int]:
    """By number, the number of whoever is behind it now: their own, or whose they were merged into. Without those who were erased or
    belong to another workspace. One query."""
    statement = _NUMBERS.format(given="id") + _THERE + sql.among("id")
    return dict(sql.rows(statement, [workspace_id, sql.listed(ids)]))


_BEHIND = """
SELECT other.external_id, p.external_id FROM audience_profile other JOIN audience_profile p ON p.id = other.merged_into
 WHERE other.workspace_id = %s AND other.merged_into IS NOT NULL AND p.gone_at IS NULL AND {among}
"""

_ANYBODY_BEHIND = """
SELECT 1 FROM audience_profile WHERE workspace_id = %s AND merged_into IS NOT NULL ORDER BY external_id LIMIT 1
"""  # ordered: else PostgreSQL may read everybody's rows until it meets one
FEW = 20  # ids that are looked up in less time than it takes to ask whether anybody has several


def behind(workspace_id: int, external_ids: Iterable[str]) -> dict[str, str]:
    """For those of these ids that are another id of somebody: the person's own external id. Next to nothing where nobody has several."""
    asked = list(external_ids)
    if len(asked) > FEW and not sql.rows(_ANYBODY_BEHIND, [workspace_id]):
        return {}
    return dict(sql.rows(_BEHIND.format(among=sql.among_texts("other.external_id")), [workspace_id, orjson.dumps(asked).decode()]))


def everyone(workspace_id: int) -> int:
    """How many people there are."""
    return people(workspace_id).count()


def countries(workspace_id: int, ids: BitMap64) -> dict[str, int]:
    """How many of these people live in which country; "" where that isn't known."""
    totals: dict[str, int] = {}
    for start in range(0, len(ids), AT_ONCE):
        some = [int(each) for each in ids[start : start + AT_ONCE]]
        statement = f"SELECT country, count(*) FROM audience_profile WHERE workspace_id = %s AND {sql.among('id')} GROUP BY country"
        for country, count in sql.rows(statement, [workspace_id, sql.listed(some)]):
            totals[country or ""] = totals.get(country or "", 0) + count
    return totals


_SHARED = """
SELECT p.id, p.{column} FROM audience_profile p JOIN (
  SELECT {column} FROM audience_profile WHERE workspace_id = %s AND {column} IS NOT NULL {of} GROUP BY {column} HAVING count(*) > 1
) shared ON shared.{column} = p.{column} WHERE p.workspace_id = %s ORDER BY p.id
"""


_OF_FEW = "AND {column} IN (SELECT {column} FROM audience_profile WHERE workspace_id = %s AND {among})"
FEW = 1_000  # so many people are asked about by their own addresses; more, by all that are shared


def same_address(workspace_id: int, ids: BitMap64, *, channel: str, before: BitMap64 | None = None) -> BitMap64:
    """Those of `ids` whose address a lower id among them has, too, or anybody in `before`: all but the first of each address.
    Nobody's device is somebody else's, too."""
    if channel == "push":
        return BitMap64()
    column = "email_key" if channel == "email" else "phone"
    of, few = ("", list[Any]())
    if len(ids) <= FEW:
        of, few = _OF_FEW.format(column=column, among=sql.among("id")), [workspace_id, sql.listed(map(int, ids))]
    rows = sql.rows(_SHARED.format(column=column, of=of), [workspace_id, *few, workspace_id])
    seen: set[str] = {address for number, address in rows if number in before} if before else set()
    again = BitMap64()
    for number, address in rows:
        if number in ids:
            if address in seen:
                again.add(number)
            seen.add(address)
    return again
