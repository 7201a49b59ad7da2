"""The ledger is partitioned by ranges of dispatches on PostgreSQL and is one plain table on SQLite."""

from __future__ import annotations

from django.db import OperationalError, connection, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class CreatePartitioned(migrations.CreateModel):
    """`CreateModel` whose table is PARTITION BY RANGE (dispatch_id), with a default partition, where the database can."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        sql, params = schema_editor.table_sql(model)  # not public API: a test pins it
        schema_editor.execute(sql + " PARTITION BY RANGE (dispatch_id)", params or None)
        schema_editor.execute(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")
        schema_editor.deferred_sql.extend(schema_editor._model_indexes_sql(model))  # type: ignore[attr-defined]
        return None


SPAN = 1_000  # dispatches in one partition
LOCK_WAITS = "500ms"  # for readers and writers of the ledger; they wait as long for us at most


def ranges() -> list[int]:
    """Where each partition begins, oldest first; the default one isn't among them. None on SQLite."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'delivery_message'::regclass AND c.relname ~ '^delivery_message_[0-9]+$'"""
        )
        return sorted(int(row[0].removeprefix("delivery_message_")) for row in cursor.fetchall())


def full(start: int) -> bool:
    """Whether no dispatch will be added to the range any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(last_value, 0) FROM pg_sequences WHERE sequencename = 'delivery_dispatch_id_seq'")
        row = cursor.fetchone()
    return row is not None and row[0] >= start + SPAN


def drop(start: int) -> bool:
    """Take one range out of the ledger, rows and all. False: it was busy, try again later; nobody waited longer than LOCK_WAITS.

    Detached first: that is a change of names under the lock, and the rows are given back to the disk without it. Repeated after a
    kill in between, it drops what was detached.
    """
    name = f"delivery_message_{start}"
    if start in ranges():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAITS}'")
                cursor.execute(f"ALTER TABLE delivery_message DETACH PARTITION {name}")
        except OperationalError:
            return False
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
    return True


def prepare_next() -> str | None:
    """Make the range that comes next while no dispatch lies in it: a range is refused once the default partition holds rows of
    it. Answers the new partition's name, None where there is nothing to do."""
    if connection.vendor != "postgresql":
        return None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(2, 0)")
        cursor.execute("SELECT last_value FROM pg_sequences WHERE sequencename = 'delivery_dispatch_id_seq'")
        row = cursor.fetchone()
        newest = (row[0] if row else 0) or 0
        start = (newest // SPAN + 1) * SPAN
        name = f"delivery_message_{start}"
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone() != (None,) or newest % SPAN < SPAN // 2:
            return None
        cursor.execute(f"CREATE TABLE {name} PARTITION OF delivery_message FOR VALUES FROM ({start}) TO ({start + SPAN})")
    return name
