"""Messages that are not built alike for everybody: blocks on a condition, and blocks once for each item of a list.

A recipient's *shape* says which branches are there and how often. A message of one shape is constant bytes and holes like any
other: it is put together when a shape is first met, and kept. So filling stays a matter of columns, and a vendor that fills in
values on its side gets one constant text per shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from presentation.door import bound, names_of
from rendering.pieces import Counted, Flow, Nested, Piece, Value, program
from rendering.program import CompiledMessage, Program, Shape

MOST_SHAPES = 512  # of one locale that are kept at a time


@dataclass(frozen=True, slots=True)
class Shown:
    """There where a test holds. Its expression asks only where everything that it reads is there."""

    test: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """There once for each item of a list, at most `most` times; a message with fewer than `least` isn't sent."""

    over: str
    name: str
    most: int
    least: int


Branch = Shown | Repeated


@dataclass(frozen=True, slots=True)
class Item:
    """Which item of which list the name inside a repeated block stands for."""

    name: str
    over: str
    index: int

    def in_place(self, expression: str) -> str:
        """The expression as it is outside: `listing.city` as `listings[2].city`."""
        return bound(expression, self.name, self.over, self.index)


@dataclass(frozen=True, slots=True)
class Outline:
    """All that a locale's message can be made of. flows: of its parts by name, subject, preheader, html and text;
    links: of counted targets by number, each with the repeated branch that it stands in."""

    locale: str
    seal: str
    branches: tuple[Branch, ...]
    flows: dict[str, Flow]
    links: tuple[tuple[Flow, int | None], ...]
    within: dict[int | None, tuple[int, ...]] = field(init=False)
    names: frozenset[str] = field(init=False)
    _made: dict[Shape, CompiledMessage] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        within: dict[int | None, list[int]] = {None: []}
        names: set[str] = set()
        for each in self.flows.values():
            self._look(each, None, within, names, frozenset())
        object.__setattr__(self, "within", {number: tuple(inner) for number, inner in within.items()})
        object.__setattr__(self, "names", frozenset(names))
        object.__setattr__(self, "_made", {})

    def _look(self, flow: Flow, at: int | None, within: dict[int | None, list[int]], names: set[str], items: frozenset[str]) -> None:
        """Which branches lie in which, and which variables are read."""
        for piece in flow:
            if isinstance(piece, Value):
                names |= names_of(piece.expression) - items
            elif isinstance(piece, Nested):
                if piece.branch not in within[at]:
                    within[at].append(piece.branch)
                    within.setdefault(piece.branch, [])
                branch = self.branches[piece.branch]
                names |= (names_of(branch.test) - items) if isinstance(branch, Shown) else {branch.over}
                self._look(piece.inside, piece.branch, within, names, items if isinstance(branch, Shown) else items | {branch.name})

    @property
    def whole(self) -> Shape:
        """The shape in which every condition holds and each list has one item."""
        return self._whole(None)

    def _whole(self, number: int | None) -> Shape:
        return tuple(
            self._whole(inner) if isinstance(self.branches[inner], Shown) else (self._whole(inner),) for inner in self.within[number]
        )

    def message(self, shape: Shape) -> CompiledMessage:
        """The message of one shape."""
        made = self._made.get(shape)
        if made is None:
            if len(self._made) >= MOST_SHAPES:
                self._made.clear()
            made = self._made[shape] = self._put_together(shape)
        return made

    def _put_together(self, shape: Shape) -> CompiledMessage:
        slots: dict[tuple[str, str], int] = {}
        parts = {name: program(self._flat(flow, None, shape, None), slots) for name, flow in self.flows.items()}
        return CompiledMessage(
            locale=self.locale,
            subject=parts["subject"],
            preheader=parts["preheader"],
            html=parts["html"],
            text=parts["text"],
            slots=tuple(slots),
            links=tuple(self.link(number, 0) for number in range(len(self.links))),
            seal=self.seal,
            shape=shape,
        )

    def _flat(self, flow: Flow, at: int | None, shape: Shape, item: Item | None) -> Iterator[Piece]:
        shapes: dict[int, Any] = dict(zip(self.within[at], shape, strict=True))
        for piece in flow:
            if isinstance(piece, Nested):
                branch, found = self.branches[piece.branch], shapes[piece.branch]
                if isinstance(branch, Repeated):
                    for index, inner in enumerate(found):
                        yield from self._flat(piece.inside, piece.branch, inner, Item(branch.name, branch.over, index))
                elif found is not None:
                    yield from self._flat(piece.inside, piece.branch, found, item)
            elif isinstance(piece, Value) and item is not None:
                yield Value(item.in_place(piece.expression), piece.context)
            elif isinstance(piece, Counted) and item is not None:
                yield Counted(piece.number + item.index * len(self.links))
            else:
                yield piece

    def link(self, number: int, index: int) -> Program:
        """The target of counted link `number`, for an item where it stands in a repeated block."""
        flow, repeated = self.links[number]
        branch = self.branches[repeated] if repeated is not None else None
        item = Item(branch.name, branch.over, index) if isinstance(branch, Repeated) else None
        return program(self._flat(flow, None, (None,) * len(self.within[None]), item), {})


def names_in(programs: Sequence[Program]) -> set[str]:
    """The variables that these parts read."""
    return {name for each in programs for hole in each.holes for name in names_of(hole.expression)}
