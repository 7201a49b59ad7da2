"""Writes the adapters' facts into the reference page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from delivery.adapters.facts import with_facts

PAGE = Path(settings.BASE_DIR) / "docs" / "reference" / "vendors.md"


class Command(BaseCommand):
    help = "Write the adapters' facts into docs/reference/vendors.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the page is not up to date")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        """Rewrite the marked sections."""
        page = PAGE.read_text(encoding="utf-8")
        written = with_facts(page)
        if check:
            raise SystemExit(int(page != written))
        PAGE.write_text(written, encoding="utf-8")
        self.stdout.write(f"{PAGE.relative_to(settings.BASE_DIR)}: {'unchanged' if page == written else 'written'}")
