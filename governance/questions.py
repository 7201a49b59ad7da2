"""What no question may hold, at any door."""

from __future__ import annotations

from django.http import QueryDict

from governance.findings import Finding, Invalid, pointer


def refuse_nul(*given: QueryDict) -> None:
    """Name the one character that PostgreSQL can't even be asked about. Raises Invalid."""
    for fields in given:
        for name, values in fields.lists():
            if "\0" in name or any("\0" in value for value in values if isinstance(value, str)):
                raise Invalid([Finding("error", pointer([name.replace("\0", "")]), "the character U+0000", "text without it")])
