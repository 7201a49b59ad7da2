"""Tables that the database itself keeps from being rewritten: triggers, on SQLite and PostgreSQL alike.

A migration on SQLite that alters such a table makes it anew and loses its triggers: repeat the operation after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

PROTECTED: dict[str, tuple[str, ...]] = {  # model: fields that may change
    "AuditEntry": (),
    "Revision": ("recalled_at",),
    "Decision": (),
    "Release": (),
}


class AppendOnly(Operation):
    """Refuse UPDATE (but of `except_fields`), DELETE and TRUNCATE of a model's rows. Reversible."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model: str, except_fields: Sequence[str] = ()) -> None:
        self.model, self.except_fields = model, tuple(except_fields)

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The shape of the models stays."""

    def database_forwards(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any) -> None:
        for statement in guard(schema_editor.connection, to_state.apps.get_model(app_label, self.model), self.except_fields):
            schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any) -> None:
        for statement in unguard(schema_editor.connection, from_state.apps.get_model(app_label, self.model)):
            schema_editor.execute(statement)

    def describe(self) -> str:
        return f"Make {self.model} append-only"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model.lower()}_append_only"


def guard(connection: BaseDatabaseWrapper, model: type[models.Model], except_fields: Iterable[str] = ()) -> list[str]:
    """The statements that make a table append-only."""
    table, free = model._meta.db_table, set(except_fields)
    columns = ", ".join(f'"{field.column}"' for field in model._meta.local_fields if field.name not in free)
    if connection.vendor == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        return [
            f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE OF {columns} ON "{table}" {refuse}',
            f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}" {refuse}',
        ]
    function = f'"{table}_refuse"'
    return [
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE OF {columns} ON "{table}" FOR EACH ROW EXECUTE FUNCTION {function}()',
        f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION {function}()',
        f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT EXECUTE FUNCTION {function}()',
    ]


def unguard(connection: BaseDatabaseWrapper, model: type[models.Model]) -> list[str]:
    """The statements that undo `guard`."""
    table = model._meta.db_table
    if connection.vendor == "sqlite":
        return [f'DROP TRIGGER IF EXISTS "{table}_no_{what}"' for what in ("update", "delete")]
    triggers = [f'DROP TRIGGER IF EXISTS "{table}_no_{what}" ON "{table}"' for what in ("update", "delete", "truncate")]
    return [*triggers, f'DROP FUNCTION IF EXISTS "{table}_refuse"()']


def guard_all(connection: BaseDatabaseWrapper) -> list[str]:
    """The statements that guard every protected table."""
    return [sql for name, free in PROTECTED.items() for sql in guard(connection, apps.get_model("governance", name), free)]


def unguard_all(connection: BaseDatabaseWrapper) -> list[str]:
    """The statements that lift every guard."""
    return [sql for name in PROTECTED for sql in unguard(connection, apps.get_model("governance", name))]
