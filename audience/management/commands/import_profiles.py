"""People from a file."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from audience.ingest.columns import ImportWishes
from audience.ingest.importing import Imported, Progress, import_file
from audience.ingest.rejects import Rejects
from governance.door import DoorCommand, Finding, Invalid, Report, shorten

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class Command(DoorCommand):
    help = "Create or change the people of a CSV or NDJSON file, plain or gzip. The same file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a CSV file with a header, or one JSON object a line")
        parser.add_argument("--format", choices=["csv", "ndjson"], help="default: told by the file's name")
        parser.add_argument("--delimiter", choices=sorted(DELIMITERS), help="what separates the cells of a CSV file (default: comma)")
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=TARGET", dest="mapping",
            help="what a column becomes: a field, an attribute, consent:CHANNEL:TOPIC, or - to leave it out; may be repeated",
        )  # fmt: skip
        parser.add_argument("--id-from-row", metavar="PREFIX", help="make external ids from the row's number: PREFIX1, PREFIX2, …")
        parser.add_argument("--email-template", metavar="TEMPLATE", help="make addresses from it, e.g. user{row}@example.com")
        parser.add_argument("--consent-source", metavar="WORDS", default="", help="what collected the consents: a file with some needs it")
        parser.add_argument("--clear-empty", action="store_true", help="an empty cell removes what was there (default: leaves it)")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="where to write the rows that were not taken: line, field, reason")
        parser.add_argument("--dry-run", action="store_true", help="look at every row, write none")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def act(self, **options: Any) -> Report:
        path: Path = options["file"]
        if options["rejects"] is not None and options["rejects"].resolve() == path.resolve():
            raise Invalid([Finding("error", "/rejects", "the file itself", "another file")])
        wishes = ImportWishes(
            mapping=_mapping(options["mapping"]),
            id_from_row=options["id_from_row"],
            email_template=options["email_template"],
            consent_source=options["consent_source"].strip(),
            clear_empty=options["clear_empty"],
        )
        began = monotonic()
        with closing(Rejects(options["rejects"])) as rejects, _bar(path, quiet=options["json"]) as tell:
            done = import_file(
                self.workspace.pk,
                path,
                now=timezone.now(),
                wishes=wishes,
                rejects=rejects,
                format=options["format"],
                delimiter=DELIMITERS.get(options["delimiter"] or ""),
                check_only=options["dry_run"],
                progress=tell,
            )
        return _report(done, rejects, monotonic() - began)


def _mapping(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        column, equals, target = pair.rpartition("=")
        if not equals or not column or not target.strip():
            raise Invalid([Finding("error", "/map", shorten(pair), "COLUMN=TARGET, e.g. segment=arm or visit=-")])
        found[column.strip()] = target.strip()
    return found


class _Telling:
    """A bar on a terminal, silence elsewhere."""

    def __init__(self, bar: Bar, name: str) -> None:
        self.bar, self.task, self.name = bar, bar.add_task(name, total=None), name

    def __call__(self, progress: Progress) -> None:
        self.bar.update(self.task, total=progress.size, completed=progress.read, description=f"{self.name}: {progress.rows:,} rows")

    def __enter__(self) -> _Telling:
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()


def _bar(path: Path, *, quiet: bool) -> Any:
    if quiet or not sys.stderr.isatty():
        return nullcontext(lambda progress: None)
    console = Console(stderr=True)
    return _Telling(Bar(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console), path.name)


def _report(done: Imported, rejects: Rejects, seconds: float) -> Report:
    rate = done.rows / seconds if seconds else 0.0
    counts = {name: getattr(done, name) for name in ("rows", "created", "updated", "unchanged", "rejected", "consents")}
    taken = done.rows - done.rejected
    told = (
        f"{taken:,} would be taken"
        if done.checked_only
        else f"{done.created:,} created, {done.updated:,} updated, {done.unchanged:,} unchanged"
    )
    lines = [f"{done.rows:,} rows: {told}, {done.rejected:,} rejected; {seconds:.1f} s, {rate:,.0f} rows/s"]
    if done.consents:
        lines.append(f"{done.consents:,} consents recorded")
    lines += done.notes
    lines += (
        [*rejects.shown, f"… all of them are in {rejects.path}" if rejects.path else "… --rejects FILE lists all of them"]
        if done.rejected
        else []
    )
    data = {**counts, "seconds": round(seconds, 3), "notes": done.notes, "dry_run": done.checked_only}
    return Report(lines=tuple(lines), data=data, status=2 if done.rejected else 0)
