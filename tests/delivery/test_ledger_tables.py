"""What the ledger's tables rest on, pinned: partitions, the composite key, and SQL that is right on both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from delivery import partitions, rows, sql
from delivery.models import Attempt, Dispatch, Message, VendorEvent
from delivery.states import MessageState
from tests import factories

Migration = import_module("delivery.migrations.0001_initial").Migration
ROOMS = ("omni", "workflow", "optimization", "delivery", "rendering", "presentation", "audience", "governance")
NOW = datetime(2026, 3, 2, 9, 0, 1, 234567, tzinfo=UTC)


def line(n: int, **changes: int) -> rows.NewRow:
    values = {"n": n, "profile_id": 10 + n, "state": 10, "reason": 0, "attempt_id": 2**40, "variant": 1, "address_hash": -(2**62) + n}
    return rows.NewRow(**{**values, **changes})


@pytest.mark.django_db
def test_rows_come_back_as_they_were_written() -> None:
    rows.write(7, 2**40, [line(n) for n in range(3)], at=NOW)

    found = list(Message.objects.order_by("n"))
    assert [(row.n, row.profile_id, row.state, row.attempt_id, row.variant, row.address_hash) for row in found] == [
        (n, 10 + n, 10, 2**40, 1, -(2**62) + n) for n in range(3)
    ]
    assert {(row.dispatch_id, row.workspace_id, row.at) for row in found} == {(2**40, 7, NOW)}


@pytest.mark.django_db
def test_a_number_is_written_once() -> None:
    rows.write(7, 1, [line(0)], at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.write(7, 1, [line(1), line(0)], at=NOW)
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_a_range_of_numbers_changes_exactly_that_range() -> None:
    rows.write(7, 1, [line(n) for n in range(100)], at=NOW)
    Message.objects.filter(dispatch_id=1, n__gte=10, n__lt=20).update(state=MessageState.DELIVERED)
    assert Message.objects.filter(state=MessageState.DELIVERED).count() == 10


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "indexes"),
    [
        ("delivery_message", {"messages_of_a_profile", "messages_to_an_address"}),
        ("delivery_attempt", {"attempts_unresolved", "attempts_named_by_vendor"}),
        ("delivery_vendorevent", {"clicks_undecided", "one_row_per_vendor_event"}),
    ],
)
def test_what_grows_with_every_message_is_partitioned_and_its_indexes_are_on_the_parent(table: str, indexes: set[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT partstrat FROM pg_partitioned_table WHERE partrelid = %s::regclass", [table])
        assert cursor.fetchone()[0] in ("r", b"r")
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = %s", [table])
        assert indexes <= {row[0] for row in cursor.fetchall()}
    assert partitions.ranges(table)[0] == 0


@pytest.mark.postgres
@pytest.mark.django_db
def test_requests_and_events_are_numbered_by_their_sequences_and_lie_in_the_partition_of_their_run() -> None:
    with connection.cursor() as cursor:
        for start in (0, 5):
            VendorEvent.objects.create(workspace_id=7, event_id="e", kind="k", dispatch_id=start, at=NOW, received_at=NOW)
        cursor.execute("SELECT tableoid::regclass::text FROM delivery_vendorevent ORDER BY dispatch_id")
        assert cursor.fetchall() == [("delivery_vendorevent_unknown",), ("delivery_vendorevent_0",)]
        cursor.execute("SELECT pg_get_serial_sequence('delivery_vendorevent', 'id'), pg_get_serial_sequence('delivery_attempt', 'id')")
        assert cursor.fetchone() == ("public.delivery_vendorevent_id_seq", "public.delivery_attempt_id_seq")


@pytest.mark.postgres
@pytest.mark.django_db
def test_migrations_go_back_and_forth_with_partitions() -> None:
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state([("delivery", "0001_initial")])
    operations = [operation for operation in Migration.operations if isinstance(operation, partitions.CreatePartitioned)]
    assert [operation.name for operation in operations] == ["Message", "VendorEvent", "Attempt"]
    for operation in operations:
        with connection.schema_editor(atomic=True) as editor:
            operation.database_backwards("delivery", editor, state, ProjectState())
            operation.database_forwards("delivery", editor, ProjectState(), state)
    assert partitions.ranges("delivery_attempt") == [0] and Attempt.objects.count() == 0


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_next_partition_is_made_before_its_first_dispatch() -> None:
    def at(newest: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval('delivery_dispatch_id_seq', %s)", [newest])

    at(100)
    assert partitions.prepare_next() is None
    at(partitions.SPAN // 2)
    assert partitions.prepare_next() == f"delivery_message_{partitions.SPAN}"
    assert partitions.prepare_next() is None
    rows.write(7, partitions.SPAN + 3, [line(0)], at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM delivery_message")
        assert cursor.fetchone() == (f"delivery_message_{partitions.SPAN}",)


def test_nobody_updates_or_deletes_by_a_sliced_list_of_keys() -> None:
    """On SQLite `filter(pk__in=query[:10]).update(...)` drops the limit and changes everything, without an error."""
    sliced = re.compile(r"(pk|id|n)__in\s*=\s*[^\n]*?\[[^\]\n]*:[^\]\n]*\][^\n]*\)\s*\.\s*(update|delete)\(")
    lazy = re.compile(r"__in\s*=\s*[\w.]+\.(objects|filter|exclude|order_by|values|values_list)\b[^\n]*\[\s*\w*\s*:\s*\w+\s*\]")
    for path in sources():
        text = path.read_text()
        assert not sliced.search(text) and not lazy.search(text), path
    assert lazy.search("Message.objects.filter(pk__in=Message.objects.values('pk')[:10]).update(state=1)")


def test_nothing_refers_to_the_ledger_by_a_foreign_key_and_nothing_is_admin() -> None:
    assert not [field for field in Message._meta.get_fields() if field.is_relation]
    assert "django.contrib.admin" not in settings.INSTALLED_APPS


@pytest.mark.django_db
def test_money_past_the_budget_is_refused_by_the_table_itself(now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispatch.objects.create(
            workspace_id=factories.workspace().pk,
            kind="campaign",
            key="k",
            occurrence="o",
            lane=10,
            channel="email",
            message_class="promotional",
            planned_at=now,
            due_at=now,
            budget_micros=10,
            committed_micros=11,
        )


def sources() -> list[Path]:
    root = Path(settings.BASE_DIR)
    return [path for room in ROOMS for path in (root / room).rglob("*.py") if "migrations" not in path.parts]


@pytest.mark.django_db
def test_values_that_a_statement_brings_along_come_back_as_they_are() -> None:
    texts = [
        "",
        "SM1",
        "NULL",
        "null",
        'a "quoted" one',
        "back\\slash",
        "{curly}, and a comma",
        "two\nlines",
        "ümlaut 🙂",
        " space ",
        "it's",
    ]
    given = [(n, text, None if n % 2 else -n) for n, text in enumerate(texts)]

    for some in (given, []):
        words, parameters = sql.table("v", {"n": "bigint", "said": "text", "less": "bigint"}, some)
        assert sql.rows(f"SELECT n, said, less FROM {words} ORDER BY n", parameters) == some
