"""Tell the audience index what changed, until nothing waits."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandParser

from audience.backends.base import EngineUnavailable
from audience.index_feed import feed_configured
from governance.door import DoorCommand, Refused, Report

PAUSE = 1.0  # seconds between looks


class Command(DoorCommand):
    help = "Tell the audience index every waiting change; the worker does this too."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--follow", action="store_true", help="go on until interrupted")

    def act(self, *, follow: bool, **_: Any) -> Report:
        """Feed until nothing waits, or for ever."""
        told = 0
        while True:
            try:
                done = feed_configured()
            except EngineUnavailable as unavailable:
                if not follow:
                    raise Refused(f"the changes wait: {unavailable}") from unavailable
                self.stderr.write(f"the changes wait: {unavailable}")
                done = 0
            told += done
            if not done and not follow:
                return Report((f"{told:,} changes told.",))
            if not done:
                time.sleep(PAUSE)
