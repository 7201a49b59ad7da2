"""Rebuild the audience index from the database, beside the one in use."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audience.backends.base import EngineUnavailable
from audience.backends.choice import configured
from audience.index_feed import rebuild
from governance.door import DoorCommand, Refused, Report


class Command(DoorCommand):
    help = "Rebuild a workspace's audience index in Elasticsearch while the present one goes on answering."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def act(self, *, json: bool, **_: Any) -> Report:
        """Read everybody, write them to a new index, and put that in use."""
        try:
            found = configured()
            if found is None:
                raise Refused("no index is configured: set OMNI_ELASTICSEARCH_URL")
            done = rebuild(found, self.workspace.pk, now=timezone.now(), progress=self.say if not json else lambda told: None)
        except EngineUnavailable as unavailable:
            raise Refused(f"the index was not rebuilt; the one in use still answers: {unavailable}") from unavailable
        lines = (f"{done.index}: {done.people:,} people, mapping {done.version}", "It answers from now on.")
        return Report(lines, {"index": done.index, "people": done.people, "version": done.version})

    def say(self, told: int) -> None:
        """A sign of life every 100,000 people."""
        if told % 100_000 == 0:
            self.stdout.write(f"{told:,} people read")
