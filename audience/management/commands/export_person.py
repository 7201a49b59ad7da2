"""Everything that is kept of one person, as a file for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import CommandParser
from django.utils import timezone

from audience.telling import everything_of
from governance.door import DoorCommand, Finding, Invalid, Report, shorten


class Command(DoorCommand):
    needs_person = True
    help = "Write everything that is kept of one person as JSON, for whoever answers their request to know. It is audited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("external_id", help="any external id of the person")
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="a new file; nobody else may read it")

    def act(self, external_id: str, to: Path, **_: Any) -> Report:
        """Write the file, readable for its owner alone; an existing one is not touched."""
        told = everything_of(self.actor, external_id, now=timezone.now())
        try:
            with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        except OSError as fault:
            raise Invalid([Finding("error", "/to", shorten(fault.strerror or "unwritable"), "a file that can be made anew")]) from None
        return Report((f"{to}: {len(told['events']):,} events, {len(told.get('messages', ())):,} messages",))
