"""Who has to do with which record, when people are forgotten or turn out to be one."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet

from audience.models import Record, Relation
from audience.record_types import record_types


def forget_relations(workspace_id: int, numbers: Sequence[int]) -> None:
    """These people have nothing to do with any record any more; a record that its type doesn't keep without people goes with the last.

    In the caller's transaction, which tells the feed.
    """
    theirs = Relation.objects.filter(workspace_id=workspace_id, profile_id__in=numbers)
    fleeting = [key for key, body in record_types(workspace_id).items() if not body.keep_unrelated]
    left = list(theirs.filter(record__type__in=fleeting).values_list("record_id", flat=True).distinct()) if fleeting else []
    theirs.delete()
    if left:
        Record.objects.filter(workspace_id=workspace_id, pk__in=left, relations__isnull=True).delete()


def follow_relations(workspace_id: int, goes: int, stays: int) -> None:
    """What one had to do with records, the other has from now on; what they have already they have once. As forget_relations."""
    theirs, had = _of_two(workspace_id, goes, stays)
    theirs.filter(had).delete()
    theirs.update(profile_id=stays)


def following(workspace_id: int, goes: int, stays: int) -> int:
    """How many records one would have to do with from then on, or in another role, as follow_relations makes it."""
    theirs, had = _of_two(workspace_id, goes, stays)
    return theirs.exclude(had).values("record_id").distinct().count()


def _of_two(workspace_id: int, goes: int, stays: int) -> tuple[QuerySet[Relation], Exists]:
    """What the one who goes has to do with records; which of it the other has already."""
    same = Relation.objects.filter(profile_id=stays, record_id=OuterRef("record_id"), role=OuterRef("role"))
    return Relation.objects.filter(workspace_id=workspace_id, profile_id=goes), Exists(same)
