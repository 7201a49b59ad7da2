"""A table of content from a file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from governance.door import DoorCommand, Report
from presentation.services.tables import kinds_in, load_table

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class Command(DoorCommand):
    help = (
        "Replace the rows of a content table by those of a file: CSV or NDJSON (plain, gzip, zstd) or Parquet. Content sources of type "
        "table and similar read it; until every row is there they see the rows from before."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="the key of the table, e.g. listings")
        parser.add_argument("file", metavar="FILE", help="a file, a folder, or a URL such as s3://bucket/listings/")
        parser.add_argument("--key", dest="key_column", default="id", metavar="COLUMN", help="what tells rows apart (default: %(default)s)")
        parser.add_argument("--delimiter", choices=sorted(DELIMITERS), help="what separates the cells of a CSV file (default: comma)")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def act(self, key: str, file: str, key_column: str, delimiter: str | None, **_: Any) -> Report:
        """Take every row that can be taken; the others are told by their line."""
        done = load_table(self.actor, key, file, key_column=key_column, now=timezone.now(), delimiter=DELIMITERS.get(delimiter or ""))
        head = f"{key}: {done.rows:,} rows in force, {done.rejected:,} rejected; {len(done.columns)} columns ({kinds_in(done.columns)})"
        told = [f"line {line}: {finding}" for line, finding in done.told]
        more = [f"… and {done.rejected - len(told):,} more"] if done.rejected > len(told) else []
        return Report(
            lines=(head, *told, *more),
            data={"rows": done.rows, "rejected": done.rejected, "columns": done.columns},
            status=2 if done.rejected else 0,
        )
