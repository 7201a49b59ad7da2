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
from audience.ingest.conversions import Conversion
from audience.ingest.importing import Choice, Imported, Progress, import_people
from audience.ingest.mapping import MappingBody, mapping_of
from audience.ingest.rejects import Rejects
from governance.door import DoorCommand, Finding, Invalid, Report, plural, shorten

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class Command(DoorCommand):
    help = (
        "Create or change the people of a file or a folder: CSV or NDJSON (plain, gzip, zstd) or Parquet, here or in an object storage. "
        "The same again changes nothing; one that was broken off goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "place", metavar="PLACE", help="a file, a folder (day=2026-11-28/… names columns), or a URL such as s3://bucket/people/"
        )
        parser.add_argument(
            "--mapping",
            metavar="KEY|FILE",
            dest="document",
            help="a released import mapping, or a YAML file of that form: what columns become, and how they are read",
        )
        parser.add_argument("--format", choices=["csv", "ndjson", "parquet"], help="default: told by content and name")
        parser.add_argument("--delimiter", choices=sorted(DELIMITERS), help="what separates the cells of a CSV file (default: comma)")
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=TARGET", dest="mapping",
            help="what a column becomes: a field, an attribute, consent:CHANNEL:TOPIC, or - to leave it out; may be repeated",
        )  # fmt: skip
        parser.add_argument("--id-from-row", metavar="PREFIX", help="make external ids from the row's number: PREFIX1, PREFIX2, …")
        parser.add_argument("--email-template", metavar="TEMPLATE", help="make addresses from it, e.g. user{row}@example.com")
        parser.add_argument("--consent-source", metavar="WORDS", default="", help="what collected the consents: a file with some needs it")
        parser.add_argument("--clear-empty", action="store_true", help="an empty cell removes what was there (default: leaves it)")
        parser.add_argument(
            "--only-new", action="store_true", help="leave files that an earlier import took to their end, if they are the same"
        )
        parser.add_argument(
            "--watermark", action="append", default=[], metavar="COLUMN",
            help="take nothing older than the greatest value of this column (of folders' names) so far; or: modified; may be repeated",
        )  # fmt: skip
        parser.add_argument("--from-start", action="store_true", help="begin anew where an import was broken off")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="where to write the rows that were not taken: line, field, reason")
        parser.add_argument("--dry-run", action="store_true", help="look at every row, write none")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def act(self, **options: Any) -> Report:
        place: str = options["place"]
        _apart(options["rejects"], place, options["document"])
        document = mapping_of(self.workspace.pk, options["document"]) if options["document"] else None
        began = monotonic()
        with closing(Rejects(options["rejects"])) as rejects, _bar(place, quiet=options["json"]) as tell:
            done = import_people(
                self.workspace.pk,
                place,
                now=timezone.now(),
                wishes=_wishes(document, options),
                rejects=rejects,
                format=options["format"] or (document.format if document else None),
                delimiter=DELIMITERS.get(options["delimiter"] or (document.delimiter if document else None) or ""),
                choice=Choice(
                    options["from_start"], options["only_new"], options["watermark"] or (tuple(document.watermark) if document else ())
                ),
                check_only=options["dry_run"],
                progress=tell,
            )
        return _report(done, rejects, monotonic() - began)


def _apart(rejects: Path | None, place: str, document: str | None) -> None:
    """The rejects overwrite nothing that is read."""
    if rejects is None:
        return
    target = rejects.resolve()
    read = [Path(place.removeprefix("file://")).resolve(), *([Path(document).resolve()] if document else [])]
    if any(target == one or (one.is_dir() and one in target.parents) for one in read):
        raise Invalid([Finding("error", "/rejects", "the file itself, or one of its folder", "another file")])


def _wishes(document: MappingBody | None, options: dict[str, Any]) -> ImportWishes:
    """What the document says, and the options over it."""
    said = _mapping(options["mapping"])
    columns: dict[str, Conversion] = {name: one for name, one in document.columns.items() if name not in said} if document else {}
    return ImportWishes(
        mapping={name: one.to for name, one in columns.items()} | said,
        conversions=columns,
        id_from_row=options["id_from_row"] or (document.id_from_row if document else None),
        email_template=options["email_template"] or (document.email_template if document else None),
        consent_source=options["consent_source"].strip() or (document.consent_source.strip() if document else ""),
        clear_empty=options["clear_empty"] or bool(document and document.clear_empty),
    )


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


def _bar(place: str, *, quiet: bool) -> Any:
    if quiet or not sys.stderr.isatty():
        return nullcontext(lambda progress: None)
    console = Console(stderr=True)
    name = place.rstrip("/").rpartition("/")[2]
    return _Telling(Bar(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console), name)


def _report(done: Imported, rejects: Rejects, seconds: float) -> Report:
    rate = (done.rows - done.before) / seconds if seconds else 0.0
    counts = {name: getattr(done, name) for name in ("rows", "created", "updated", "unchanged", "rejected", "consents", "files")}
    taken = done.rows - done.rejected
    told = (
        f"{taken:,} would be taken"
        if done.checked_only
        else f"{done.created:,} created, {done.updated:,} updated, {done.unchanged:,} unchanged"
    )
    lines = [f"{plural(done.rows, 'row')}: {told}, {done.rejected:,} rejected; {seconds:.1f} s, {rate:,.0f} rows/s"]
    if done.consents:
        lines.append(f"{plural(done.consents, 'consent')} recorded")
    lines += done.notes
    lines += (
        [*rejects.shown, f"… all of them are in {rejects.path}" if rejects.path else "… --rejects FILE lists all of them"]
        if rejects.count
        else []
    )
    data = {**counts, "seconds": round(seconds, 3), "notes": done.notes, "dry_run": done.checked_only}
    return Report(lines=tuple(lines), data=data, status=2 if done.rejected else 0)
