"""What follows when two people turn out to be one: their messages, and what waits to be sent, belong to the one who stays.

So caps count both's, nobody whom a campaign reached under the former number is reached again by the same, and what was decided for the
one who goes is sent to the one who stays, by their address and consent. Of a campaign that has places for both, one is sent to (see
one_person). Archived messages keep the former number.
"""

from __future__ import annotations

from collections.abc import Sequence

from delivery.caps import lock_people
from delivery.models import AttachedFile, Decision, Message

KEPT = (Decision, AttachedFile, Message)


def left(workspace_id: int, numbers: Sequence[int]) -> set[int]:
    """Those of these numbers under which something is kept here."""
    rows = (model._default_manager.filter(workspace_id=workspace_id, profile_id__in=list(numbers)) for model in KEPT)
    return {number for some in rows for number in some.order_by().values_list("profile_id", flat=True).distinct()}


def follow(workspace_id: int, goes: int, stays: int) -> None:
    """Let everything of the number `goes` be that of `stays`, in the caller's transaction; last looks at either wait for its end."""
    lock_people([goes, stays])
    for model in KEPT:
        model._default_manager.filter(workspace_id=workspace_id, profile_id=goes).update(profile_id=stays)
