"""People who have an address in common: perhaps the same person, entered twice.

Addresses are compared in the form that is kept beside them: e-mail without case and with its domain as the network writes it, so that
"münchen.example" and "xn--mnchen-3ya.example" are one; phone numbers in E.164.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from audience import sql
from audience.models import Profile
from audience.profiles import Person, load

Shared = Literal["email", "phone"]
SHARED: tuple[Shared, ...] = ("email", "phone")
MOST_SHOWN = 20  # people of one address; a shop's number may be thousands'


@dataclass(frozen=True, slots=True)
class Sharing:
    """People with one address; who was known first is first. count: how many, of whom at most 20 are told. mark: where the next begin."""

    people: tuple[Person, ...] = field(repr=False)
    count: int
    mark: int


_ADDRESSES = """
SELECT {column}, count(*), min(id) FROM audience_profile WHERE workspace_id = %s AND {column} IS NOT NULL {after}
 GROUP BY {column} HAVING count(*) > 1 ORDER BY {column} {using} LIMIT %s
"""  # in the order of the index that look-ups of addresses use, whatever the database's collation


def duplicates(workspace_id: int, *, by: Shared, after: int | None = None, limit: int = 50) -> list[Sharing]:
    """Groups of people who share an address, in the order of the addresses. after: the mark of the last group seen."""
    column = "email_key" if by == "email" else "phone"
    behind, start = "", list[str]()
    if after is not None:
        last = Profile.objects.filter(workspace_id=workspace_id, pk=after).values_list(column, flat=True).first()
        behind, start = f"AND {column} {'~>~' if sql.on_postgres() else '>'} %s", [last or ""]
    statement = _ADDRESSES.format(column=column, after=behind, using="USING ~<~" if sql.on_postgres() else "")
    found = sql.rows(statement, [workspace_id, *start, limit])
    return [_sharing(workspace_id, column, *row) for row in found]


def _sharing(workspace_id: int, column: str, address: str, count: int, mark: int) -> Sharing:
    rows = Profile.objects.filter(workspace_id=workspace_id, **{column: address})
    numbers = rows.order_by("created_at", "pk").values_list("pk", flat=True)[:MOST_SHOWN]
    return Sharing(tuple(load(workspace_id, list(numbers))), count, mark)
