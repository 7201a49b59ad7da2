"""The other ids of a person: what else they are called, and the ids of those who have become one with them.

Each is a row of its own beside the people's, which leads to the person in one step: an external id leads to one person at most, and
whatever is said under it is said of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audience import sql
from audience.external_ids import external_id_fault, external_id_of
from audience.models import Profile
from audience.profiles import find, named
from governance.door import Actor, Conflict, Invalid, Missing, audit

MOST = 100  # other ids of one person
SOMEBODY_ELSES = "Somebody else's id"


@dataclass(frozen=True, slots=True)
class OtherId:
    """Another id of a person. number: its own, under which older messages and statements stand; person: somebody had it before."""

    external_id: str
    number: int
    person: bool
    since: datetime | None


def other_ids(workspace_id: int, profile_id: int) -> list[OtherId]:
    """A person's other ids, the oldest first."""
    rows = Profile.objects.filter(workspace_id=workspace_id, merged_into=profile_id).order_by("gone_at", "pk")
    return [OtherId(row.external_id, row.pk, not row.alias, row.gone_at) for row in rows]


def numbers_of(workspace_id: int, profile_id: int) -> list[int]:
    """Every number under which something may be kept of this person, their own first."""
    others = Profile.objects.filter(workspace_id=workspace_id, merged_into=profile_id)
    return [profile_id, *others.order_by("pk").values_list("pk", flat=True)]


def add_other_id(actor: Actor, external_id: str, other: str, *, now: datetime) -> bool:
    """From now on this person is known by that id, too. False where they were already.

    Raises Missing where nobody has the first, Invalid for what is no id, Conflict where somebody else has the other.
    """
    if fault := external_id_fault(other):
        raise Invalid([fault])
    kept, workspace_id = external_id_of(other), actor.workspace_id
    with transaction.atomic():
        person = named(workspace_id, external_id)
        there = find(workspace_id, external_id=kept)
        if there is not None and there.id != person.id:
            raise Conflict("somebody else has this id; if they are the same person, merge the two", title=SOMEBODY_ELSES)
        if there is not None:
            return False
        if len(numbers_of(workspace_id, person.id)) > MOST:
            raise Conflict(f"this person has {MOST} other ids already, which is as many as one may have", title="Too many other ids")
        at = sql.moment(now)
        made = sql.run(_ADD, [workspace_id, kept, at, at, at, person.id])
        if made:
            audit(actor, "profile.named", subject=f"profile:{person.id}", data={}, now=now)
    if not made:
        raise Conflict("somebody else was given this id at this moment", title=SOMEBODY_ELSES)
    return True


def remove_other_id(actor: Actor, external_id: str, other: str, *, now: datetime) -> None:
    """This id leads to the person no longer, and anybody may have it.

    Raises Missing where it isn't one of theirs, Conflict where it was somebody's who was merged with them: that can't be undone.
    """
    workspace_id, kept = actor.workspace_id, external_id_of(other)
    with transaction.atomic():
        person = find(workspace_id, external_id=external_id)
        theirs = Profile.objects.filter(workspace_id=workspace_id, external_id=kept, merged_into=person.id if person else -1)
        row = theirs.select_for_update().first()
        if row is None or person is None:
            raise Missing("no such id of this person")
        if not row.alias:
            raise Conflict(
                "somebody had this id who was merged with this person; that can't be undone", title="The id of somebody who was merged"
            )
        row.delete()
        audit(actor, "profile.unnamed", subject=f"profile:{person.id}", data={}, now=now)


_ADD = """
INSERT INTO audience_profile (workspace_id, external_id, attributes, folded, created_at, updated_at, gone_at, merged_into, alias)
VALUES (%s, %s, '{}', '{}', %s, %s, %s, %s, true) ON CONFLICT (workspace_id, external_id) DO NOTHING
"""
