"""Columns of their own for what rules ask most, on PostgreSQL: whoever writes people, they say what the people's rows say."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from audience import door as audience
from audience import facts_keeper, sql
from audience.backends import database
from audience.backends.database import Database
from audience.backends.facts import facts_for
from audience.backends.facts_sql import CLIP, COLUMNS
from audience.door import NewEvent, ProfileRow, SegmentBody
from audience.facts_keeper import FactsKeeper, fill_some, give_places, keep_facts
from audience.models import FactColumn, Profile, ProfileFacts
from audience.resolve import question
from audience.rules.bound import Bound
from governance import door as governance
from governance.door import parse
from tests import factories
from tests.together import together

pytestmark = pytest.mark.postgres
RULES: list[dict[str, Any]] = [
    {"attribute": "stays", "op": "gte", "value": 5},
    {"all": [{"profile": "country", "op": "in", "value": ["DE", "FR"]}, {"attribute": "vip", "op": "is", "value": True}]},
    {"none": [{"attribute": "city", "op": "is", "value": "Rome"}, {"reachable": "email"}]},
    {"any": [{"attribute": "seen", "op": "in_last", "value": {"amount": 9, "unit": "days"}}, {"attribute": "birthday", "op": "exists"}]},
]


def bound(workspace_id: int, rule: dict[str, Any], now: datetime) -> Bound:
    return question(workspace_id, parse(SegmentBody, {"title": "Some", "rule": rule}), as_of=now).node


def by_columns(workspace_id: int, rule: dict[str, Any], now: datetime) -> bool:
    return facts_for(workspace_id, bound(workspace_id, rule, now)) is not None


def count(workspace_id: int, rule: dict[str, Any], now: datetime) -> int:
    node = bound(workspace_id, rule, now)
    many = Database().count(workspace_id, node)
    assert many == len(Database().ids(workspace_id, node))
    return many


def value(type_: str, kept: Any) -> Any:
    """What a column of the type holds of a value as it is kept."""
    if isinstance(kept, bool):
        return str(kept).lower() if type_ == "boolean" else None
    if isinstance(kept, int | float):
        return kept if type_ == "number" else None
    return kept[:CLIP] if isinstance(kept, str) and type_ in ("text", "date", "datetime") else None


def assert_they_say_what_the_rows_say() -> None:
    columns = list(FactColumn.objects.all())
    assert columns and all(column.ready for column in columns)
    fields = {COLUMNS[column.place]: column for column in columns}
    held = {row.pop("profile_id"): row for row in ProfileFacts.objects.values("profile_id", "country", "has_email", *fields)}
    people = Profile.objects.filter(gone_at=None, workspace_id=columns[0].workspace_id)
    assert held == {
        row.pk: {"country": row.country, "has_email": row.email_key is not None}
        | {name: value(column.type, row.folded.get(column.name)) for name, column in fields.items()}
        for row in people
    }


def test_whoever_writes_people_the_columns_follow(open_workspace_id: int, now: datetime) -> None:
    home, actor = open_workspace_id, governance.system_actor(open_workspace_id, label="tests")
    factories.in_force("attribute", "visits", factories.attribute(type="number", computed={"event": "visit", "how": "count"}), now=now)
    factories.in_force("attribute", "home", {**factories.attribute(type="object"), "fields": [{"name": "town", "type": "text"}]}, now=now)
    audience.upsert(home, [ProfileRow("first", attributes={"city": "Oslo"})], source="test", now=now)
    assert keep_facts(home) == 1
    assert_they_say_what_the_rows_say()
    told: dict[str, Any] = {"stays": 3, "vip": True, "birthday": "1990-05-01", "seen": "2026-03-01T10:00:00Z", "city": "x" * 100}
    for many in (1, 5, 300):  # three ways of writing
        rows = [
            ProfileRow(f"{many}-{n}", email=f"u{many}-{n}@example.com", country="DE", attributes={**told, "stays": n}) for n in range(many)
        ]
        audience.upsert(home, rows, source="test", now=now)
        assert_they_say_what_the_rows_say()
        changed = [ProfileRow(row.external_id, country="FR", attributes={"stays": 0.5, "city": None, "vip": False}) for row in rows[::2]]
        audience.upsert(home, [*changed, ProfileRow(f"{many}-new", attributes={"home": {"town": "Rome"}})], source="test", now=now)
        assert_they_say_what_the_rows_say()
    audience.record(home, [NewEvent(f"e{n}", "visit", f"5-{n % 5}", now) for n in range(12)], now=now)
    audience.keep_computed(now=now)
    assert_they_say_what_the_rows_say()
    audience.merge(actor, "5-0", "5-1", now=now)
    audience.add_other_id(actor, "5-2", "another", now=now)
    assert_they_say_what_the_rows_say()
    audience.erase(actor, "5-3", now=now)
    assert_they_say_what_the_rows_say()
    Profile.objects.filter(external_id="300-7").delete()
    assert_they_say_what_the_rows_say()
    assert ProfileFacts.objects.count() == 307 and FactColumn.objects.filter(name__in=["visits", "home.town"]).count() == 2


def test_rules_are_answered_alike_with_and_without_them(open_workspace_id: int, now: datetime) -> None:
    rows = [
        ProfileRow(
            f"u{n:02}",
            email=f"u{n}@example.com" if n % 3 else None,
            country=("DE", "FR", "JP", None)[n % 4],
            attributes={
                "stays": n % 9,
                "vip": n % 5 == 0,
                "city": ("Oslo", "Rome", None)[n % 3],
                "seen": (now - timedelta(days=n)).isoformat(),
            },
        )
        for n in range(60)
    ]
    audience.upsert(open_workspace_id, rows, source="test", now=now)
    before = [count(open_workspace_id, rule, now) for rule in RULES]
    assert not any(by_columns(open_workspace_id, rule, now) for rule in RULES) and 0 not in before
    keep_facts(open_workspace_id)
    assert all(by_columns(open_workspace_id, rule, now) for rule in RULES)
    assert [count(open_workspace_id, rule, now) for rule in RULES] == before
    elsewhere: list[dict[str, Any]] = [
        {"attribute": "interests", "op": "in", "value": ["ski"]},
        {"attribute": "city", "op": "contains", "value": "om"},
        {"profile": "email", "op": "starts_with", "value": "u1"},
        {"event": "visit"},
        {"everyone": True},
    ]
    assert not any(by_columns(open_workspace_id, {"all": [rule]}, now) for rule in elsewhere)


@pytest.mark.parametrize("letters", [CLIP - 1, CLIP, CLIP + 1])
def test_texts_that_a_column_cannot_hold_are_told_apart(open_workspace_id: int, now: datetime, letters: int) -> None:
    texts = ["a" * length for length in range(CLIP - 2, CLIP + 3)]
    rows = [ProfileRow(f"u{length}", attributes={"city": text}) for length, text in enumerate(texts)]
    audience.upsert(open_workspace_id, rows, source="test", now=now)
    keep_facts(open_workspace_id)
    asked = "a" * letters
    assert count(open_workspace_id, {"attribute": "city", "op": "is", "value": asked}, now) == 1
    longer = sum(len(text) >= letters for text in texts)
    assert count(open_workspace_id, {"attribute": "city", "op": "starts_with", "value": asked}, now) == longer


def test_what_was_being_written_meanwhile_is_waited_for(open_workspace_id: int, now: datetime) -> None:
    written, may_commit = threading.Event(), threading.Event()
    rows = [ProfileRow("late", attributes={"stays": 7})]

    def late() -> None:
        with transaction.atomic():
            audience.upsert(open_workspace_id, rows, source="test", now=now)
            written.set()
            assert may_commit.wait(timeout=20)

    def keeper() -> tuple[int, bool]:
        assert written.wait(timeout=20)
        early = keep_facts(open_workspace_id), FactColumn.objects.filter(ready=True).exists()
        may_commit.set()
        return early

    assert together([late, keeper])[1] == (0, False)
    assert keep_facts(open_workspace_id) == 1
    assert_they_say_what_the_rows_say()


def test_who_is_being_written_while_they_are_filled_is_waited_for(open_workspace_id: int, now: datetime) -> None:
    audience.upsert(open_workspace_id, [ProfileRow("ann", attributes={"stays": 1})], source="test", now=now)
    give_places(open_workspace_id)
    FactColumn.objects.update(waits_for=[])
    written, fills = threading.Event(), threading.Event()

    def writer() -> None:
        with transaction.atomic():
            audience.upsert(open_workspace_id, [ProfileRow("ann", attributes={"stays": 2})], source="test", now=now)
            written.set()
            assert fills.wait(timeout=20)
            while not sql.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
                threading.Event().wait(0.01)

    def keeper() -> None:
        assert written.wait(timeout=20)
        fills.set()
        while fill_some():
            pass

    together([writer, keeper])
    assert_they_say_what_the_rows_say()


def test_while_they_are_filled_people_are_written(open_workspace_id: int, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_keeper, "AT_ONCE", 7)
    audience.upsert(open_workspace_id, [ProfileRow(f"u{n:03}", attributes={"stays": -1}) for n in range(200)], source="test", now=now)
    give_places(open_workspace_id)

    def writer(who: int) -> None:
        for turn in range(15):
            some = [ProfileRow(f"u{n:03}", attributes={"stays": who * 1_000 + turn}) for n in range(who, 220, 3)]
            audience.upsert(open_workspace_id, some, source="test", now=now)

    def keeper() -> int:
        filled = 0
        while not FactColumn.objects.filter(ready=True).exists():
            filled += fill_some()
        return filled

    outcomes = together([*(lambda who=who: writer(who) for who in range(3)), keeper, keeper])
    assert sum(outcomes[3:]) >= 200
    assert_they_say_what_the_rows_say()


def test_the_attributes_that_rules_ask_come_first_and_who_asks_meanwhile_notices(
    open_workspace_id: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        factories.put("attribute", f"aa{number}", factories.attribute(type="number"), now=now)
    audience.upsert(open_workspace_id, [ProfileRow("ann", attributes={"aa0": 4, "stays": 9})], source="test", now=now)
    keep_facts(open_workspace_id)
    stays: dict[str, Any] = {"attribute": "stays", "op": "gte", "value": 5}
    assert by_columns(open_workspace_id, {"attribute": "aa0", "op": "is", "value": 4}, now) and not by_columns(
        open_workspace_id, stays, now
    )
    others: dict[str, Any] = {"attribute": "aa7", "op": "gte", "value": 5}
    asking = facts_for(open_workspace_id, bound(open_workspace_id, others, now))
    assert asking is not None and count(open_workspace_id, others, now) == 0
    factories.put("segment", "loyal", factories.segment(rule=stays), now=now)
    assert keep_facts(open_workspace_id) == 1
    assert by_columns(open_workspace_id, stays, now) and count(open_workspace_id, stays, now) == 1
    assert_they_say_what_the_rows_say()
    monkeypatch.setattr(database, "facts_for", lambda *_: asking)
    assert count(open_workspace_id, others, now) == 0  # where others was there is stays now


def test_an_attribute_that_holds_something_else_now_gets_another_column(open_workspace_id: int, now: datetime) -> None:
    audience.upsert(open_workspace_id, [ProfileRow("ann", attributes={"birthday": "2026-02-01"})], source="test", now=now)
    keep_facts(open_workspace_id)
    factories.put("attribute", "birthday", factories.attribute(type="text"), now=now)
    exists: dict[str, Any] = {"attribute": "birthday", "op": "exists"}
    assert not by_columns(open_workspace_id, exists, now)
    keep_facts(open_workspace_id)
    assert by_columns(open_workspace_id, exists, now) and count(open_workspace_id, exists, now) == 1


def test_a_worker_gives_them_to_large_workspaces(open_workspace_id: int, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    audience.upsert(open_workspace_id, [ProfileRow(f"u{n}") for n in range(50)], source="test", now=now)
    keeper = FactsKeeper()
    assert keeper.keep(now=now) == 0 and not FactColumn.objects.exists()
    monkeypatch.setattr(facts_keeper, "FROM", 50)
    assert keeper.keep(now=now + timedelta(minutes=1)) == 0, "it looks every five minutes"
    audience.upsert(open_workspace_id, [ProfileRow(f"v{n}") for n in range(50)], source="test", now=now + timedelta(minutes=4))
    assert keeper.keep(now=now + timedelta(minutes=5)) == 0, "as long as people are being loaded it doesn't come in between"
    assert keeper.keep(now=now + timedelta(minutes=10)) == 100
    assert_they_say_what_the_rows_say()
