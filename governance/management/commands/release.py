from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from governance.command import DoorCommand, Report
from governance.findings import Missing
from governance.reading import document
from governance.releases import release


class Command(DoorCommand):
    help = "Put what was approved of a document in force, with everything it uses."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help="kind of document, e.g. campaign")
        parser.add_argument("key", help="its key, e.g. spring-sale")

    def act(self, kind: str, key: str, **_: Any) -> Report:
        approved = document(self.workspace.pk, kind, key).approved_submission
        if approved is None:
            raise Missing(f"nothing of {kind} {key} is approved and waiting for its release")
        releases = release(self.actor, approved.pk, now=timezone.now())
        lines = [f"released  {each.document.kind} {each.document.key} revision {each.revision.number}" for each in releases]
        return Report(tuple(lines or [f"{kind} {key} is approved anew: nothing had to move"]))
