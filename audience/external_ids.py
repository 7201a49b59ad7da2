"""External ids: by which the systems around us know a person."""

from __future__ import annotations

import unicodedata

from governance.door import Finding, shorten

PREFIX = "erased-"  # external ids of the forgotten; nobody else may have such a one
MAX_EXTERNAL_ID = 200


def external_id_of(value: str) -> str:
    """An external id in the form that is kept: NFC, without spaces around it."""
    return unicodedata.normalize("NFC", value.strip())


def external_id_fault(value: object) -> Finding | None:
    """What is wrong with an external id, if anything is. Its words don't repeat it: it may be an address."""
    where, found = "/external_id", shorten("" if value is None else type(value).__name__)
    if isinstance(value, str):
        text = external_id_of(value)
        if text.startswith(PREFIX):
            return Finding("error", where, f"an id that starts with {PREFIX}", "another id: these belong to people who were forgotten")
        if 0 < len(text) <= MAX_EXTERNAL_ID and text.isprintable():
            return None
        found = f"{len(text):,} characters" if text else "empty text"
        if text and not text.isprintable():
            found = "a control character"
    return Finding("error", where, found, f"1 to {MAX_EXTERNAL_ID} printable characters")
