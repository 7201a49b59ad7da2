"""Whom a plan left out: nobody of them has a row in the ledger, so they are read from the plan's bitmaps."""

from __future__ import annotations

from dataclasses import dataclass

from pyroaring import BitMap64

from delivery.models import LeftOut
from delivery.states import Reason, reason_of
from governance.door import Finding, Invalid


@dataclass(frozen=True, slots=True)
class LeftOutPage:
    """Some of the people whom a plan left out for one reason, by id. next: the rank to go on from, None on the last page."""

    profile_ids: tuple[int, ...] = ()
    total: int = 0
    next: int | None = None


def left_out(workspace_id: int, dispatch_id: int, reason: str, *, start: int = 0, limit: int = 50) -> LeftOutPage:
    """The people of rank `start` and after. Raises Invalid for a word that is no reason."""
    number = asked_reason(reason)
    row = LeftOut.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id, reason=number).first()
    if row is None:
        return LeftOutPage()
    people = BitMap64.deserialize(bytes(row.ids))
    stop = start + limit
    shown = tuple(int(each) for each in people[start:stop])
    return LeftOutPage(shown, len(people), stop if stop < len(people) else None)


def asked_reason(word: str) -> Reason:
    """The reason that somebody asks about. Raises Invalid for a word that is none."""
    try:
        return reason_of(word)
    except KeyError as unknown:
        raise Invalid([Finding("error", "/reason", word[:40], "a reason such as no_consent, holdout or rejected")]) from unknown
