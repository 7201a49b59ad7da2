"""Let go of what is older than the settings keep."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from delivery.history import retention
from governance.door import DoorCommand, Missing, Report, Role, allow, audit


class Command(DoorCommand):
    help = "Archive and drop what is older than OMNI_KEEP_MESSAGES and OMNI_KEEP_EVENTS say; workers do the same, bit by bit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hold", type=int, metavar="DISPATCH", help="keep this run whatever the settings say, and do nothing else")
        parser.add_argument("--release", type=int, metavar="DISPATCH", help="keep it no longer than others, and do nothing else")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, hold: int | None, release: int | None, **_: Any) -> Report:
        """Everything that is due, or one run's hold."""
        now, asked = timezone.now(), hold if hold is not None else release
        if asked is not None:
            allow(self.actor, Role.ADMIN, "runs:launch")
            if not retention.hold(self.workspace.pk, asked, hold is not None):
                raise Missing(f"no run {asked} whose rows are in the ledger")
            audit(self.actor, "dispatch.held" if hold is not None else "dispatch.released", subject=f"dispatch:{asked}", data={}, now=now)
            return Report((f"run {asked} is kept until somebody releases it" if hold is not None else f"run {asked} is kept like others",))
        done = retention.retire(now=now)
        audit(self.actor, "history.retired", subject="history", data={**asdict(done), "held": len(done.held)}, now=now)
        lines = [
            f"{done.runs:,} runs ({done.ranges:,} whole ranges) and {done.events:,} events left the database, "
            f"{done.keys:,} keys and {done.mails:,} mails of the outbox with them"
        ]
        if done.held:
            lines.append(f"{len(done.held):,} old runs stay: in doubt, under way or on hold")
        if done.waiting:
            lines.append(f"{done.waiting:,} ranges were busy: they go the next time")
        return Report(tuple(lines), asdict(done))
