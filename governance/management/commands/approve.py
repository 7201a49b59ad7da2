from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from governance.approvals import decide, items_of
from governance.command import DoorCommand, Report
from governance.findings import Missing
from governance.reading import document


class Command(DoorCommand):
    help = "Approve what is submitted of a document, by the same rules as everywhere: never one's own work."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help="kind of document, e.g. campaign")
        parser.add_argument("key", help="its key, e.g. spring-sale")
        parser.add_argument("--comment", default="", help="why; it stays in the history")
        parser.add_argument("--bill", default="", help="approve only if the bill of materials still has this hash")
        parser.add_argument("--reject", action="store_true", help="reject instead; needs a comment")

    def act(self, kind: str, key: str, *, comment: str, bill: str, reject: bool, **_: Any) -> Report:
        waiting = document(self.workspace.pk, kind, key).open_submission
        if waiting is None:
            raise Missing(f"nothing of {kind} {key} is waiting for approval")
        verdict, shown = ("reject" if reject else "approve"), bill or waiting.bill_hash
        decided = decide(self.actor, waiting.pk, bill_hash=shown, verdict=verdict, comment=comment, now=timezone.now())  # type: ignore[arg-type]
        lines = [f"{item.kind} {item.key} revision {item.number}" for item in items_of(decided) if item.changed]
        return Report((f"{kind} {key} is {decided.state}", *lines))
