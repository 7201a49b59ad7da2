"""One campaign from a segment to delivered messages, approved by a second person; then the console to look around in."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from delivery import door as delivery
from governance import door as governance
from omni import demo, embedded
from workflow import pipeline, worker

ARRIVED = {"sent", "delivered"}  # words of a run's counts that mean: it is in the outbox
WORDS = {
    "holdout": "left alone, to measure the effect",
    "no_consent": "skipped: no consent to this topic",
    "suppressed": "skipped: their address bounced before",
    "duplicate": "skipped: the same address twice",
    "unreachable": "skipped: no address",
    "capped": "skipped: had enough messages lately",
    "not_matching": "skipped: no longer in the segment",
}


class Command(BaseCommand):
    help = "Load sample people and documents, send the sample campaign to the local outbox through a second person's approval, then serve."

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_the_real_world()
        out = Console(highlight=False, soft_wrap=True)
        listener = embedded.reserve(settings.OMNI.host, settings.OMNI.port)
        address = embedded.address_of(listener)
        embedded.adopt(address)
        logging.getLogger().setLevel(logging.WARNING)  # the steps speak for themselves
        try:
            self._walk(out)
        except governance.DoorError as error:
            raise CommandError("\n".join([error.reason, *map(str, error.findings)])) from None
        _print_logins(out, address, serving=settings.OMNI.demo_serve)
        if not settings.OMNI.demo_serve:
            listener.close()
            return
        logging.getLogger().setLevel(logging.INFO)
        raise SystemExit(embedded.serve(listener))

    def _walk(self, out: Console) -> None:
        call_command("migrate", verbosity=0)
        now, workspace = timezone.now(), governance.default_workspace()
        out.print("[bold]Wayfare[/bold], a travel company that does not exist, wants to tell its guests about a spring sale.\n")
        actors = demo.make_logins(workspace, now=now)
        before = demo.launched(workspace.pk)
        if before is None:
            demo.save_documents()
            demo.release_catalogue(actors, now=now)
        with _bar(out) as bar:
            task = bar.add_task(f"{demo.PEOPLE:,} people", total=demo.PEOPLE)
            loaded = demo.load_people(workspace, now=now, each=lambda done: bar.update(task, completed=done))
            bar.update(task, completed=demo.PEOPLE)
        people = f"{loaded.created:,} people, {loaded.events:,} events" if loaded else f"{demo.PEOPLE:,} people are here already"
        bills = demo.approve_documents(actors, now=now) if before is None else 0
        attributes = len(governance.documents(workspace.pk, "attribute"))
        out.print(f"  people     {people}, {attributes} attributes in the catalogue")
        done = (
            f"{bills} bills of materials approved and released by approver"
            if bills
            else "in force already; what was edited since stays as it is"
        )
        out.print(f"  documents  saved by author, {done}")
        run = before or demo.launch(actors, now=now)
        if before is None:
            changed = demo.change_minds(run, now=now)
            out.print(f"  meanwhile  launched by approver; {changed} people unsubscribe before it reaches them")
        seconds = _send(out, run)
        _print_summary(out, run, seconds if before is None else None)


def _refuse_the_real_world() -> None:
    if settings.OMNI.env == "production":
        raise CommandError("The demonstration makes people with known passwords: it does not run with OMNI_ENV=production.")
    if settings.OMNI.vendor != "outbox":
        raise CommandError("The demonstration writes to the local outbox only: it does not run with OMNI_VENDOR=routes.")


def _send(out: Console, run: pipeline.Run) -> float:
    """Send what is due and show how far it is. Returns the seconds it took."""
    began = time.monotonic()
    with _bar(out) as bar:
        view = delivery.facts(run.workspace_id, run.dispatch_id)
        task = bar.add_task(f"sending {run.campaign_key}", total=view.planned)
        worker.see_through(run.workspace_id, run.dispatch_id, each=_every(0.2, lambda: bar.update(task, completed=_settled(run))))
        bar.update(task, completed=_settled(run))
    return time.monotonic() - began


def _settled(run: pipeline.Run) -> int:
    return delivery.facts(run.workspace_id, run.dispatch_id).settled


def _every(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    """`act`, at most once in so many seconds: looking must not cost more than working."""
    last = [0.0]

    def maybe() -> None:
        if time.monotonic() - last[0] >= seconds:
            act()
            last[0] = time.monotonic()

    return maybe


def _print_summary(out: Console, run: pipeline.Run, seconds: float | None) -> None:
    view = delivery.facts(run.workspace_id, run.dispatch_id)
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row("considered", f"{run.considered:,}", "people in the segment")
    sent = sum(count for state, count in view.states.items() if state in ARRIVED)
    table.add_row("[bold]sent[/bold]", f"[bold]{sent:,}[/bold]", "messages in the outbox")
    others = {word: count for word, count in view.counts.items() if word not in ARRIVED}
    for word, count in sorted(others.items(), key=lambda item: -item[1]):
        table.add_row("", f"{count:,}", WORDS.get(word, word.replace("_", " ")))
    if seconds is not None:
        rate = f"{sent / seconds:,.0f} messages/s" if seconds else ""
        table.add_row("took", f"{seconds:.1f} s", rate)
    else:
        table.add_row("sent before", f"{run.started_at:%Y-%m-%d %H:%M} UTC", "nothing was sent twice")
    out.print(f"\n[bold]{run.campaign_key}[/bold]")
    out.print(table)


def _print_logins(out: Console, address: str, *, serving: bool) -> None:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("sign in as", "password", "may"):
        table.add_column(title)
    for login in demo.LOGINS:
        table.add_row(login.name, login.password, login.may)
    out.print()
    out.print(table)
    out.print(f"\n[bold]{address}/console/[/bold]" + ("  (Ctrl-C stops)" if serving else "  (not serving: OMNI_DEMO_SERVE=0)"))


def _bar(out: Console) -> Progress:
    return Progress(
        TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=out, transient=False
    )
