"""The mark of a field whose text is translated: it stands at the field itself, so that a new type of block needs no other list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Look = Literal["line", "lines", "markdown", "html"]


@dataclass(frozen=True, slots=True)
class Translatable:
    """For `Annotated[Line, Translatable()]`. look: how the text is written, which says what in it is markup; note: to translators."""

    look: Look = "line"
    note: str = ""
