"""Launch what is due by its schedule, once; safe to run from cron on several machines."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from governance.door import DoorCommand, Report
from workflow import pipeline, worker
from workflow.models import Run


class Command(DoorCommand):
    """`tick`: each planned instant launches once, whoever ticks and however often."""

    help = "Launch every released campaign whose planned time has come, each instant once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--send", action="store_true", help="also send, in this process, until nothing is due")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def act(self, **options: Any) -> Report:
        launched: list[Run] = []
        pipeline.tick(now=timezone.now(), launched=launched.append)
        if options["send"]:
            worker.drain(keeps_time=True)
        data = [{"run": run.pk, "campaign": run.campaign_key, "planned_at": run.planned_at} for run in launched]
        return Report(tuple(f"{run.campaign_key}: run {run.pk}" for run in launched) or ("nothing was due",), data)
