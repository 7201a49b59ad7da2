"""The consumer of streams: people and events from a broker into the database, until told to stop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from audience import door as audience
from governance.door import DoorCommand, Refused, Report
from workflow import bells
from workflow.told import calling_when_told


class Command(DoorCommand):
    """As many as you like: each takes events, and one of them people."""

    for_anybody = True
    help = "Take people and events from streams (OMNI_STREAM_URL) until stopped; SIGTERM finishes the batch in hand."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=("profiles", "events"), help="one of the two streams (default: both)")
        parser.add_argument("--drain", action="store_true", help="stop when nothing waits")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, *, only: Any, drain: bool, **_: Any) -> Report:
        """Consume; how many entries became what."""
        try:
            consumer = audience.consuming(self.workspace, (only,) if only else ("profiles", "events"), heard=_ring)
            with calling_when_told(consumer.stop):
                consumer.drain() if drain else consumer.run()
        except audience.SourceAway as away:
            raise Refused(f"the broker that OMNI_STREAM_URL names can't be asked: {away}") from away
        found = consumer.counts
        counts = {name: getattr(found, name) for name in ("recorded", "repeated", "dead_letters")}
        line = f"{found.recorded:,} recorded, {found.repeated:,} known before, {found.dead_letters:,} dead letters"
        return Report((line,), counts)


def _ring() -> None:
    with transaction.atomic():
        bells.ring(lane="transactional")
