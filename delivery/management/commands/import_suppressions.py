"""Take over a list of addresses that must not be written to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from delivery import suppression
from delivery.suppression_files import Imported, import_file
from governance.door import DoorCommand, Report, audit


class Command(DoorCommand):
    help = "Suppress every address of a file (CSV, one per line, or NDJSON). Bad lines are listed beside it and stop nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="text in UTF-8")
        parser.add_argument("--channel", choices=("email", "sms"), default="email", help="what the addresses are (default: %(default)s)")
        parser.add_argument("--column", default="", help="the column that holds them, where the header doesn't say email or phone")
        parser.add_argument("--reason", choices=sorted(suppression.REASONS), default="imported", help="default: %(default)s")
        parser.add_argument("--region", default=None, metavar="CC", help="country of phone numbers written without +, such as DE")
        parser.add_argument("--rejects", type=Path, default=None, help="where bad lines go (default: FILE.rejects.csv)")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, file: Path, channel: str, column: str, reason: str, region: str | None, rejects: Path | None, **_: Any) -> Report:
        """Stream the file; the outcome is audited as counts."""
        sheet = rejects or file.with_name(file.name + ".rejects.csv")
        now = timezone.now()
        outcome = import_file(
            self.workspace.pk,
            file,
            channel=channel,
            reason=reason,
            column=column,
            region=region.upper() if region else None,
            rejects=sheet,
            now=now,
            progress=self._progress,
        )
        counts = {"lines": outcome.lines, "added": outcome.added, "known": outcome.known, "rejected": outcome.rejected}
        audit(self.actor, "suppression.imported", subject=f"channel:{channel}", data={**counts, "reason": reason}, now=now)
        lines = [f"{outcome.lines:,} lines: {outcome.added:,} suppressed, {outcome.known:,} were already, {outcome.rejected:,} rejected"]
        if outcome.rejected:
            lines.append(f"rejected lines: {sheet}")
        return Report(tuple(lines), counts, status=2 if outcome.rejected else 0)

    def _progress(self, outcome: Imported) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{outcome.lines:,} lines", ending="")
