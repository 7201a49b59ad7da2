from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from governance.approvals import submit
from governance.command import DoorCommand, Report
from governance.reading import document


class Command(DoorCommand):
    help = "Submit a document's latest revision, with everything it uses, for approval."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help="kind of document, e.g. campaign")
        parser.add_argument("key", help="its key, e.g. spring-sale")
        parser.add_argument("--note", default="", help="what the approver should know")

    def act(self, kind: str, key: str, *, note: str, **_: Any) -> Report:
        number = document(self.workspace.pk, kind, key).latest.number
        submission = submit(self.actor, kind, key, number=number, note=note, now=timezone.now())
        needed = f"{submission.approvals_needed} approval(s) needed"
        return Report((f"{kind} {key} revision {number} is submitted: {needed}", f"bill {submission.bill_hash}"))
