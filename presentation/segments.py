"""Text cut into what stands as written and what is an expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MAX_EXPRESSION = 1_000  # characters between the braces
MAX_EXPRESSIONS = 200  # in one text


class Segment(NamedTuple):
    """A run of literal text, or the inside of one `{{ … }}`. line: where it starts, counted from 1."""

    text: str
    expression: bool
    line: int


class BadText(ValueError):
    """The text can't be cut. line: where, from 1; words: why."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"line {line}: {words}")
        self.line, self.words = line, words


def segments(source: str) -> list[Segment]:
    """Cut `source` at its expressions. Raises BadText for a statement, a comment, an expression without end, or too many."""
    found: list[Segment] = []
    expressions = 0
    for segment in _cut(source):
        expressions += segment.expression
        if expressions > MAX_EXPRESSIONS:
            raise BadText(segment.line, f"more than {MAX_EXPRESSIONS} expressions in one text")
        found.append(segment)
    return found


def spans(source: str) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each run of literal text and of each expression, its braces included, which is said by the third. Raises BadText."""
    start = 0
    while start < len(source):
        brace = _next_tag(source, start)
        if brace < 0:
            yield start, len(source), False
            return
        if brace > start:
            yield start, brace, False
        if source[brace + 1] == "%":
            raise BadText(_line(source, brace), "statements {% … %} are not allowed")
        if source[brace + 1] == "{" and source[brace + 2 : brace + 3] in {"-", "+"}:
            raise BadText(_line(source, brace), "{{- and {{+ are not allowed: put a space after the braces")
        if source[brace + 1] == "#":
            raise BadText(_line(source, brace), "comments {# … #} are not allowed")
        end = _end(source, brace + 2)
        if end < 0:
            raise BadText(_line(source, brace), "an expression that starts with {{ and doesn't end with }}")
        if end - brace - 2 > MAX_EXPRESSION:
            raise BadText(_line(source, brace), f"an expression longer than {MAX_EXPRESSION:,} characters")
        yield brace, end + 2, True
        start = end + 2


def _cut(source: str) -> Iterator[Segment]:
    for start, end, expression in spans(source):
        text = source[start + 2 : end - 2].strip() if expression else source[start:end]
        yield Segment(text, expression, _line(source, start))


def _next_tag(source: str, start: int) -> int:
    places = [place for tag in ("{{", "{%", "{#") if (place := source.find(tag, start)) >= 0]
    return min(places, default=-1)


def _end(source: str, start: int) -> int:
    """Where the closing braces are; quotes and inner braces are stepped over."""
    quote, depth, place = "", 0, start
    while place < len(source):
        char = source[place]
        if quote:
            place += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        elif source.startswith("}}", place):
            return place
        place += 1
    return -1


def _line(source: str, place: int) -> int:
    return source.count("\n", 0, place) + 1


def written_length(source: str) -> int:
    """Characters that stand as written, without the expressions."""
    try:
        return sum(len(segment.text) for segment in segments(source) if not segment.expression)
    except BadText:
        return 0
