"""What every message asks is planned once per connection."""

from __future__ import annotations

import pytest
from django.db import DataError, connection

from governance.door import prepared_cursor

ASKED = "SELECT epoch FROM governance_witness WHERE workspace_id = %s"


def _ask(times: int) -> None:
    for _ in range(times):
        with prepared_cursor() as cursor:
            cursor.execute(ASKED, [1])
            cursor.fetchall()


@pytest.mark.postgres
@pytest.mark.django_db
def test_what_is_asked_again_and_again_is_prepared() -> None:
    _ask(6)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        assert ASKED.replace("%s", "$1") in {row[0] for row in cursor.fetchall()}


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_fault_in_it_is_a_database_fault_as_anywhere() -> None:
    with pytest.raises(DataError), prepared_cursor() as cursor:
        cursor.execute("SELECT %s::text", ["a\0b"])


@pytest.mark.django_db
def test_its_questions_are_counted_like_all_others(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(3):  # type: ignore[operator]
        _ask(3)
