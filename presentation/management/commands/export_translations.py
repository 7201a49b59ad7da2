"""A file for translators."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from django.core.management.base import CommandParser

from governance.door import DoorCommand, Finding, Invalid, Report, document, shorten
from presentation.translation.importing import BOTH, Format, export


class Command(DoorCommand):
    help = "Write the texts of a template's draft as a file for translators to one language, with what is translated already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="of the template")
        parser.add_argument("locale", help="to translate to, e.g. pt-BR; the template needn't have it yet")
        parser.add_argument("--format", choices=BOTH, default="xliff", help="XLIFF 2.0 or gettext's PO (default: %(default)s)")
        parser.add_argument("--out", default="-", help="file to write (default: standard output)")

    def act(self, key: str, locale: str, format: str, out: str, **_: Any) -> Report:
        """Write the file; it names the revision that it was made from."""
        latest = document(self.workspace.pk, "template", key).latest
        data = export(latest.model, key, latest.number, locale, cast(Format, format))
        if out == "-":
            self.stdout.write(data.decode(), ending="")
            return Report()
        try:
            Path(out).write_bytes(data)
        except OSError as fault:
            raise Invalid([Finding("error", "/out", shorten(fault.strerror or "unwritable"), "a file that can be written")]) from None
        return Report((f"{out}: revision {latest.number} of {key}, {len(data):,} bytes",))
