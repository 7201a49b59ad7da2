"""For vendors that fill in values on their side: the constant text once, with tags, and values per recipient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rendering.program import CompiledMessage, Program


@dataclass(frozen=True, slots=True)
class Substituted:
    """The parts of a message with tags where values go: tags[i] stands for value i. The law: replacing each tag by its value
    gives what fill gives. No tag is part of another, and none can be guessed from a message."""

    subject: str
    html: str | None
    text: str
    tags: tuple[str, ...]

    def bytes_of(self, values: Sequence[str]) -> int:
        """What one recipient's substitutions weigh, tags and values in UTF-8 (SendGrid allows 10,000 bytes)."""
        return sum(len(tag) + len(value.encode()) for tag, value in zip(self.tags, values, strict=True))


def substitution(message: CompiledMessage) -> Substituted:
    """The message with tags; the same for every recipient and every call."""
    tags = tuple(f"-{message.seal[:12]}.{number}-" for number in range(len(message.slots)))
    html = _tagged(message.html, tags) if message.html is not None else None
    return Substituted(_tagged(message.subject, tags), html, _tagged(message.text, tags), tags)


def _tagged(part: Program, tags: Sequence[str]) -> str:
    return part.join([tag.encode() for tag in tags]).decode()
