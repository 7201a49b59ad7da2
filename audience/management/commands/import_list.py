"""Put people on an uploaded list, or take them off."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

from django.core.management.base import CommandParser
from django.utils import timezone

from audience.id_lists import MODES, By, Mode, change_list, lines_of
from governance.door import DoorCommand, Finding, Invalid, Report, shorten


class Command(DoorCommand):
    help = "Put the people whom a file names on a list that rules can ask for; one id or address per line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="of the list; it is made where there is none")
        parser.add_argument("file", type=Path, help="text in UTF-8, one per line; - for standard input")
        parser.add_argument("--by", choices=("external_id", "email", "phone"), default="external_id", help="what a line holds")
        parser.add_argument("--mode", choices=MODES, default="replace", help="default: %(default)s")
        parser.add_argument("--title", default="", help="what it is called")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, key: str, file: Path, by: str, mode: str, title: str, **_: Any) -> Report:
        """Change the list whole; lines that name nobody are told by their number."""
        try:
            raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        except OSError as fault:
            raise Invalid([Finding("error", "/file", shorten(fault.strerror or "unreadable"), "a file that can be read")]) from None
        found = change_list(self.actor, key, lines_of(raw), by=cast(By, by), mode=cast(Mode, mode), title=title, now=timezone.now())
        told = [f"line {line}: {what}" for line, what in found.told]
        counts = {name: getattr(found, name) for name in ("lines", "people", "added", "removed", "unknown", "faulty")}
        head = f"{key}: {found.people:,} people; {found.added:,} came, {found.removed:,} went"
        rest = f"{found.unknown:,} lines name nobody we know, {found.faulty:,} can't be read"
        return Report((head, *([rest] if told else []), *told), counts, status=2 if told else 0)
