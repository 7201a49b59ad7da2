"""The safe subset of Markdown that text blocks are written in: no HTML, no images, no code fences, no tables."""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.token import Token

from presentation.segments import segments

_OFF = ["image", "html_inline", "html_block", "code", "fence", "reference", "lheading"]
_STAND_IN = re.compile(r"zqxhole([0-9]+)hole")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough").disable(_OFF)
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # our own rules judge links, and say why
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    return parser


_PARSER = _parser()


def parse(text: str) -> list[Token]:
    """The token stream of a text whose expressions have been replaced by stand-ins (letters and digits only)."""
    return _PARSER.parse(text)


def stand_in(source: str, replacement: Callable[[str], str]) -> str:
    """The text with each expression (without its braces) replaced."""
    return "".join(replacement(segment.text) if segment.expression else segment.text for segment in segments(source))


def link_targets(source: str) -> list[str]:
    """Where the links of a Markdown text lead, as written."""
    kept: list[str] = []

    def replacement(expression: str) -> str:
        kept.append(expression)
        return f"zqxhole{len(kept) - 1}hole"

    tokens = parse(stand_in(source, replacement))
    targets = [str(inner.attrs["href"]) for token in tokens for inner in token.children or () if inner.type == "link_open"]
    return [_STAND_IN.sub(lambda match: "{{ " + kept[int(match.group(1))] + " }}", target) for target in targets]
