"""Prints the reference page of all settings: docs/reference/settings.md is this command's output."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from django.core.management.base import BaseCommand
from pydantic.fields import FieldInfo

from omni.environment import BASE_DIR, Environment

HEAD = """# Settings

Every setting is an environment variable with a default that runs. This page is written by `manage.py settings_table`.
`manage.py check` explains a setting that is wrong, `manage.py check --deploy` what production would need; neither shows values.

| variable | values | default | what it is for |
|---|---|---|---|
"""
FOOT = """
Secrets that documents name (a route's `api_key: SENDGRID_API_KEY`) are looked up in `OMNI_SECRET_<NAME>` first
(`OMNI_SECRET_SENDGRID_API_KEY`), then in the encrypted table that admins fill. `WEB_CONCURRENCY` above 1 and Celery need PostgreSQL.

The tests read `OMNI_TEST_DATABASE_URL`, `OMNI_TEST_VALKEY_URL`, `OMNI_TEST_ELASTICSEARCH_URL` and `OMNI_TEST_CHROMIUM` where
servers or a browser already run, `OMNI_TEST_ON=postgres` to run on PostgreSQL, and `OMNI_TEST_CACHE` and `OMNI_TEST_MAVEN_REPOSITORY` for
what they fetch. `OMNI_PYTHON` names the Python that `make` uses.
"""
WORDS: dict[object, str] = {str: "text", float: "number", int: "whole number", bool: "`1`, `0`", Path: "folder"}


class Command(BaseCommand):
    help = "Print the reference page of all settings (docs/reference/settings.md)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(table(), ending="")


def table() -> str:
    """The page, from the typed environment."""
    rows = [_row(name, field) for name, field in Environment.model_fields.items()]
    return HEAD + "".join(rows) + FOOT


def _row(name: str, field: FieldInfo) -> str:
    return f"| `OMNI_{name.upper()}` | {_values(field)} | {_default(field)} | {field.description} |\n"


def _values(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    bounds = [f"{word} {value:g}" for limit in field.metadata for word, value in _bounds(limit)]
    return " ".join([WORDS[field.annotation or str], *bounds])


def _bounds(limit: object) -> list[tuple[str, float]]:
    return [(word, getattr(limit, name)) for name, word in {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}.items() if hasattr(limit, name)]


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, Path):
        return f"`{value.relative_to(BASE_DIR)}/`"
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`" if value != "" else "empty"
