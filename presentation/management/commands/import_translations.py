"""Takes a translators' file into a template."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from governance.door import DoorCommand, Finding, Invalid, Report, shorten
from presentation.translation.exchange import MAX_BYTES
from presentation.translation.importing import look, take_in


class Command(DoorCommand):
    help = "Take a translated file (XLIFF 2.0 or PO) into a template as a new draft; nothing of a file with faults is taken."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="of the template")
        parser.add_argument("file", type=Path, help="as export_translations wrote it, translated; - for standard input")
        parser.add_argument("--locale", default="", help="refuse a file for another language than this")
        parser.add_argument("--note", default="", help="of the revision")
        parser.add_argument("--dry-run", action="store_true", help="say what it would do; save nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, key: str, file: Path, locale: str, note: str, dry_run: bool, **_: Any) -> Report:
        """Save what is new; texts whose source changed meanwhile become stale, texts that were translated meanwhile stay."""
        try:
            raw = sys.stdin.buffer.read(MAX_BYTES + 1) if str(file) == "-" else _bytes(file)
        except OSError as fault:
            raise Invalid([Finding("error", "/file", shorten(fault.strerror or "unreadable"), "a file that can be read")]) from None
        if dry_run:
            outcome = look(self.workspace.pk, key, raw, tag=locale)
        else:
            outcome = take_in(self.actor, key, raw, tag=locale, note=note, now=timezone.now())
        saved = outcome.revision
        would = "nothing is saved" if dry_run else f"saved as revision {saved.number}" if saved else "nothing new"
        parts = ("tag", "made_from", "changed", "confirmed", "stale", "conflicts", "gone")
        data = {**{name: getattr(outcome, name) for name in parts}, "revision": saved.number if saved else None}
        return Report((f"{key}, {outcome.tag}: {would}", *outcome.words), data)


def _bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)
