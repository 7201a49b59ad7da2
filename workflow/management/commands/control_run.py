"""Pause, resume, stop or hurry a run from the shell, or raise its budget."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from delivery import door as delivery
from governance.door import DoorCommand, Finding, Invalid, Missing, Report
from workflow.models import Run

ACTS = {"pause": delivery.pause, "resume": delivery.resume, "stop": delivery.stop}


class Command(DoorCommand):
    """`control_run RUN ACT --as USER`: the same rights and the same audit trail as the run's page."""

    help = "Pause, resume or stop a run, open its next wave, or raise its budget."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, help="number of the run, as its page and the API name it")
        parser.add_argument("do", choices=[*ACTS, "next-wave", "budget"], metavar="ACT", help="pause, resume, stop, next-wave or budget")
        parser.add_argument("--micros", type=int, metavar="N", help="with budget: what it may spend in all, in millionths of its currency")
        parser.add_argument("--reason", default="", help="why; it stays in the audit trail")
        parser.add_argument("--json", action="store_true", help="print the run as JSON")

    def act(self, run: int, do: str, **options: Any) -> Report:
        found, now = Run.objects.filter(workspace_id=self.workspace.pk, pk=run if 0 < run < 2**63 else 0).first(), timezone.now()
        if found is None:
            raise Missing(f"no run {run}")
        if do == "next-wave":
            delivery.open_next_wave(self.actor, found.dispatch_id, now=now)
        elif do == "budget":
            if options["micros"] is None:
                raise Invalid([Finding("error", "--micros", "nothing", "what the run may spend in all, such as 50000000")])
            delivery.raise_budget(self.actor, found.dispatch_id, options["micros"], reason=options["reason"], now=now)
        else:
            ACTS[do](self.actor, found.dispatch_id, reason=options["reason"], now=now)
            if do in ("pause", "stop"):
                delivery.standstill(found.workspace_id, dispatch_id=found.dispatch_id)
        view = delivery.facts(found.workspace_id, found.dispatch_id)
        data = {"run": run, "campaign": found.campaign_key, "state": view.state, "reason": view.state_reason, "counts": dict(view.counts)}
        return Report((f"run {run} of {found.campaign_key} is {view.state}",), data)
