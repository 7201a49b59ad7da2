"""People come in by rows: each checked by itself, all that are good written set by set, bad ones reported and never in the way.

Laws: the same rows again change nothing; rows in any number of chunks end as they would one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils.timezone import is_aware

from audience import profiles, sql
from audience.catalogue import MAX_ATTRIBUTES, Catalogue, catalogue
from audience.consent import as_state, set_consent
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
    if sql.on_postgres():
        person = postgresql.find_or_write_new(workspace_id, checked, now)
    else:
        person = profiles.find(workspace_id, external_id=checked.external_id)
    if person is None or _is_news(checked, person):
        with transaction.atomic(savepoint=False):
            (postgresql.write if sql.on_postgres() else sqlite.write)(workspace_id, [checked], now)
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
        outcome = _chunk(workspace_id, [clean(row, known) for row in chunk], known, source, now)
        note_unknown(workspace_id, chunk, known, source=source, now=now)
        written += outcome.written
        yield outcome
    if written >= MANY:
        sql.count_tables(*_TABLES)


def _chunk(workspace_id: int, checked: Sequence[CleanRow | Rejected], known: Catalogue, source: str, now: datetime) -> UpsertOutcome:
    rejected = [row for row in checked if isinstance(row, Rejected)]
    good = _merged(row for row in checked if isinstance(row, CleanRow))
    if len(known) > MAX_ATTRIBUTES:
        good, full = _overfull(workspace_id, good)
        rejected += full
    created = updated = consents = 0
    if good:
        write = postgresql.write if sql.on_postgres() else sqlite.write
        with transaction.atomic():
            created, updated = write(workspace_id, good, now)
            consents = _consents(workspace_id, good, source, now)
    unchanged = len(checked) - len(rejected) - created - updated
    return UpsertOutcome(created, updated, unchanged, rejected, consents)


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
            full.append(Rejected(row.line, (Finding("error", "/attributes", f"{count:,} attributes", expected),)))
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
        news += set_consent(
            workspace_id, numbers, channel=channel, topic=topic, state=as_state(state), source=source, now=now, keep_refusals=True
        )
    return news
