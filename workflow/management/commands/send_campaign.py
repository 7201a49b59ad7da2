"""Launch a released campaign from the shell, or print what launching would do."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from delivery import door as delivery
from governance.door import DoorCommand, Finding, Invalid, Refused, Report
from workflow import pipeline, worker
from workflow.pipeline import Outlook, Run


class Command(DoorCommand):
    """`send_campaign KEY`: the same guardrails as the launch page; the count is asked for unless --yes."""

    help = "Launch a released campaign now, or print what launching would do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaign", help="key of a released campaign, e.g. spring-sale")
        parser.add_argument("--dry-run", action="store_true", help="count, price and check; plan and send nothing")
        parser.add_argument("--shadow", action="store_true", help="plan, render and admit everything, but call no vendor")
        parser.add_argument("--limit", type=int, metavar="N", help="at most N people, those with the lowest numbers")
        parser.add_argument("--yes", action="store_true", help="don't ask for the number of people")
        parser.add_argument("--no-wait", action="store_true", help="leave the sending to running workers")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def act(self, **options: Any) -> Report:
        key, limit = str(options["campaign"]), options["limit"]
        if limit is not None and limit < 1:
            raise Invalid([Finding("error", "--limit", str(limit), "a whole number of people, at least 1")])
        ahead = pipeline.preview(self.workspace.pk, key, now=timezone.now(), limit=limit)
        if options["dry_run"]:
            return _report(ahead)
        if ahead.errors:
            raise Refused(f"{key} can't be launched", ahead.errors)
        typed = ahead.count if options["yes"] else self._ask(ahead)
        run = pipeline.launch(self.actor, key, now=timezone.now(), typed_count=typed, shadow=options["shadow"], limit=limit)
        ended = options["no_wait"] or send_and_watch(run, quiet=options["json"])
        view = delivery.facts(run.workspace_id, run.dispatch_id)
        data = {"run": run.pk, "campaign": key, "state": view.state, "considered": run.considered, "counts": dict(view.counts)}
        for waiting, reason in delivery.held_instances():
            self.stderr.write(f"nothing is sent from installation {waiting}: {reason}; see confirm_instance")
        if not ended:
            self.stderr.write(
                f"stopped before the end: run {run.pk} is {view.state}, and workers go on with it (start one with `manage.py worker`)"
            )
        return Report(lines=tuple(f"{word}: {number:,}" for word, number in view.counts.items()), data=data)

    def _ask(self, ahead: Outlook) -> int:
        for line in _report(ahead).lines:
            self.stderr.write(line)
        if not sys.stdin.isatty():
            raise Refused("nobody is here to confirm the number of people: pass --yes if a script launches this")
        answer = input(f"Type the number of people to send to them ({ahead.count:,}): ").replace(",", "").strip()
        if not answer.isdigit():
            raise Refused("that was not a number; nothing was launched")
        return int(answer)


def send_and_watch(run: Run, *, quiet: bool = False) -> bool:
    """Send what is due, with a progress bar on standard error. False: told to stop before the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task(f"Run {run.pk}", total=delivery.facts(run.workspace_id, run.dispatch_id).planned)

        def look() -> None:
            bar.update(task, completed=delivery.facts(run.workspace_id, run.dispatch_id).settled)

        ended = worker.see_through(run.workspace_id, run.dispatch_id, each=look)
        look()
    return ended


def _report(ahead: Outlook) -> Report:
    left_out = {reason: len(people) for reason, people in ahead.left_out.items()}
    money = delivery.money(ahead.micros, ahead.currency) if ahead.currency else "free"
    lines = [
        f"{ahead.key}: {ahead.count:,} people, {ahead.sentence}",
        *(f"  left out, {reason}: {number:,}" for reason, number in left_out.items()),
        f"  first wave: about {ahead.first_wave:,}; estimate: {money}; audience by {ahead.resolution.engine}",
        *(f"  {finding.level}: {finding}" for finding in ahead.findings),
    ]
    data = {
        "campaign": ahead.key,
        "count": ahead.count,
        "left_out": left_out,
        "estimated_micros": ahead.micros,
        "currency": ahead.currency,
        "findings": [finding.as_dict() for finding in ahead.findings],
    }
    return Report(lines=tuple(lines), data=data, status=3 if ahead.errors else 0)
