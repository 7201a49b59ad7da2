"""Attributes that are computed from what people did: counts, sums, the first and the last time, over all time or a rolling window.

Only the people are counted anew whose events came or whose oldest event leaves the window, each from all of their own events: so what is
kept is what a recount would find, whatever the order in which events came.

- An event's transaction makes a recount due for its person. It holds that row until it commits, and whoever recounts passes it over: a
  recount reads either all of the event or nothing, and in that case is due again.
- A recount notes when its answer changes by itself: when the oldest event leaves, or when one that lies ahead begins to count.
- A newly released attribute makes everybody's due who ever did such a thing, and once more some minutes later, for events whose
  transaction began before it was known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

import orjson
import structlog
from django.db import transaction
from django.db.models import Min

from audience import sql
from audience.backends.database import recorded
from audience.catalogue import ATTRIBUTE, AttributeBody, Computed
from audience.models import ComputedSeed, Profile, ProfileFeed, Recount
from audience.rules.binding_events import EventBinder
from audience.rules.bound import PropertyTest
from audience.rules.moments import comparable_moment, shift
from audience.values import LARGEST
from governance import door as governance
from governance.door import Workspace

AT_ONCE = 1_000  # people in one transaction
ROUNDS = 20  # such at one look: sending waits no longer than these take
SEEDED_AGAIN_AFTER = timedelta(minutes=5)  # longer than any transaction that records events
NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # it stays, so that it is known who was counted
INSTANT = timedelta(microseconds=1)
log = structlog.get_logger(__name__)


def note_events(workspace_id: int, happened: Iterable[tuple[str, int]], *, now: datetime) -> None:
    """Make recounts due for these events (name, person), in the transaction that records them."""
    listening = _listening(workspace_id, governance.epoch(workspace_id))
    due = sorted({(key, person) for name, person in happened for key in listening.get(name, ())})
    _make_due(workspace_id, due, now)


def forget_recounts(workspace_id: int, numbers: Sequence[int]) -> None:
    """Nothing is counted of people who are forgotten."""
    Recount.objects.filter(workspace_id=workspace_id, profile_id__in=numbers).delete()


def recounts_waiting(workspace_id: int, *, now: datetime) -> tuple[int, float]:
    """How many people are to be counted anew, and for how many seconds the first of them has been."""
    due = Recount.objects.filter(workspace_id=workspace_id, due_at__lte=now)
    oldest = due.aggregate(oldest=Min("due_at"))["oldest"]
    return (due.count(), (now - oldest).total_seconds()) if oldest else (0, 0.0)


def keep_computed(*, now: datetime, rounds: int = ROUNDS) -> int:
    """Bring what is due up to now, in rounds of 1,000 people; how many were counted anew."""
    for workspace_id in Workspace.objects.values_list("pk", flat=True):
        _seed(workspace_id, now)
    done = 0
    for _ in range(rounds):
        counted = _recount_some(now)
        done += counted
        if counted < AT_ONCE:
            break
    return done


@dataclass(frozen=True, slots=True)
class _Source:
    """A released computed attribute, ready to be counted."""

    key: str
    computed: Computed
    where: tuple[PropertyTest, ...]


@lru_cache(maxsize=256)
def _sources(workspace_id: int, epoch: int) -> Mapping[str, _Source]:
    """By key. Remembered by the epoch, which every release moves."""
    found: dict[str, _Source] = {}
    for view in governance.all_released(workspace_id, ATTRIBUTE.name):
        body = view.model
        if isinstance(body, AttributeBody) and body.computed is not None:
            binder = EventBinder(view.created_at, lambda where, found, expected: None)  # what is released has no faults
            found[view.key] = _Source(view.key, body.computed, binder.where(body.computed.event, body.computed.where, ""))
    return found


@lru_cache(maxsize=256)
def _listening(workspace_id: int, epoch: int) -> Mapping[str, tuple[str, ...]]:
    """The computed attributes by the name of the event that they count."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, source in _sources(workspace_id, epoch).items():
        found[source.computed.event].append(key)
    return {name: tuple(keys) for name, keys in found.items()}


_DUE = """
INSERT INTO audience_recount (workspace_id, attribute, profile_id, due_at) {given}
ON CONFLICT (workspace_id, attribute, profile_id) DO UPDATE SET due_at = excluded.due_at WHERE audience_recount.due_at > excluded.due_at
"""


def _make_due(workspace_id: int, due: Sequence[tuple[str, int]], now: datetime) -> None:
    if not due:
        return
    pairs = orjson.dumps(due).decode()
    if sql.on_postgres():
        given = "SELECT %s, v->>0, (v->>1)::bigint, %s::timestamptz FROM jsonb_array_elements(%s::jsonb) AS v"
    else:
        given = "SELECT %s, json_extract(value, '$[0]'), json_extract(value, '$[1]'), %s FROM json_each(%s) WHERE true"
    sql.run(_DUE.format(given=given), [workspace_id, sql.moment(now), pairs])


def _seed(workspace_id: int, now: datetime) -> None:
    """Make everybody's recount due for attributes that are new, changed or gone, and a second time some minutes later."""
    sources = _sources(workspace_id, governance.epoch(workspace_id))
    known = {row.attribute: row for row in ComputedSeed.objects.filter(workspace_id=workspace_id)}
    for key, source in sources.items():
        sha, row = source.computed.model_dump_json(), known.get(key)
        if row is None or row.computed != sha:
            _count_everybody(workspace_id, source, now)
            ComputedSeed.objects.update_or_create(
                workspace_id=workspace_id, attribute=key, defaults={"computed": sha, "again_at": now + SEEDED_AGAIN_AFTER}
            )
        elif row.again_at is not None and row.again_at <= now:
            _count_everybody(workspace_id, source, now)
            ComputedSeed.objects.filter(pk=row.pk).update(again_at=None)
    for key in known.keys() - sources.keys():  # it isn't computed any more: what was kept is nobody's word now
        with transaction.atomic():
            due = Recount.objects.filter(workspace_id=workspace_id, attribute=key)
            people = list(due.values_list("profile_id", flat=True)[:AT_ONCE])
            _write(workspace_id, dict.fromkeys(people, {key: None}), now)
            due.filter(profile_id__in=people).delete()
            if len(people) < AT_ONCE:
                ComputedSeed.objects.filter(workspace_id=workspace_id, attribute=key).delete()


def _count_everybody(workspace_id: int, source: _Source, now: datetime) -> None:
    """Whoever did it once, and whoever was counted before."""
    counted = Recount.objects.filter(workspace_id=workspace_id, attribute=source.key)
    counted.filter(due_at__gt=now).update(due_at=now)
    people = "SELECT DISTINCT %s, %s, profile_id, {at} FROM audience_event WHERE workspace_id = %s AND name = %s"
    at = "%s::timestamptz" if sql.on_postgres() else "%s"
    parameters = [workspace_id, source.key, sql.moment(now), workspace_id, source.computed.event]
    sql.run(_DUE.format(given=people.format(at=at)), parameters)


def _recount_some(now: datetime) -> int:
    """One round: the longest due, whichever workspace's and attribute's they are. Those that an event's transaction holds wait."""
    if not Recount.objects.filter(due_at__lte=now).exists():
        return 0  # without the lock that every writer of SQLite waits for
    with transaction.atomic():
        rows = Recount.objects.filter(due_at__lte=now).order_by("due_at", "pk")
        taken = list((rows.select_for_update(skip_locked=True) if sql.on_postgres() else rows)[:AT_ONCE])
        parts: dict[tuple[int, str], list[Recount]] = defaultdict(list)
        for row in taken:
            parts[row.workspace_id, row.attribute].append(row)
        values: dict[int, dict[int, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
        for (workspace_id, key), due in parts.items():
            source = _sources(workspace_id, governance.epoch(workspace_id)).get(key)
            if source is None:
                Recount.objects.filter(pk__in=[row.pk for row in due]).update(due_at=now + SEEDED_AGAIN_AFTER)  # _seed clears them
                continue
            found = count_anew(workspace_id, source.computed, source.where, [row.profile_id for row in due], now=now)
            for row in due:
                value, again = found[row.profile_id]
                values[workspace_id][row.profile_id][key] = value
                row.due_at = again or NEVER
            Recount.objects.bulk_update(due, ["due_at"])
        for workspace_id, people in values.items():
            _write(workspace_id, people, now)
    return len(taken)


def count_anew(
    workspace_id: int, computed: Computed, where: Sequence[PropertyTest], ids: Sequence[int], *, now: datetime
) -> dict[int, tuple[Any, datetime | None]]:
    """Each person's value now, None without any such event, and when it changes although nothing comes (None: never)."""
    since = shift(now, -computed.days, "days") if computed.days else None
    events = recorded(workspace_id, computed.event, since, where).filter(profile_id__in=ids)
    told: dict[int, list[tuple[datetime, Any]]] = defaultdict(list)
    for person, at, folded in events.values_list("profile_id", "at", "folded").iterator():
        told[person].append((at, folded.get(computed.of) if computed.of else None))
    return {person: _value(computed, told.get(person, ()), now) for person in ids}


def _value(computed: Computed, events: Iterable[tuple[datetime, Any]], now: datetime) -> tuple[Any, datetime | None]:
    """One person's value from their events in the window, those that lie ahead among them."""
    moments, numbers, changes = list[datetime](), list[Any](), list[datetime]()
    for at, number in events:
        if computed.of and (isinstance(number, bool) or not isinstance(number, int | float)):
            continue
        if at > now:
            changes.append(at)
            continue
        moments.append(at)
        numbers.append(number)
    if computed.days and moments:
        changes.append(shift(min(moments), computed.days, "days") + INSTANT)
    return _taken(computed, moments, numbers), min(changes, default=None)


def _taken(computed: Computed, moments: Sequence[datetime], numbers: Sequence[Any]) -> Any:
    if not moments:
        return None
    if computed.how == "count":
        return len(moments)
    if computed.how in ("first", "last"):
        return comparable_moment(min(moments) if computed.how == "first" else max(moments))
    if computed.how in ("smallest", "largest"):
        return min(numbers) if computed.how == "smallest" else max(numbers)
    total = sum((Fraction(repr(number)) for number in numbers), Fraction())
    exact = total if computed.how == "sum" else total / len(numbers)
    return None if abs(exact) > LARGEST else int(exact) if exact.denominator == 1 else float(exact)


_WRITE_POSTGRESQL = """
WITH given AS (SELECT id, said FROM jsonb_to_recordset(%(given)s::jsonb) AS g(id bigint, said jsonb)), locked AS (
  SELECT p.id FROM audience_profile p JOIN given USING (id)
   WHERE p.workspace_id = %(workspace)s AND p.gone_at IS NULL ORDER BY p.external_id FOR NO KEY UPDATE OF p
), changed AS (
  UPDATE audience_profile p SET attributes = jsonb_strip_nulls(p.attributes || g.said), folded = jsonb_strip_nulls(p.folded || g.said),
         updated_at = %(now)s
    FROM given g JOIN locked USING (id)
   WHERE p.id = g.id AND (jsonb_strip_nulls(p.folded || g.said) <> p.folded OR jsonb_strip_nulls(p.attributes || g.said) <> p.attributes)
  RETURNING p.id
) INSERT INTO audience_profilefeed (workspace_id, profile_id, at) SELECT %(workspace)s, id, %(now)s FROM changed ORDER BY id
"""


def _write(workspace_id: int, values: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    """Keep these attributes of these people; the index hears of those whose value is another one. None clears it."""
    if not values:
        return
    if sql.on_postgres():
        given = orjson.dumps([{"id": person, "said": dict(said)} for person, said in values.items()]).decode()
        sql.run(_WRITE_POSTGRESQL, {"given": given, "workspace": workspace_id, "now": now})  # type: ignore[arg-type]
        return
    changed = []
    for row in Profile.objects.filter(workspace_id=workspace_id, pk__in=list(values), gone_at__isnull=True):
        before = row.attributes, row.folded
        row.attributes, row.folded = (_merged(part, values[row.pk]) for part in before)
        if (row.attributes, row.folded) != before:
            row.updated_at = now
            changed.append(row)
    Profile.objects.bulk_update(changed, ["attributes", "folded", "updated_at"])
    ProfileFeed.objects.bulk_create([ProfileFeed(workspace_id=workspace_id, profile_id=row.pk, at=now) for row in changed])


def _merged(kept: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**kept, **said}.items() if value is not None}
