"""Write the history as Parquet: what is new or changed since the last time."""

from __future__ import annotations

import resource
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from delivery.history.extra import with_parquet
from governance.door import DoorCommand, Finding, Invalid, Report, audit


class Command(DoorCommand):
    help = "Export runs, messages, vendor requests, events and left-outs as Parquet; repeated, only what is new or changed since."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder; it remembers what it holds")
        parser.add_argument(
            "--since", default="", metavar="DATE", help="only runs planned, and events that arrived, on or after this day (UTC)"
        )
        parser.add_argument("--with-people", action="store_true", help="also who is who: external ids by number, never an address")
        parser.add_argument("--recheck", action="store_true", help="read every run again, also those that nothing can have changed")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, to: Path, since: str, with_people: bool, recheck: bool, **_: Any) -> Report:
        """Export; the outcome is audited as counts."""
        began, now, moment = time.monotonic(), timezone.now(), _since(since)
        done = with_parquet("exporting").export(
            self.workspace.pk, self.workspace.key, to, since=moment, with_people=with_people, recheck=recheck, now=now, each=lambda: None
        )
        seconds, peak = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        data = {"rows": done.rows, "runs_read": done.runs, "files": done.files, "events_upto": done.events_upto}
        audit(self.actor, "history.exported", subject=f"folder:{to.name[:80]}", data={**data, "with_people": with_people}, now=now)
        rows = ", ".join(f"{many:,} {name.replace('_', ' ')}" for name, many in sorted(done.rows.items())) or "nothing new"
        line = f"{rows}; {done.files:,} files written, {done.runs:,} runs read, {seconds:.1f} s, at most {peak:,} MB"
        return Report((line,), {**data, "seconds": round(seconds, 2), "peak_mb": peak})


def _since(text: str) -> datetime | None:
    """The beginning of that day. Raises Invalid."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid([Finding("error", "/since", text[:40], "a day such as 2026-01-31")]) from None
