"""What filling gives: a message per recipient, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rendering.holes import OWN_PAGES
from rendering.program import Compiled, CompiledMessage, Program

NO_SUBJECT = "a subject that is empty for this recipient"
TOO_BIG = "a message of more than 256 KiB"


@dataclass(frozen=True, slots=True)
class Failed:
    """This recipient can't be written to. reason: a skip reason; detail: words without personal data."""

    n: int
    detail: str
    reason: str = "invalid"


@dataclass(slots=True)
class Filled:
    """One recipient's message: the compiled message and this recipient's escaped values, in the order of its slots.

    Parts are joined when asked for: a vendor that substitutes on its side needs the values only."""

    n: int
    locale: str
    message: CompiledMessage
    values: tuple[str, ...]
    token: str
    _compiled: Compiled = field(repr=False)
    _encoded: list[bytes] | None = field(default=None, repr=False, compare=False)

    def _part(self, part: Program) -> bytes:
        if self._encoded is None:
            self._encoded = list(map(str.encode, self.values))
        return part.join(self._encoded)

    @property
    def subject(self) -> str:
        """The subject, one line; "" for channels without one."""
        return self._part(self.message.subject).decode()

    @property
    def preheader(self) -> str:
        """What inboxes show beside the subject."""
        return self._part(self.message.preheader).decode()

    @property
    def html(self) -> bytes | None:
        """The HTML part in UTF-8; None for channels without one."""
        return self._part(self.message.html) if self.message.html is not None else None

    @property
    def text(self) -> bytes:
        """The text part, or the whole message of a text channel, in UTF-8."""
        return self._part(self.message.text)

    @property
    def headers(self) -> dict[str, str]:
        """Mail headers of this message: one-click unsubscribing (RFC 8058) where leaving is offered."""
        if self._compiled.message_class == "transactional" or self.message.html is None:
            return {}
        address = own_page(self._compiled, "unsubscribe_url", self.token)
        return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def own_page(compiled: Compiled, name: str, token: str) -> str:
    """Where this message's reader can unsubscribe ("unsubscribe_url"), or choose ("preferences_url")."""
    return f"{compiled.base_url}/{OWN_PAGES[name]}/{token}"


def message_bytes(message: CompiledMessage, values: Sequence[str]) -> int:
    """The size of all parts of a filled message."""
    return sum(_size(part, values) for part in message.parts)


def _size(part: Program, values: Sequence[str]) -> int:
    return part.constant_bytes + sum(len(values[hole.slot].encode()) for hole in part.holes)
