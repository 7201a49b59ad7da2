from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from governance.command import DoorCommand, Report
from governance.releases import recall


class Command(DoorCommand):
    help = "Forbid a revision for good: nothing that pins it may send any more."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help="kind of document, e.g. template")
        parser.add_argument("key", help="its key, e.g. welcome")
        parser.add_argument("number", type=int, help="number of the revision")
        parser.add_argument("--reason", required=True, help="why; it stays in the history")

    def act(self, kind: str, key: str, number: int, *, reason: str, **_: Any) -> Report:
        recall(self.actor, kind, key, number=number, reason=reason, now=timezone.now())
        return Report((f"{kind} {key} revision {number} is recalled",))
