"""The settings page is what the code says, and a wrong variable is explained without its value."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.environment import BASE_DIR, Environment, read_environment
from omni.management.commands.settings_table import table


def test_the_settings_page_is_written_from_the_code() -> None:
    committed = Path(BASE_DIR / "docs/reference/settings.md").read_text()
    assert committed == table(), "run: make settings-table"


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Environment.model_fields.values())


def test_every_default_runs() -> None:
    assert read_environment({}) == Environment()


def test_a_wrong_value_is_named_and_never_shown() -> None:
    with pytest.raises(SystemExit) as refused:
        read_environment({"OMNI_ENV": "hunter2", "OMNI_PORT": "hunter2"})
    assert "OMNI_ENV" in str(refused.value) and "OMNI_PORT" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "name"), [("mysql://a:hunter2@h/d", "OMNI_DATABASE_URL"), ("postgresql://a:hunter2@h:port/d", "OMNI_DATABASE_URL")]
)
def test_a_database_url_of_another_kind_is_explained_without_its_password(url: str, name: str) -> None:
    from omni.settings import database

    with pytest.raises(SystemExit) as refused:
        database(url)
    assert name in str(refused.value) and "hunter2" not in str(refused.value)


def test_parameters_of_a_database_url_reach_the_server_as_they_are() -> None:
    from omni.settings import database

    made = database("postgresql://a:b%40c@/d?host=/run/postgresql&port=5433&sslmode=verify-full")
    assert (made["HOST"], made["PORT"], made["PASSWORD"]) == ("/run/postgresql", "5433", "b@c")
    assert made["OPTIONS"]["sslmode"] == "verify-full" and made["OPTIONS"]["isolation_level"] == 2  # type: ignore[index]
