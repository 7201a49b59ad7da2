"""Django's `flush`, for a database whose history can't be deleted."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.flush import Command as Flush
from django.db import connections, transaction

from governance.append_only import guard_all, unguard_all


class Command(Flush):
    help = "Empty the database, history included. Refused in production."

    def handle(self, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("refused in production: the audit trail can't be deleted")
        connection = connections[options["database"]]
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in unguard_all(connection):
                cursor.execute(statement)
            super().handle(**options)
            for statement in guard_all(connection):
                cursor.execute(statement)
