"""People come in by rows: each checked by itself, all that are good written set by set, bad ones reported and never in the way.

Laws: the same rows again change nothing; rows in any number of chunks end as they would one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.timezone import is_aware

from audience import profiles, sql
from audience.catalogue import MAX_ATTRIBUTES, Catalogue, catalogue
from audience.consent import CONFIRMED, set_consent
from audience.ingest import postgresql, sqlite
from audience.ingest.rows import STORED, CleanRow, ProfileRow, Rejected, clean
from audience.profiles import Person
from audience.proposals import note_unknown
from governance.door import Finding, Invalid

AT_ONCE = 2_000  # rows per transaction
MANY = 5_000  # changes after which plans made for the tables as they were may be very wrong
_TABLES = ("audience_profile", "audience_subscription", "audience_subscriptionentry")


@dataclass(slots=True)
class UpsertOutcome:
    """What became of the rows that were given: created, updated, unchanged and rejected add up to them.

    A row whose person a later row of the same chunk is about, too, counts as unchanged. consents: statements that were news.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    consents: int = 0

    def add(self, other: UpsertOutcome) -> None:
        """Count another chunk in."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected
        self.consents += other.consents

    @property
    def all_new(self) -> bool:
        """Whether there were people among the rows, and nobody of them was known."""
        return self.created > 0 and not self.updated and not self.unchanged

    @property
    def written(self) -> int:
        """What changed in the tables, in rows."""
        return self.created + self.updated + self.consents

    @property
    def taken(self) -> int:
        """Rows that were accepted."""
        return self.created + self.updated + self.unchanged


def upsert(workspace_id: int, rows: Iterable[ProfileRow], *, source: str, now: datetime) -> UpsertOutcome:
    """Create or change people: given fields and attributes replace, others stay. A bad row is reported, the others are taken.

    source: recorded with consents; a refusal that another source recorded is never lifted by rows. Each chunk of 2,000 rows is one
    transaction, in which the index' feed is written, too. Only the rejected rows are held in memory.
    """
    outcome = UpsertOutcome()
    plain = isinstance(rows, Sequence) and not any(row.attributes for row in rows)  # addresses only: there is nothing to look up
    for part in upsert_chunks(workspace_id, rows, {} if plain else catalogue(workspace_id), source=source, now=now):
        outcome.add(part)
    return outcome


def upsert_one(workspace_id: int, row: ProfileRow, *, now: datetime) -> Person:
    """One person as they are once this row of addresses is taken (no attributes, no consents), in the caller's transaction.

    One small query where the row says nothing new. Raises Invalid for a bad row.
    """
    assert not row.attributes and not row.consents
    checked = clean(row, {})
    if isinstance(checked, Rejected):
        raise Invalid(checked.findings)
    person = postgresql.find_or_write_new(workspace_id, checked, now) if sql.on_postgres() else None
    if person is None:
        person = profiles.find(workspace_id, external_id=checked.external_id)
    if person is None or _is_news(checked, person):
        with transaction.atomic(savepoint=False):
            _write(workspace_id, [checked], now)
        person = profiles.find(workspace_id, external_id=checked.external_id)
    assert person is not None  # just written, in this transaction
    return person


def _is_news(row: CleanRow, person: Person) -> bool:
    said = ((name, getattr(row, name)) for name in STORED)
    return any(value is not None and (value or None) != getattr(person, name) for name, value in said)


def upsert_chunks(
    workspace_id: int, rows: Iterable[ProfileRow], known: Catalogue, *, source: str, now: datetime
) -> Iterator[UpsertOutcome]:
    """As `upsert`, one outcome per committed chunk, for callers that show progress."""
    assert is_aware(now)
    remaining = iter(rows)
    written = 0
    while chunk := list(islice(remaining, AT_ONCE)):
        outcome = write_ready(workspace_id, ready([clean(row, known) for row in chunk]), known, source=source, now=now)
        note_unknown(workspace_id, chunk, known, source=source, now=now)
        written += outcome.written
        yield outcome
    count_after(written)


def count_after(written: int) -> None:
    """Let the database count its tables where so many rows of them are new that its next plans would be made for others."""
    if written >= MANY:
        sql.count_tables(*_TABLES)


@dataclass(slots=True)
class Ready:
    """A chunk of checked rows, made ready without the database: one row per person, in the order of their ids. lines: for COPY."""

    count: int
    good: list[CleanRow]
    rejected: list[Rejected]
    lines: str | None = None


def ready(checked: Sequence[CleanRow | Rejected], *, copied: bool = False) -> Ready:
    """What can be done before the chunk is written, elsewhere than where the database is asked. copied: for PostgreSQL's COPY, too."""
    rejected = [row for row in checked if isinstance(row, Rejected)]
    good = _merged(row for row in checked if isinstance(row, CleanRow))
    return Ready(len(checked), good, rejected, postgresql.copied(good) if copied else None)


def write_ready(
    workspace_id: int,
    chunk: Ready,
    known: Catalogue,
    *,
    source: str,
    now: datetime,
    within: Callable[[UpsertOutcome], None] | None = None,
    all_new: bool = False,
) -> UpsertOutcome:
    """Write one chunk. within: called with what became of its rows, in the transaction that writes them; all_new: everybody of the chunk
    before was new."""
    good, rejected, lines = chunk.good, chunk.rejected, chunk.lines
    if others := profiles.behind(workspace_id, [row.external_id for row in good]):
        good, lines = _renamed(good, others), None
    if len(known) > MAX_ATTRIBUTES:
        good, full = _overfull(workspace_id, good)
        rejected, lines = rejected + full, None
    outcome = UpsertOutcome(unchanged=chunk.count - len(rejected), rejected=rejected)
    if good or within:
        with transaction.atomic():
            if good:
                outcome.created, outcome.updated = _write(workspace_id, good, now, lines=lines, all_new=all_new)
            outcome.consents = _consents(workspace_id, good, source, now)
            outcome.unchanged -= outcome.created + outcome.updated
            if within:
                within(outcome)
    return outcome


def _write(workspace_id: int, rows: list[CleanRow], now: datetime, *, lines: str | None = None, all_new: bool = False) -> tuple[int, int]:
    """Merge the rows into the people whom they name, by whichever id; how many were created and how many changed.

    Neither database writes to somebody who was merged into another; who was merged since the rows were read is found afterwards.
    """
    if not sql.on_postgres():  # whose writer is alone: who is merged now stays so until it ends
        return sqlite.write(workspace_id, _renamed(rows, profiles.behind(workspace_id, [row.external_id for row in rows])), now)
    created, updated = postgresql.write(workspace_id, rows, now, lines=lines, all_new=all_new)
    if others := profiles.behind(workspace_id, [row.external_id for row in rows]):
        more = _write(workspace_id, _renamed([row for row in rows if row.external_id in others], others), now)
        created, updated = created + more[0], updated + more[1]
    return created, updated


def _renamed(rows: list[CleanRow], others: Mapping[str, str]) -> list[CleanRow]:
    """The rows with each person's own external id instead of another of theirs; one row per person again."""
    if not others:
        return rows
    for row in rows:
        row.external_id = others.get(row.external_id, row.external_id)
    return _merged(sorted(rows, key=lambda row: row.line))


def _merged(rows: Iterable[CleanRow]) -> list[CleanRow]:
    """One row per person, later ones over earlier ones, by external id: in one order, so that two importers can't deadlock."""
    people: dict[str, CleanRow] = {}
    for row in rows:
        before = people.setdefault(row.external_id, row)
        if before is not row:
            before.overlay(row)
    return [people[external_id] for external_id in sorted(people)]


def _overfull(workspace_id: int, rows: Sequence[CleanRow]) -> tuple[list[CleanRow], list[Rejected]]:
    """Apart from the others, the rows after which a person would have more attributes than one may have."""
    ids = profiles.ids_of(workspace_id, [row.external_id for row in rows])
    before = {person.external_id: person.attributes for person in profiles.load(workspace_id, list(ids.values()))}
    good, full = [], []
    for row in rows:
        after = before.get(row.external_id, {}) | row.attributes
        count = sum(value is not None for value in after.values())
        if count > MAX_ATTRIBUTES:
            expected = f"at most {MAX_ATTRIBUTES} attributes, those that are kept already included"
            findings = (Finding("error", "/attributes", f"{count:,} attributes", expected),)
            full += [Rejected(line, findings) for line in (row.line, *row.overlaid)]
        else:
            good.append(row)
    return good, full


def _consents(workspace_id: int, rows: Sequence[CleanRow], source: str, now: datetime) -> int:
    """What the rows say about consent, each saying once for all who said it. Returns for how many that was news."""
    said: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        for (channel, topic), state in row.consents.items():
            said[channel, topic, state].append(row.external_id)
    if not said:
        return 0
    ids = profiles.ids_of(workspace_id, [row.external_id for row in rows])
    news = 0
    for (channel, topic, state), people in sorted(said.items()):
        numbers = [ids[each] for each in people]
        about: dict[str, Any] = {"channel": channel, "topic": topic, "source": source, "keep_refusals": True}
        agreed = state != "unsubscribed"
        news += set_consent(
            workspace_id, numbers, **about, state="subscribed" if agreed else "unsubscribed", confirmed=state == CONFIRMED, now=now
        )
    return news
