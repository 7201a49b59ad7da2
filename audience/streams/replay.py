"""Dead letters are taken once more, as if they came now: over what came meanwhile, where they are about the same person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from audience.dead_letters import GONE, Faulty, Wanted, findings_of, letters
from audience.models import DeadLetter
from audience.streams.source import HOLDS, Entry
from audience.streams.taking import take_whole
from governance.door import Actor, audit

AT_ONCE = 500


@dataclass(slots=True)
class Replayed:
    """replayed: now recorded, or recorded before; still: can't be recorded yet; left: nobody came to them, there were too many."""

    replayed: int = 0
    still: int = 0
    left: int = 0


def replay(actor: Actor, wanted: Wanted, *, now: datetime, most: int | None = None) -> Replayed:
    """Take those that wait and fit, in the order in which they came. What still can't be recorded waits on, with today's findings."""
    done, last = Replayed(), 0
    waiting = letters(actor.workspace_id, wanted).filter(state="waiting", whole=True)
    while most is None or done.replayed + done.still < most:
        some = AT_ONCE if most is None else min(AT_ONCE, most - done.replayed - done.still)
        with transaction.atomic():
            rows = waiting.filter(pk__gt=last).order_by("pk")
            locked = rows.select_for_update(skip_locked=True) if connection.features.has_select_for_update_skip_locked else rows
            if not (chunk := list(locked[:some])):
                break
            last = chunk[-1].pk
            still = _take(actor.workspace_id, chunk, now)
            done.replayed += len(chunk) - still
            done.still += still
    if done.replayed:
        audit(actor, "dead_letters.replayed", subject="dead_letters", data={"letters": done.replayed, "still_faulty": done.still}, now=now)
    done.left = waiting.filter(pk__gt=last).count() if most is not None else 0
    return done


def _take(workspace_id: int, chunk: list[DeadLetter], now: datetime) -> int:
    """How many still can't be recorded."""
    faulty = dict[str, Faulty]()
    for holds in HOLDS:  # people before what they did
        entries = [_entry(row) for row in chunk if row.holds == holds]
        taken = take_whole(workspace_id, holds, entries, now=now)
        faulty |= {each.entry_id: each for each in taken.faulty}
    still = [row for row in chunk if str(row.pk) in faulty]
    for row in still:
        found = faulty[str(row.pk)]
        row.times, row.last_at, row.reason, row.findings = row.times + 1, now, found.reason, findings_of(found)
    DeadLetter.objects.bulk_update(still, ["times", "last_at", "reason", "findings"])
    gone = [row.pk for row in chunk if str(row.pk) not in faulty]
    DeadLetter.objects.filter(pk__in=gone).update(state="replayed", settled_at=now, findings=[], **GONE)
    return len(still)


def _entry(row: DeadLetter) -> Entry:
    """Under the letter's own number: two streams may give the same one."""
    return Entry(str(row.pk), row.entry_at, row.body.encode(), row.recorder)
