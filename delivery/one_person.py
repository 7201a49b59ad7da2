"""One person gets a campaign's message once, also where two of its people turn out to be one while it is under way.

Law: of the places in a dispatch whose people are one person by now, at most one is sent to or may have been; where one may be, the person
isn't left without because of the others. Nobody's former address is written to.

Asked within the transaction that admits, in which the people's locks keep merges out: one look-up for all of them, and nothing more where
none of them was merged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audience import door as audience
from delivery import sql
from delivery.caps import BLOCK_BITS
from delivery.models import Slice
from delivery.slices import bitmap
from delivery.states import AttemptState, MessageState, Reason
from delivery.work import DispatchFacts

if TYPE_CHECKING:
    from delivery.eligibility import Candidate

LOCK = 3  # the kind of lock, per block of people as `caps.lock_people` takes another


@dataclass(slots=True)
class Places:
    """What is left of a window's candidates, and what becomes of the others. moved: their message comes back under the number of the one
    who stays, and is made for them."""

    left: list[Candidate]
    skipped: list[tuple[Candidate, Reason]] = field(default_factory=list)
    moved: list[Candidate] = field(default_factory=list)


def places(dispatch: DispatchFacts, candidates: Sequence[Candidate]) -> Places:
    """Whose message is another one's by now, of these who may be admitted. In admit's transaction."""
    stays = audience.merged_among(dispatch.workspace_id, [candidate.profile_id for candidate in candidates]) if candidates else {}
    if not stays:
        return Places(list(candidates))
    found = Places([])
    if dispatch.kind != "campaign":  # whoever did two things may be written to about both
        for candidate in candidates:
            (found.moved if _was_somebody(candidate, stays) else found.left).append(candidate)
        return found
    people = {*stays.values()}
    _lock(people)
    has = _has(dispatch, [*people, *stays])
    waits = _in_audience(dispatch, people)
    for candidate in candidates:
        person = stays.get(candidate.profile_id, candidate.profile_id)
        others = {n for number, n in has if stays.get(number, number) == person and n != candidate.n} if person in people else set()
        if others:
            found.skipped.append((candidate, Reason.MERGED))
        elif candidate.profile_id == person:
            found.left.append(candidate)
            if person in people:  # a second place of theirs in this very window
                has.append((person, candidate.n))
        elif candidate.again and _was_somebody(candidate, stays):
            found.moved.append(candidate)
        else:
            found.skipped.append((candidate, Reason.MERGED if person in waits else Reason.UNREACHABLE))
        candidate.profile_id = person
    return found


def others_of(dispatch_id: int, n: int, numbers: Collection[int]) -> list[int]:
    """The other places of a person, known by these numbers, in a campaign's dispatch."""
    found = set()
    for slice_id, digest, first_n in Slice.objects.filter(dispatch_id=dispatch_id).values_list("id", "digest", "first_n"):
        people = bitmap((slice_id, digest))
        found |= {first_n + people.rank(number) - 1 for number in numbers if number in people}
    return sorted(found - {n})


def _was_somebody(candidate: Candidate, stays: Collection[int]) -> bool:
    """Merged between the making of the message and its last look: what waits is already theirs who stay."""
    return candidate.profile_id in stays and candidate.person is not None


def _lock(people: Iterable[int]) -> None:
    """Two places of one person are never looked at at once."""
    if sql.on_postgres():
        blocks = sorted({person >> BLOCK_BITS for person in people})
        sql.rows("SELECT pg_advisory_xact_lock(%s, b) FROM unnest(%s::int[]) b", [LOCK, blocks])


def _has(dispatch: DispatchFacts, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Number and place of what these people got from this dispatch, or may have got: all but what surely didn't go out."""
    return [
        (int(number), int(n))
        for number, n in sql.rows(
            f"""SELECT m.profile_id, m.n FROM delivery_message m
            LEFT JOIN delivery_attempt a ON a.dispatch_id = m.dispatch_id AND a.id = m.attempt_id
            WHERE m.dispatch_id = %s AND m.workspace_id = %s AND {sql.among("m.profile_id")} AND m.state < {MessageState.FAILED:d}
            AND (m.state <> {MessageState.SENDING:d} OR a.state IS NULL OR a.state < {AttemptState.REFUSED:d})""",
            [dispatch.id, dispatch.workspace_id, sql.numbers(numbers)],
        )
    ]


def _in_audience(dispatch: DispatchFacts, people: Collection[int]) -> set[int]:
    keys = Slice.objects.filter(dispatch_id=dispatch.id).values_list("id", "digest")
    return {person for key in keys for person in people if person in bitmap(key)}
