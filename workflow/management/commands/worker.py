"""The worker: schedules, events, sending, evidence, until told to stop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import connection

from governance.door import DoorCommand, Refused, Report
from workflow import senders, sole_worker, worker
from workflow.worker import LANES


class Command(DoorCommand):
    """`worker`: on PostgreSQL as many as you like; on SQLite one, because it has one writer."""

    help = "Send what is due until stopped (SIGTERM finishes the request in hand, within OMNI_DRAIN_SECONDS)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--processes", type=int, default=2, help="sending processes (default: %(default)s; SQLite: 1)")
        parser.add_argument("--lane", choices=LANES, help="serve one lane only")
        parser.add_argument("--drain", action="store_true", help="stop when nothing is due; in one process")

    def act(self, **options: Any) -> Report:
        lane = options["lane"]
        processes = 1 if connection.vendor == "sqlite" else int(options["processes"])
        if not 1 <= processes <= 32:
            raise Refused("--processes: 1 to 32 are expected")
        if (other := sole_worker.other()) is not None:
            raise Refused(f"process {other} sends from this SQLite file already, and it takes one: stop that one, or move to PostgreSQL")
        if options["drain"]:
            return Report((f"{worker.drain(lanes=(lane,) if lane else LANES, keeps_time=True)} pieces of work done",))
        if not senders.run(processes, lane):
            raise SystemExit(1)
        return Report(("stopped; nothing was left half-done",))
