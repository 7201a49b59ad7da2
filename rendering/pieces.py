"""What a compiled text is made of before it is bytes and holes: constants, values, counted links, and parts that may be there or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rendering.escapes import Context
from rendering.program import Hole, Program

_ESCAPING = {"attribute": "html"}  # contexts that escape alike share a slot


class Value(NamedTuple):
    """Where an expression's value goes, and what fixes its escaping."""

    expression: str
    context: Context


class Counted(NamedTuple):
    """The end of a counted link's address: its number."""

    number: int


class Edge(NamedTuple):
    """Where the text of a branch begins or ends."""

    branch: int
    opens: bool


@dataclass(frozen=True, slots=True)
class Nested:
    """The text of a branch: there on a condition, or once for each item."""

    branch: int
    inside: Flow


Piece = str | Value | Counted | Edge
Flow = tuple["str | Value | Counted | Nested", ...]


def flow(pieces: Iterable[Piece]) -> Flow:
    """Pieces with what lies between the edges of a branch put into it."""
    found, end = _until(iter(pieces), None)
    assert end is None
    return found


def _until(pieces: Iterator[Piece], branch: int | None) -> tuple[Flow, int | None]:
    found: list[str | Value | Counted | Nested] = []
    for piece in pieces:
        if not isinstance(piece, Edge):
            found.append(piece)
        elif piece.opens:
            inside, end = _until(pieces, piece.branch)
            assert end == piece.branch, "branches lie within each other or apart"
            found.append(Nested(piece.branch, inside))
        else:
            return tuple(found), piece.branch
    return tuple(found), None


def program(pieces: Iterable[Piece], slots: dict[tuple[str, str], int]) -> Program:
    """Constants joined, holes numbered by slot; new slots are added to `slots`. There are no edges left in the pieces."""
    constants, holes = [""], []
    for piece in pieces:
        if isinstance(piece, str):
            constants[-1] += piece
        elif isinstance(piece, Counted):
            constants[-1] += str(piece.number)
        else:
            assert isinstance(piece, Value)
            slot = slots.setdefault((piece.expression, _ESCAPING.get(piece.context, piece.context)), len(slots))
            holes.append(Hole(piece.expression, piece.context, slot))
            constants.append("")
    return Program(tuple(constant.encode() for constant in constants), tuple(holes))
