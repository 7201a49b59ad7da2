"""What a template remembers of a translation: from which words it was made, and whether somebody has read it."""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field

from governance.door import DocumentModel

Status = Literal["missing", "stale", "draft", "reviewed"]
STATUSES: tuple[Status, ...] = ("missing", "stale", "draft", "reviewed")
_Print = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Translated(DocumentModel):
    """One text of a translation: fingerprints of what it was made from and of itself, so that a change of either is seen."""

    source: _Print = Field(description="Fingerprint of the text that it was translated from.")
    text: _Print = Field(description="Fingerprint of the translation; one that was edited since is a draft again.")
    state: Literal["draft", "reviewed"] = "draft"


Translations = dict[str, Translated]
"""By unit id."""


def fingerprint(text: str) -> str:
    """16 hexadecimal digits of the SHA-256 of a text."""
    return sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()[:16]


def status(source: str, text: str, record: Translated | None, *, wordless: bool = False) -> Status:
    """How far a translation is. wordless: there is nothing in the source that another language would say differently.

    A text of which nothing is remembered is a draft, unless it is still the source's own words: then nobody has translated it.
    """
    if not text.strip():
        return "missing"
    if record is not None and record.source != fingerprint(source):
        return "stale"
    if record is not None and record.text == fingerprint(text):
        return record.state
    return "missing" if text == source and not wordless else "draft"
