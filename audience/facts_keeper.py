"""Which attributes have columns of their own on PostgreSQL (audience/backends/facts_sql.py), and how these are filled.

An attribute gets a place; from then on whoever writes a person keeps its column, too. What was being written at that moment may not know
of the place yet, so filling waits until all of that is over. Then everybody's row is filled, some people at a time, each locked meanwhile:
whoever writes them comes before, and is read, or after. Only then are rules answered by it. A place is never given to another
attribute as it is: its row goes and another comes, by which whoever has just asked notices.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import connection, transaction

from audience import sql
from audience.backends.facts_sql import EACH, FILL
from audience.catalogue import ATTRIBUTE, catalogue
from audience.compound import parts
from audience.models import FactColumn, Profile
from governance.door import Workspace, used_by

log = structlog.get_logger(__name__)
FROM = 20_000  # people of a workspace; fewer are read as fast as they are
AT_ONCE = 5_000  # people filled in one transaction
AT_A_LOOK = 0.5  # seconds of filling at one look of a worker: sending waits no longer
LOOKS_AGAIN = timedelta(minutes=5)
_WRITING = """
SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = 'audience_profile'::regclass
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
"""  # the transactions of others that have written people and aren't over; a name of theirs isn't used again before the server restarts
_FAMILIES = {"number": 0, "text": EACH, "date": EACH, "datetime": EACH, "boolean": EACH}  # where the places for the type begin


@dataclass(slots=True)
class FactsKeeper:
    """The worker's part: places for the attributes of large workspaces, and some of the filling."""

    _look_at: datetime = datetime.min.replace(tzinfo=UTC)

    def keep(self, *, now: datetime) -> int:
        """Do some of what there is to do; answers how many people were filled."""
        if not sql.on_postgres():
            return 0
        if now >= self._look_at:
            self._look_at = now + LOOKS_AGAIN
            for workspace_id in Workspace.objects.values_list("pk", flat=True):
                if _large(workspace_id, now):
                    give_places(workspace_id)
        until, filled = time.monotonic() + AT_A_LOOK, 0
        while time.monotonic() < until and (done := fill_some()):
            filled += done
        return filled


def keep_facts(workspace_id: int) -> int:
    """Give the attributes places and fill them, however many people there are; answers how many were filled.

    What waits for others' transactions is left to a later call. Nothing on SQLite.
    """
    if not sql.on_postgres():
        return 0
    give_places(workspace_id)
    filled = 0
    while done := fill_some():
        filled += done
    return filled


def give_places(workspace_id: int) -> None:
    """Let the attributes that rules ask have a column, and of the others as many as there is room for. Who has one keeps it until another
    needs it more."""
    held = list(FactColumn.objects.filter(workspace_id=workspace_id))
    wanted = _wanted(workspace_id)
    with transaction.atomic():
        for begins in (0, EACH):
            lacking = [each for each, family in wanted.items() if family == begins and each not in {(row.name, row.type) for row in held}]
            ours = {row.place: row for row in held if begins <= row.place < begins + EACH}
            free = [place for place in range(begins, begins + EACH) if place not in ours]
            unwanted = [place for place, row in sorted(ours.items()) if (row.name, row.type) not in wanted]
            for (name, type_), place in zip(lacking, (*free, *unwanted), strict=False):
                FactColumn.objects.filter(workspace_id=workspace_id, place=place).delete()
                row = FactColumn(workspace_id=workspace_id, place=place, name=name, type=type_)
                FactColumn.objects.bulk_create([row], ignore_conflicts=True)  # another worker may be at it, too


def _wanted(workspace_id: int) -> dict[tuple[str, str], int]:
    """The attributes and parts that are to have a column, with their type and where the places for it begin."""
    users = used_by(workspace_id, ATTRIBUTE.name)
    known = sorted(catalogue(workspace_id).items(), key=lambda each: (each[0] not in users, each[0]))
    offered = [((name, type_), _FAMILIES[type_]) for key, body in known for name, type_ in parts(key, body).items() if type_ in _FAMILIES]
    return dict(each for family in (0, EACH) for each in [one for one in offered if one[1] == family][:EACH])


def _large(workspace_id: int, now: datetime) -> bool:
    """Whether columns are worth it, and nobody is filling the workspace just now, one in twenty since the last look: a first load is over
    sooner without columns that are kept beside it."""
    there = Profile.objects.filter(workspace_id=workspace_id, gone_at__isnull=True)
    many = there.count()
    if many < FROM:
        return False
    late_comer: datetime = there.order_by("-pk").values_list("created_at", flat=True)[many // 20]
    return late_comer <= now - LOOKS_AGAIN


def fill_some() -> int:
    """One round for whichever columns are behind, unless another process is at it; answers how many people it was for."""
    if not FactColumn.objects.filter(ready=False).exists():
        return 0
    with transaction.atomic():
        for workspace_id, columns in _behind():
            after = min(row.filled_to for row in columns)
            there = Profile.objects.filter(workspace_id=workspace_id, gone_at__isnull=True, pk__gt=after)
            some = list(there.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            if some:
                sql.run(FILL, {"workspace": workspace_id, "after": after, "until": some[-1]})  # type: ignore[arg-type]
                for row in columns:
                    row.filled_to = max(row.filled_to, some[-1])
                FactColumn.objects.bulk_update(columns, ["filled_to"])
                return len(some)
            for row in columns:
                row.ready = True
            FactColumn.objects.bulk_update(columns, ["ready"])
            log.info("audience.facts_ready", workspace=workspace_id, attributes=[row.name for row in columns])
    if not connection.in_atomic_block:
        sql.run("VACUUM (ANALYZE) audience_facts")  # else every look at the index looks at the row, too
    return 0


def _behind() -> Iterator[tuple[int, list[FactColumn]]]:
    """The columns of each workspace that can be filled now: whoever was writing when they got their place is done."""
    rows = list(FactColumn.objects.filter(ready=False).order_by("workspace_id", "place").select_for_update(skip_locked=True))
    writing = {who for (who,) in sql.rows(_WRITING)}
    waiting = [row for row in rows if row.waits_for != []]
    for row in waiting:
        row.waits_for = sorted(writing if row.waits_for is None else writing & set(row.waits_for))
    FactColumn.objects.bulk_update(waiting, ["waits_for"])
    for workspace_id in sorted({row.workspace_id for row in rows}):
        columns = [row for row in rows if row.workspace_id == workspace_id and not row.waits_for]
        if columns:
            yield workspace_id, columns
