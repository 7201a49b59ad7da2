"""What a translation file says, whatever its notation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from presentation.translation.messages import Message

MAX_BYTES = 16 * 1024 * 1024  # of one file
MAX_MESSAGES = 50_000
State = Literal["", "draft", "reviewed", "unsure"]
"""What a file says of a target: nothing, that it is done, that somebody has read it, that it needs another look."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one file holds. key, number: the template and the revision that it was taken from; source, tag: languages."""

    key: str
    number: int
    source: str
    tag: str
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that came back; source: as the file gives it. where: in words, for findings."""

    source: str
    target: str
    state: State = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a file says, by message id."""

    key: str
    number: int
    source: str
    tag: str
    messages: Mapping[str, Heard] = field(default_factory=dict)
