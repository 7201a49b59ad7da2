"""A text cut into words and markup, so that translators see what they may not touch. Law: the pieces, joined, are the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from presentation.segments import BadText, spans
from presentation.translatable import Look
from presentation.translation.literals import literals

Kind = Literal["words", "expression", "mark", "open", "close"]
MASK = "\ue000"  # stands for every character of an expression while markup is looked for


class Piece(NamedTuple):
    """A run of a text as written. name: what it is, in a word; pair: the number, from 1, that an opening and its closing share;
    needed: a translation without it is wrong."""

    kind: Kind
    text: str
    name: str = ""
    pair: int = 0
    needed: bool = False


_LABEL = r"(?:[^\[\]\\]|\\.)*?"
_TARGET = r"[^()\s]*(?:\([^()\s]*\)[^()\s]*)*"
_TITLE = r"""(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'))?"""
_MARKDOWN = re.compile(
    rf"(?P<escape>\\[!-/:-@\[-`{{-~])"
    rf"|(?P<code>`[^`\n]+`)"
    rf"|(?P<address><[A-Za-z][A-Za-z0-9+.-]*:[^<>\s]*>)"
    rf"|(?P<link>\[(?P<label>{_LABEL})\]\({_TARGET}{_TITLE}\))"
    rf"|(?P<start>^[ ]{{0,3}}(?:\#{{1,6}}[ \t]+|>[ ]?|[-*+][ \t]+|[0-9]{{1,9}}[.)][ \t]+))"
    rf"|(?P<stress>(?P<sign>\*\*|(?<!\w)__|~~|\*|(?<!\w)_)(?=[^\s*_])(?P<stressed>[^\n]{{1,400}}?)(?<=[^\s*_\\])(?P=sign)(?![*_]))",
    re.MULTILINE | re.DOTALL,
)
_HTML = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>|&(?:[A-Za-z][A-Za-z0-9]*|\#[0-9]+|\#x[0-9A-Fa-f]+);", re.DOTALL)
_SIGNS = {"**": "bold", "__": "bold", "*": "emphasis", "_": "emphasis", "~~": "struck out"}


@lru_cache(maxsize=8_192)
def pieces(text: str, look: Look) -> tuple[Piece, ...]:
    """The text in pieces: its expressions, and the markup of how it is written. What can't be cut is words."""
    try:
        cut = list(spans(text))
    except BadText:
        return (Piece("words", text),) if text else ()
    masked = "".join(MASK * (end - start) if expression else text[start:end].replace(MASK, "x") for start, end, expression in cut)
    return tuple(_joined(_Cutter(text, masked, [span[:2] for span in cut if span[2]]).cut(look)))


def wordless(text: str, look: Look) -> bool:
    """Whether a text has no letter outside of its markup: nothing that another language would say differently."""
    return not any(
        char.isalpha()
        for piece in pieces(text, look)
        for said in ([piece.text] if piece.kind == "words" else [each.value for each in literals(piece.text)])
        if piece.kind in {"words", "expression"}
        for char in said
    )


class _Cutter:
    def __init__(self, text: str, masked: str, expressions: list[tuple[int, int]]) -> None:
        self.text, self.masked, self.expressions, self.pairs = text, masked, expressions, 0

    def cut(self, look: Look) -> Iterator[Piece]:
        if look == "markdown":
            yield from self._markdown(0, len(self.text))
        elif look == "html":
            yield from self._html()
        else:
            yield from self._words(0, len(self.text))

    def _words(self, start: int, end: int) -> Iterator[Piece]:
        """A run without markup: words and expressions."""
        for first, last in self.expressions:
            if start <= first and last <= end:
                if start < first:
                    yield Piece("words", self.text[start:first])
                yield Piece("expression", self.text[first:last], needed=True)
                start = last
        if start < end:
            yield Piece("words", self.text[start:end])

    def _markdown(self, start: int, end: int) -> Iterator[Piece]:
        while found := _MARKDOWN.search(self.masked, start, end):
            yield from self._words(start, found.start())
            start = found.end()
            if found["link"] is not None:
                yield from self._around(found, "label", "link", needed=True)
            elif found["stress"] is not None:
                yield from self._around(found, "stressed", _SIGNS[found["sign"]])
            elif found["escape"] is not None:
                yield Piece("words", self.text[found.start() : found.end()])
            else:
                name = "code" if found["code"] is not None else "address" if found["address"] is not None else "start of a line"
                yield Piece("mark", self.text[found.start() : found.end()], name, needed=found["address"] is not None)
        yield from self._words(start, end)

    def _around(self, found: re.Match[str], inner: str, name: str, needed: bool = False) -> Iterator[Piece]:
        self.pairs += 1
        pair = self.pairs
        yield Piece("open", self.text[found.start() : found.start(inner)], name, pair)
        yield from self._markdown(found.start(inner), found.end(inner))
        yield Piece("close", self.text[found.end(inner) : found.end()], name, pair, needed)

    def _html(self) -> Iterator[Piece]:
        start = 0
        for found in _HTML.finditer(self.masked):
            yield from self._words(start, found.start())
            tag = found[0].startswith("<")
            yield Piece("mark", self.text[found.start() : found.end()], "tag" if tag else "sign", needed=tag)
            start = found.end()
        yield from self._words(start, len(self.text))


def _joined(cut: Iterator[Piece]) -> Iterator[Piece]:
    """Words side by side as one piece."""
    words = ""
    for piece in cut:
        if piece.kind == "words":
            words += piece.text
            continue
        if words:
            yield Piece("words", words)
            words = ""
        yield piece
    if words:
        yield Piece("words", words)
