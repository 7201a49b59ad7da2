"""Prints the list of the API's operations: docs/reference/api-operations.md is this command's output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "put", "post", "patch", "delete")
HEAD = """# Operations of the API

All are below `/api/v1`. This list is written by `manage.py api_operations` from the OpenAPI document, which also has every field: read it
at `/api/v1/docs/`, or fetch it from `/api/v1/schema/`. How to authenticate, page, repeat and read errors: [API](api.md).
"""


class Command(BaseCommand):
    help = "Print the list of the API's operations (docs/reference/api-operations.md)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(), ending="")


def page() -> str:
    """The page, from the OpenAPI document."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    groups: dict[str, list[str]] = {}
    for path, item in sorted(document["paths"].items()):
        for method in METHODS:
            if method in item:
                groups.setdefault(_subject(path), []).append(_row(method, path, item[method]))
    return HEAD + "".join(_table(subject, rows) for subject, rows in groups.items())


def _subject(path: str) -> str:
    return path.removeprefix("/api/v1/").split("/")[0].replace("-", " ")


def _table(subject: str, rows: list[str]) -> str:
    return f"\n## {subject[:1].upper()}{subject[1:]}\n\n| | parameters | |\n|---|---|---|\n{''.join(rows)}"


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    short = path.removeprefix("/api/v1").rstrip("/") or "/"
    words = " ".join(str(operation.get("description", "")).split()).replace("|", "\\|")
    return f"| `{method.upper()} {short}` | {', '.join(_parameters(operation))} | {words} |\n"


def _parameters(operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            yield f"`{parameter['name']}`"
        elif parameter["in"] == "header":
            yield f"`{parameter['name']}:`"
