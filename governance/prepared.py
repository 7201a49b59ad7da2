"""What every message or request asks: PostgreSQL reads and plans it once per connection, not each time.

Django writes values into a statement's text, so that the database meets a new text each time. Here the values travel beside the
text, and the driver prepares what it meets again, unless `OMNI_DATABASE_PREPARES` is off. On a transactional message that halves
what PostgreSQL has to do (docs/figures.md). Not for questions whose best plan depends on the values.
"""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper


def prepared_cursor() -> CursorWrapper:
    """A cursor for plain SQL that is asked often. Elsewhere than on PostgreSQL it is the ordinary one.

    The values' types must be clear from where they stand, or be said (`%s::bigint`).
    """
    connection = connections[DEFAULT_DB_ALIAS]  # once: each look through Django's own proxy costs as much as all the rest here
    if connection.vendor != "postgresql":
        return connection.cursor()
    from psycopg import Cursor  # an optional engine

    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        made: CursorWrapper = connection._prepare_cursor(Cursor(connection.connection))  # type: ignore[attr-defined]  # as Django's own
        return made
