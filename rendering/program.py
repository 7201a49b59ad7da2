"""A compiled message: constant bytes and numbered holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from presentation.door import Sender, Variable, choose_locale
from rendering.escapes import Context

if TYPE_CHECKING:
    from rendering.outline import Outline

Shape = tuple[Any, ...]
"""Which branches of a message are there: per branch None (not there), its own branches' shape, or one such per item."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a value goes. expression: what is evaluated; context: what fixes its escaping; slot: its place in the values."""

    expression: str
    context: Context
    slot: int


@dataclass(frozen=True, slots=True)
class Program:
    """One part of a message: constants[0], hole 0, constants[1], … There is one constant more than holes."""

    constants: tuple[bytes, ...]
    holes: tuple[Hole, ...]
    order: tuple[int, ...] = field(init=False, compare=False, repr=False)
    _frame: list[bytes] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        frame = [b""] * (2 * len(self.holes) + 1)
        frame[::2] = self.constants
        object.__setattr__(self, "order", tuple(hole.slot for hole in self.holes))
        object.__setattr__(self, "_frame", frame)

    def join(self, values: Sequence[bytes]) -> bytes:
        """The part with its slots' (escaped, encoded) values filled in."""
        parts = self._frame.copy()
        parts[1::2] = map(values.__getitem__, self.order)
        return b"".join(parts)

    @property
    def constant_bytes(self) -> int:
        """How many bytes are the same for everybody."""
        return sum(map(len, self.constants))


@dataclass(frozen=True, slots=True)
class CompiledMessage:
    """One locale of a template. slots: each distinct (expression, escaping) once, in the order of a message's values;
    links: the programs of the tracked targets, by number k; html is None for channels without it; options: what a push message has
    beside title (subject) and body (text), by name.

    outline: of a message whose blocks aren't the same for everybody; this is its whole shape then. shape: of which one this is."""

    locale: str
    subject: Program
    preheader: Program
    html: Program | None
    text: Program
    slots: tuple[tuple[str, str], ...]
    links: tuple[Program, ...]
    seal: str
    options: tuple[tuple[str, Program], ...] = ()
    outline: Outline | None = None
    shape: Shape = ()

    def shaped(self, shape: Shape) -> CompiledMessage:
        """The message of that shape."""
        return self.outline.message(shape) if self.outline is not None else self

    def link(self, number: int) -> Program | None:
        """Where counted link `number` leads; None where there is no such link. Those of later items are numbered on."""
        index, number = divmod(number, len(self.links) or 1)
        if self.outline is not None and self.links and index >= 0:
            return self.outline.link(number, index) if index == 0 or self.outline.links[number][1] is not None else None
        return self.links[number] if index == 0 and self.links else None

    @property
    def parts(self) -> tuple[Program, ...]:
        """The parts that travel."""
        said = (self.subject, self.preheader, self.html, self.text, *(part for _, part in self.options))
        return tuple(part for part in said if part is not None)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template ready to be filled: picklable, cacheable by the content's sha256 and the base address. record_types: of which a person's
    records must be at hand."""

    key: str
    sha256: str
    channel: str
    message_class: str
    topic: str | None
    sender: Sender
    reply_to: str | None
    base_url: str
    default_locale: str
    fallbacks: dict[str, tuple[str, ...]]
    variables: dict[str, Variable]
    locales: dict[str, CompiledMessage]
    links: dict[str, list[str]]
    needs_data: bool
    record_types: frozenset[str] = frozenset()
    _chosen: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def locale_for(self, wanted: str) -> str:
        """The locale that a person who wants `wanted` gets; remembered, for there are few wishes."""
        found = self._chosen.get(wanted)
        if found is None:
            found = choose_locale(self.locales, wanted, self.default_locale, self.fallbacks)
            if len(self._chosen) < 1000:
                self._chosen[wanted] = found
        return found

    def message_for(self, wanted: str) -> CompiledMessage:
        """The compiled message that a person who wants `wanted` gets."""
        return self.locales[self.locale_for(wanted)]
