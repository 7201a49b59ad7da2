"""Writes the reference page of exported tables."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from delivery.history.page import page


class Command(BaseCommand):
    help = "Print the reference page of exported tables, docs/reference/export-schema.md."

    def handle(self, *args: Any, **options: Any) -> None:
        """The page on standard output."""
        self.stdout.write(page(), ending="")
