"""Records from a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audience.ingest.importing import Choice
from audience.ingest.rejects import Rejects
from audience.record_import import import_records
from governance.door import DoorCommand, Finding, Invalid, Report, plural

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class Command(DoorCommand):
    help = (
        "Create or change the records of a type (bookings, companies, …) from CSV or NDJSON (plain, gzip, zstd) or Parquet; the same again "
        "changes nothing, one that was broken off goes on where it was. Columns: external_id, the type's fields, and people "
        "(u-1:guest|u-2:payer)."
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
        parser.add_argument(
            "--only-new", action="store_true", help="leave files that an earlier import took to their end, if they are the same"
        )
        parser.add_argument("--from-start", action="store_true", help="begin anew where an import was broken off")
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
                choice=Choice(from_start=options["from_start"], only_new=options["only_new"]),
            )
        counts = {name: getattr(done, name) for name in ("created", "updated", "unchanged", "related", "unrelated", "rejected")}
        head = f"{plural(done.rows, 'row')}: {done.created:,} created, {done.updated:,} updated, {done.unchanged:,} unchanged, "
        head += f"{done.rejected:,} rejected; {done.related:,} people came to records, {done.unrelated:,} left"
        where = [f"… all of them are in {noted.path}" if noted.path else "… --rejects FILE lists all of them"] if noted.count else []
        return Report(lines=(head, *done.notes, *noted.shown, *where), data=counts, status=2 if done.rejected else 0)
