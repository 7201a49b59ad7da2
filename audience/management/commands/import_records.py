"""Records from a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audience.ingest.rejects import Rejects
from audience.record_import import import_records
from governance.door import DoorCommand, Finding, Invalid, Report

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class Command(DoorCommand):
    help = (
        "Create or change the records of a type (bookings, companies, …) from CSV or NDJSON, plain, gzip or zstd; the same again changes "
        "nothing. Columns: external_id, the type's fields, and people (u-1:guest|u-2:payer)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("type", help="the key of the record type")
        parser.add_argument("place", metavar="PLACE", help="a file, a folder, or a URL such as s3://bucket/bookings/")
        parser.add_argument("--delimiter", choices=sorted(DELIMITERS), help="what separates the cells of a CSV file (default: comma)")
        parser.add_argument("--clear-empty", action="store_true", help="an empty cell removes what was there (default: leaves it)")
        parser.add_argument(
            "--people", choices=["replace", "merge"], default="replace",
            help="whether people that a row names replace whom the record had, or come to them (default: %(default)s)",
        )  # fmt: skip
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="where to write the rows that were not taken: line, field, reason")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def act(self, type: str, place: str, rejects: Path | None, **options: Any) -> Report:
        """Take every row that can be taken; the others are told by their line."""
        if rejects is not None and rejects.resolve() == Path(place).resolve():
            raise Invalid([Finding("error", "/rejects", "the file itself", "another file")])
        with closing(Rejects(rejects)) as noted:
            done = import_records(
                self.workspace.pk,
                type,
                place,
                now=timezone.now(),
                rejects=noted,
                delimiter=DELIMITERS.get(options["delimiter"] or ""),
                clear_empty=options["clear_empty"],
                merge=options["people"] == "merge",
            )
        counts = {name: getattr(done, name) for name in ("created", "updated", "unchanged", "related", "unrelated")}
        counts["rejected"] = noted.count
        head = f"{done.taken + noted.count:,} rows: {done.created:,} created, {done.updated:,} updated, {done.unchanged:,} unchanged, "
        head += f"{noted.count:,} rejected; {done.related:,} people came to records, {done.unrelated:,} left"
        where = [f"… all of them are in {noted.path}" if noted.path else "… --rejects FILE lists all of them"] if noted.count else []
        return Report(lines=(head, *noted.shown, *where), data=counts, status=2 if noted.count else 0)
