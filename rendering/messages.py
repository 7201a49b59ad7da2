"""What filling gives: a message per recipient, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rendering.holes import OWN_PAGES
from rendering.program import Compiled, CompiledMessage, Program

NO_SUBJECT = "a subject that is empty for this recipient"
MAX_MESSAGE = 256 * 1024  # bytes of all parts of one message
MAX_PUSH = 4 * 1024  # of a push message, by its platforms
DATA = "data."  # before the name of a text for the app


def largest(channel: str) -> int:
    """How many bytes all parts of one message may have together."""
    return MAX_PUSH if channel == "push" else MAX_MESSAGE


def too_big(channel: str) -> str:
    """Words for a message that has more."""
    return f"a message of more than {largest(channel) // 1024} KiB"


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
    def options(self) -> dict[str, Any]:
        """What a push message has beside its title (`subject`) and body (`text`): link, image, collapse_key, and data by name."""
        return by_name({name: self._part(part) for name, part in self.message.options})

    @property
    def headers(self) -> dict[str, str]:
        """Mail headers of this message: one-click unsubscribing (RFC 8058) where leaving is offered."""
        if self._compiled.message_class == "transactional" or self.message.html is None:
            return {}
        address = own_page(self._compiled, "unsubscribe_url", self.token)
        return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def by_name(written: Mapping[str, bytes]) -> dict[str, Any]:
    """Options as adapters read them: the texts for the app together, what is empty left out."""
    said = {name: text.decode() for name, text in written.items() if text}
    data = {name.removeprefix(DATA): said.pop(name) for name in list(said) if name.startswith(DATA)}
    return said | ({"data": data} if data else {})


def own_page(compiled: Compiled, name: str, token: str) -> str:
    """Where this message's reader can unsubscribe ("unsubscribe_url"), choose ("preferences_url"), or confirm ("confirm_url")."""
    return f"{compiled.base_url}/{OWN_PAGES[name][0]}/{token}"


def message_bytes(message: CompiledMessage, values: Sequence[str]) -> int:
    """The size of all parts of a filled message."""
    return sum(_size(part, values) for part in message.parts)


def _size(part: Program, values: Sequence[str]) -> int:
    return part.constant_bytes + sum(len(values[hole.slot].encode()) for hole in part.holes)
