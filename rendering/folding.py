"""HTML in lines that mail carries: SMTP takes 998 octets in one (RFC 5321, 4.5.3.1.6), and compiled HTML is one long line.

A longer line sends the whole mail into base64: a third more bytes, text that nobody can read in the source, and work for every copy.
A line ends only where white space stands anyway and means no more than a space: between two attributes, or between two words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SOON, AT_LAST = 400, 700  # octets of a line after which it ends between attributes, or between words; the rest is for values
_PIECE = re.compile(r"<!--.*?-->|<[^>]*>|[^<]+|<", re.DOTALL)
_BETWEEN_ATTRIBUTES, _BETWEEN_WORDS = re.compile(r'(?<=") (?=[A-Za-z])'), re.compile(" ")
_KEPT = re.compile(r"<(/?)(?:pre|textarea|script|xmp|listing|plaintext)\b", re.IGNORECASE)
_SPACE_COUNTS = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)|white-space-collapse", re.IGNORECASE)


def folded(html: str) -> str:
    """The same page with line ends in place of some of its spaces."""
    texts, length, made = not _SPACE_COUNTS.search(html), 0, list[str]()
    for piece, between in _pieces(html, texts=texts):
        most = AT_LAST if between is _BETWEEN_WORDS else SOON
        words = between.split(piece) if between is not None else [piece]
        for place, word in enumerate(words):
            ends = length + len(word.encode()) >= most
            if place:
                made.append("\n" if ends else " ")
                length = 0 if ends else length + 1
            made.append(word)
            _, line_end, tail = word.rpartition("\n")
            length = len(tail.encode()) + (0 if line_end else length)
    return "".join(made)


def _pieces(html: str, *, texts: bool) -> Iterator[tuple[str, re.Pattern[str] | None]]:
    """Tags, comments and texts, each with where it may be broken."""
    depth = 0  # inside elements whose white space is shown or run
    for found in _PIECE.finditer(html):
        piece = found[0]
        if piece.startswith("<"):
            kept = _KEPT.match(piece)
            depth = max(depth + ((-1 if kept[1] else 1) if kept else 0), 0)
            yield piece, _BETWEEN_ATTRIBUTES
        else:
            yield piece, _BETWEEN_WORDS if texts and not depth else None
