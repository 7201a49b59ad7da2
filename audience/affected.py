"""What else changes when a segment is released: whatever uses it, itself or through other segments, with its people today and after."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from audience.documents import SEGMENT, SegmentBody
from audience.resolve import count
from governance import door as governance
from governance.door import DoorError, Missing, Ref, Refused

COUNTED = 8  # segments of which the people are counted, today and after; each costs two queries
LISTED = 30


@dataclass(frozen=True, slots=True)
class Affected:
    """A document in force, or yet to be, that uses the segment. by: through which other segment, "" where it does itself; today, after:
    how many people it has; both None while that can't be said, and `why` says why."""

    ref: Ref
    by: str = ""
    today: int | None = None
    after: int | None = None
    why: str = ""


def affected(
    workspace_id: int, key: str, bodies: Mapping[str, SegmentBody], *, without: Collection[Ref], as_of: datetime
) -> tuple[list[Affected], int]:
    """What else the release of these segments changes for whoever uses the one of that key, and how many more there are than are listed.

    bodies: what would be put in force, by key; without: what goes along with it, which isn't "else".
    """

    known: dict[str, tuple[int, int]] = {}

    def people(segment: str) -> tuple[int, int]:
        if segment not in known:
            live: SegmentBody = governance.released(workspace_id, SEGMENT, segment).model
            if len(known) == COUNTED:
                raise Refused("not counted here: it is one of many")
            after = count(workspace_id, bodies.get(segment, live), as_of=as_of, drafts=bodies)
            known[segment] = (count(workspace_id, live, as_of=as_of), after)
        return known[segment]

    users = list(_users(workspace_id, key, without))
    found = []
    for ref, by in users[:LISTED]:
        try:
            today, after = people(_whom(workspace_id, ref))
        except Missing:
            found.append(Affected(ref, by, why="not in force yet"))
        except DoorError as error:
            found.append(Affected(ref, by, why=error.reason))
        else:
            found.append(Affected(ref, by, today, after))
    return found, len(users) - len(found)


def uses(workspace_id: int, key: str, without: Collection[Ref]) -> bool:
    """Whether anything else uses the segment. One query."""
    return any(user not in without for user in governance.used_by(workspace_id, SEGMENT).get(key, ()))


def _users(workspace_id: int, key: str, without: Collection[Ref]) -> Iterator[tuple[Ref, str]]:
    """Everything that uses the segment, the nearest first, with the segment through which it does. One query."""
    known, level, seen = governance.used_by(workspace_id, SEGMENT), [key], {*without, Ref(SEGMENT, key)}
    while level:
        following = []
        for used in level:
            for user in known.get(used, ()):
                if user in seen:
                    continue
                seen.add(user)
                following += [user.key] if user.kind == SEGMENT else []
                yield user, "" if used == key else used
        level = following


def _whom(workspace_id: int, ref: Ref) -> str:
    """The segment whose people a document in force has: itself, or the one that it uses."""
    if ref.kind == SEGMENT:
        return ref.key
    used = {each.key for each in governance.released(workspace_id, ref.kind, ref.key).uses if each.kind == SEGMENT}
    if len(used) != 1:
        raise Refused("it uses several segments" if used else "only its draft uses it")
    return used.pop()
