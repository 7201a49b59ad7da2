"""Records come in by rows: each checked by itself, all that are good written set by set, bad ones reported and never in the way.

Laws: the same rows again change nothing; rows in any number of chunks end as they would one by one. Whoever gains, loses or has a record
that changed is told to the index' feed in the transaction that does so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from django.db import transaction
from django.utils.timezone import is_aware

from audience import profiles, sql
from audience.external_ids import external_id_fault, external_id_of
from audience.ingest.rows import Rejected
from audience.record_rows import MAX_PEOPLE, CleanRecord, RecordRow, clean_record
from audience.record_types import RecordTypeBody, record_type
from governance.door import Finding, pointer

AT_ONCE = 1_000  # rows per transaction
MOST_PEOPLE = 10_000  # of one record
Relation = tuple[int, int, str]  # record, person, role


@dataclass(slots=True)
class RecordOutcome:
    """What became of the rows: created, updated, unchanged and rejected add up to them. A row that a later row of the same chunk is about,
    too, counts as unchanged. related, unrelated: how many relations came and went."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    related: int = 0
    unrelated: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, other: RecordOutcome) -> None:
        """Count another chunk in."""
        for name in ("created", "updated", "unchanged", "related", "unrelated"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.rejected += other.rejected

    @property
    def taken(self) -> int:
        """Rows that were accepted."""
        return self.created + self.updated + self.unchanged


def upsert_records(
    workspace_id: int,
    key: str,
    rows: Iterable[RecordRow | Rejected],
    *,
    now: datetime,
    merge: bool = False,
    within: Callable[[RecordOutcome], None] | None = None,
) -> RecordOutcome:
    """Create or change records of a type. A bad row is reported, the others are taken; each chunk of 1,000 is one transaction.

    merge: people that a row names come to those who are there; else they replace them. Rows that were rejected already are counted in.
    within: called with what became of a chunk, in its transaction. Raises Missing for a type that isn't there.
    """
    assert is_aware(now)
    type_ = record_type(workspace_id, key)
    outcome, remaining = RecordOutcome(), iter(rows)
    while chunk := list(islice(remaining, AT_ONCE)):
        checked = [row if isinstance(row, Rejected) else clean_record(row, type_) for row in chunk]
        rejected = _with_strangers(workspace_id, chunk, [row for row in checked if isinstance(row, Rejected)])
        good, strangers = _known_people(workspace_id, [row for row in checked if isinstance(row, CleanRecord)])
        with transaction.atomic():
            part = _Writing(workspace_id, key, type_, now, merge).write(_one_each(good, merging=merge))
            part.rejected = sorted([*rejected, *strangers, *part.rejected], key=lambda row: row.line)
            part.unchanged = len(chunk) - len(part.rejected) - part.created - part.updated
            if within:
                within(part)
        outcome.add(part)
    return outcome


@dataclass(slots=True)
class _Good:
    """A row whose people are known by their numbers."""

    row: CleanRecord
    people: dict[tuple[int, str], int] | None  # person and role → its place in the row


def _known_people(workspace_id: int, rows: Sequence[CleanRecord]) -> tuple[list[_Good], list[Rejected]]:
    """The rows with the numbers of their people, and those that name somebody whom nobody knows."""
    named = {external_id for row in rows for external_id, _ in row.people or ()}
    ids = profiles.ids_of(workspace_id, named) if named else {}
    good, strangers = [], []
    for row in rows:
        nobody = [place for (external_id, _), place in (row.people or {}).items() if external_id not in ids]
        if nobody:
            strangers.append(Rejected(row.line, _stranger_faults(nobody)))
        else:
            people = None if row.people is None else {(ids[who], role): place for (who, role), place in row.people.items()}
            good.append(_Good(row, people))
    return good, strangers


def _stranger_faults(places: Sequence[int]) -> tuple[Finding, ...]:
    expected = "somebody who has a profile; send the profile first"
    return tuple(Finding("error", pointer(["people", place, "external_id"]), "an id that nobody has", expected) for place in places[:50])


def _with_strangers(workspace_id: int, chunk: Sequence[RecordRow | Rejected], rejected: Sequence[Rejected]) -> list[Rejected]:
    """The rows that are wrong already, told also whom of theirs nobody knows: all that is to be mended is told at once."""
    lines = {row.line for row in rejected}
    people = {
        row.line: row.people
        for row in chunk
        if isinstance(row, RecordRow) and row.line in lines and 0 < len(row.people or ()) <= MAX_PEOPLE
    }
    asked = {
        line: [(place, external_id_of(who)) for place, (who, _) in enumerate(given or ()) if not external_id_fault(who)]
        for line, given in people.items()
    }
    named = {who for given in asked.values() for _, who in given}
    ids = profiles.ids_of(workspace_id, named) if named else {}
    nobody = {line: [place for place, who in given if who not in ids] for line, given in asked.items()}
    return [Rejected(row.line, (*row.findings, *_stranger_faults(nobody.get(row.line, ())))[:50]) for row in rejected]


def _one_each(rows: Iterable[_Good], *, merging: bool) -> list[_Good]:
    """One row per record, later ones over earlier ones, by external id: in one order, so that two writers can't deadlock."""
    records: dict[str, _Good] = {}
    for good in rows:
        before = records.setdefault(good.row.external_id, good)
        if before is not good:
            before.row.overlay(good.row, merging=merging)
            if good.people is not None:
                before.people = {**(before.people or {}), **good.people} if merging else good.people
    return [records[external_id] for external_id in sorted(records)]


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    attributes: dict[str, Any]
    folded: dict[str, Any]


_READ = """
SELECT external_id, id, {attributes}, {folded} FROM audience_record WHERE workspace_id = %s AND type = %s AND {among} ORDER BY external_id
"""
_NEW = """
INSERT INTO audience_record (workspace_id, type, external_id, attributes, folded, created_at, updated_at) {given}
ON CONFLICT (workspace_id, type, external_id) DO NOTHING RETURNING external_id, id
"""
_NEW_POSTGRESQL = """
SELECT %s, %s, external_id, attributes, folded, %s::timestamptz, %s::timestamptz
  FROM jsonb_to_recordset(%s::jsonb) AS given(external_id text, attributes jsonb, folded jsonb)
"""
_NEW_SQLITE = """
SELECT %s, %s, json_extract(value, '$.external_id'), json_extract(value, '$.attributes'), json_extract(value, '$.folded'), %s, %s
  FROM json_each(%s) WHERE true
"""
_CHANGE_POSTGRESQL = """
UPDATE audience_record r SET attributes = given.attributes, folded = given.folded, updated_at = %s
  FROM jsonb_to_recordset(%s::jsonb) AS given(id bigint, attributes jsonb, folded jsonb) WHERE r.id = given.id
"""
_CHANGE_SQLITE = """
UPDATE audience_record AS r SET attributes = json_extract(value, '$.attributes'), folded = json_extract(value, '$.folded'), updated_at = %s
  FROM json_each(%s) WHERE r.id = json_extract(value, '$.id')
"""
_RELATE = """
INSERT INTO audience_relation (workspace_id, record_id, profile_id, role) {given} ON CONFLICT (record_id, profile_id, role) DO NOTHING
"""
_PART = "DELETE FROM audience_relation WHERE (record_id, profile_id, role) IN ({given})"
_GIVEN_POSTGRESQL = "SELECT {first} (one ->> 0)::bigint, (one ->> 1)::bigint, one ->> 2 FROM jsonb_array_elements(%s::jsonb) AS given(one)"
_GIVEN_SQLITE = """
SELECT {first} json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(%s) WHERE true
"""
_TELL = """
INSERT INTO audience_profilefeed (workspace_id, profile_id, at)
SELECT DISTINCT workspace_id, profile_id, {at} FROM audience_relation WHERE {among}
"""
_TELL_OF = """
INSERT INTO audience_profilefeed (workspace_id, profile_id, at)
SELECT workspace_id, id, {at} FROM audience_profile WHERE workspace_id = %s AND {among} ORDER BY id
"""


@dataclass(slots=True)
class _Writing:
    """One chunk, in the caller's transaction."""

    workspace_id: int
    key: str
    type_: RecordTypeBody
    now: datetime
    merge: bool

    def write(self, rows: list[_Good]) -> RecordOutcome:
        known = self._read([good.row.external_id for good in rows])
        before = self._relations([each.id for each in known.values()])
        rows, full = self._without_full(rows, known, before)
        new = self._create([good.row for good in rows if good.row.external_id not in known])
        raced = [good.row.external_id for good in rows if good.row.external_id not in known and good.row.external_id not in new]
        if raced:  # somebody else has just made them
            met = self._read(raced)
            known |= met
            before |= self._relations([each.id for each in met.values()])
        ids = {external_id: each.id for external_id, each in known.items()} | new
        came, went = self._differences(rows, ids, before)
        changes = self._changes(rows, known)
        touched = {record for record, _, _ in (*came, *went)}
        self._update(changes, [each for each in known.values() if each.id in touched and each.id not in changes])
        self._relate(came, went)
        self._tell([*changes], {person for _, person, _ in (*came, *went)})
        updated = len(changes.keys() | touched - set(new.values()))
        return RecordOutcome(created=len(new), updated=updated, related=len(came), unrelated=len(went), rejected=full)

    def _read(self, external_ids: list[str]) -> dict[str, _Stored]:
        """The records that are there already, held until the transaction ends."""
        columns = {name: f"{name}::text" if sql.on_postgres() else name for name in ("attributes", "folded")}
        statement = _READ.format(**columns, among=sql.among("external_id")) + (" FOR UPDATE" if sql.on_postgres() else "")
        found = sql.rows(statement, [self.workspace_id, self.key, sql.listed(external_ids)])
        return {row[0]: _Stored(row[1], orjson.loads(row[2]), orjson.loads(row[3])) for row in found}

    def _relations(self, records: list[int]) -> dict[int, set[tuple[int, str]]]:
        statement = f"SELECT record_id, profile_id, role FROM audience_relation WHERE {sql.among('record_id')}"
        found = defaultdict[int, set[tuple[int, str]]](set)
        for record, person, role in sql.rows(statement, [sql.listed(records)]) if records else ():
            found[record].add((person, role))
        return dict(found)

    def _without_full(
        self, rows: list[_Good], known: dict[str, _Stored], before: dict[int, set[tuple[int, str]]]
    ) -> tuple[list[_Good], list[Rejected]]:
        """Apart from the others, the rows after which a record would have too many people, or somebody too many records."""
        have = self._counts({person for good in rows for person, _ in good.people or ()})
        good_ones, full = [], []
        for good in rows:
            stored = known.get(good.row.external_id)
            there = before.get(stored.id, set()) if stored else set()
            after = set(good.people or ()) | (there if self.merge else set())
            fresh = {person: place for (person, _), place in (good.people or {}).items()}
            for person, _ in there:
                fresh.pop(person, None)
            fault = self._too_many(len(after), fresh, have)
            if fault:
                full.append(Rejected(good.row.line, (fault,)))
                continue
            for person in fresh:
                have[person] += 1
            good_ones.append(good)
        return good_ones, full

    def _too_many(self, people: int, fresh: dict[int, int], have: dict[int, int]) -> Finding | None:
        if people > MOST_PEOPLE:
            return Finding(
                "error", "/people", f"{people:,} people with those who are there", f"at most {MOST_PEOPLE:,} people of one record"
            )
        most = self.type_.most_per_person
        place = next((place for person, place in fresh.items() if have[person] >= most), None)
        if place is None:
            return None
        return Finding("error", pointer(["people", place]), f"somebody with {most:,} of them already", f"at most {most:,} per person")

    def _counts(self, people: set[int]) -> dict[int, int]:
        """How many records of the type these people have to do with."""
        found = defaultdict[int, int](int)
        if people:
            statement = f"""SELECT l.profile_id, count(DISTINCT l.record_id)
                FROM audience_relation l JOIN audience_record r ON r.id = l.record_id
                WHERE r.workspace_id = %s AND r.type = %s AND {sql.among("l.profile_id")} GROUP BY l.profile_id"""
            found.update(sql.rows(statement, [self.workspace_id, self.key, sql.listed(people)]))
        return found

    def _create(self, rows: list[CleanRecord]) -> dict[str, int]:
        if not rows:
            return {}
        given = [{"external_id": row.external_id, "attributes": _known(row.attributes), "folded": _known(row.folded)} for row in rows]
        statement = _NEW.format(given=_NEW_POSTGRESQL if sql.on_postgres() else _NEW_SQLITE)
        at = sql.moment(self.now)
        return dict(sql.rows(statement, [self.workspace_id, self.key, at, at, orjson.dumps(given).decode()]))

    def _differences(
        self, rows: list[_Good], ids: dict[str, int], before: dict[int, set[tuple[int, str]]]
    ) -> tuple[list[Relation], list[Relation]]:
        """The relations that come and that go."""
        came: list[Relation] = []
        went: list[Relation] = []
        for good in rows:
            if good.people is None:
                continue
            record, wanted = ids[good.row.external_id], set(good.people)
            there = before.get(record, set())
            came += [(record, *one) for one in sorted(wanted - there)]
            went += [] if self.merge else [(record, *one) for one in sorted(there - wanted)]
        return came, went

    def _changes(self, rows: list[_Good], known: dict[str, _Stored]) -> dict[int, _Stored]:
        """The records that hold something else now, as they are then."""
        found = {}
        for good in rows:
            stored = known.get(good.row.external_id)
            if stored is not None:
                after = replace(
                    stored, attributes=_known(stored.attributes | good.row.attributes), folded=_known(stored.folded | good.row.folded)
                )
                if _text(after) != _text(stored):
                    found[stored.id] = after
        return found

    def _update(self, changes: dict[int, _Stored], only_people: list[_Stored]) -> None:
        """Write what changed. only_people: records of which only the people did."""
        given = [{"id": each.id, "attributes": each.attributes, "folded": each.folded} for each in (*changes.values(), *only_people)]
        if given:
            statement = _CHANGE_POSTGRESQL if sql.on_postgres() else _CHANGE_SQLITE
            sql.run(statement, [sql.moment(self.now), orjson.dumps(given).decode()])

    def _relate(self, came: list[Relation], went: list[Relation]) -> None:
        given = _GIVEN_POSTGRESQL if sql.on_postgres() else _GIVEN_SQLITE
        if went:
            sql.run(_PART.format(given=given.format(first="")), [orjson.dumps(went).decode()])
        if came:
            sql.run(_RELATE.format(given=given.format(first="%s,")), [self.workspace_id, orjson.dumps(came).decode()])

    def _tell(self, records: list[int], people: set[int]) -> None:
        """The feed hears of everybody who has to do with these records, and of these people."""
        at = "%s::timestamptz" if sql.on_postgres() else "%s"
        if records:
            sql.run(_TELL.format(at=at, among=sql.among("record_id")), [sql.moment(self.now), sql.listed(records)])
        if people:
            statement = _TELL_OF.format(at=at, among=sql.among("id"))
            sql.run(statement, [sql.moment(self.now), self.workspace_id, sql.listed(sorted(people))])


def _text(stored: _Stored) -> bytes:
    """By which two are told apart: in Python, true equals 1."""
    return orjson.dumps([stored.attributes, stored.folded], option=orjson.OPT_SORT_KEYS)


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
