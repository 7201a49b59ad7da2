"""Writes realistic people, the same for the same seed and day."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from governance.door import DoorCommand, Finding, Invalid, Report
from omni import sample_people

MOST = 10_000_000


class Command(DoorCommand):
    help = "Write realistic sample people with events and consents: the same people for the same seed and day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=5_000, help="how many people (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=7, help="which people (default: %(default)s)")
        parser.add_argument("--as-of", default="", help="the day that dates and events lead up to, e.g. 2026-03-02 (default: today)")

    def act(self, *, count: int, seed: int, as_of: str, **_: Any) -> Report:
        if not 1 <= count <= MOST:
            raise Invalid([Finding("error", "--count", str(count), f"a number from 1 to {MOST:,}")])
        began, now = time.monotonic(), timezone.now()
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("people", total=count)
            loaded = sample_people.load(
                self.workspace.pk,
                count,
                seed=seed,
                as_of=_day(as_of, now),
                now=now,
                each=lambda done: progress.update(task, completed=done),
            )
        seconds = time.monotonic() - began
        lines = (
            f"{count:,} people: {loaded.created:,} new, {loaded.updated:,} changed, {loaded.unchanged:,} as they were",
            f"{loaded.events:,} new events, {loaded.suppressed:,} suppressed addresses, {seconds:.1f} s",
        )
        return Report(lines)


def _day(text: str, now: datetime) -> datetime:
    try:
        day = date.fromisoformat(text) if text else now.date()
    except ValueError:
        raise Invalid([Finding("error", "--as-of", text[:40], "a day such as 2026-03-02")]) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
