"""Which characters may stand where: one-line texts reach mail headers, longer texts reach bodies."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

MAX_TEXT_BYTES = 64 * 1024  # one authored text
LINE_BREAKS = frozenset("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NAMES = {
    "\n": "a line break (U+000A)",
    "\r": "a line break (U+000D)",
    "\x85": "a line break (U+0085)",
    "\u2028": "a line break (U+2028)",
    "\u2029": "a line break (U+2029)",
}


def fault_in_line(text: str) -> str | None:
    """Why `text` can't be one line of a header, in words such as "control character U+0000"; None when it can."""
    for char in text:
        if char in LINE_BREAKS:
            return _NAMES.get(char, f"control character U+{ord(char):04X}")
        if char in BIDI_CONTROLS:
            return f"bidirectional override U+{ord(char):04X}"
        if unicodedata.category(char) in {"Cc", "Cs"}:
            return _unfit(char)
    return None


def fault_in_body(text: str) -> str | None:
    """Why `text` can't stand in a body: a control character other than tab and line feed, or half a surrogate pair."""
    for char in text:
        if char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cs"}:
            return _unfit(char)
    return None


def _unfit(char: str) -> str:
    kind = "half of a surrogate pair" if unicodedata.category(char) == "Cs" else "control character"
    return f"{kind} U+{ord(char):04X}"


def _line(text: str) -> str:
    if fault := fault_in_line(text):
        raise ValueError(f"one line of text without {fault}")
    return unicodedata.normalize("NFC", text)


def fixed(text: str) -> str:
    """The text, if it holds no expression. Raises ValueError."""
    if "{{" in text or "{%" in text or "{#" in text:
        raise ValueError("fixed text: expressions stand in blocks, subject and preheader")
    return text


def _body(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if fault := fault_in_body(text):
        raise ValueError(f"text without {fault}")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise ValueError("at most 64 KiB of text")
    return unicodedata.normalize("NFC", text)


Line = Annotated[str, AfterValidator(_line)]
"""One line: no control characters, line separators or bidirectional overrides; stored as NFC."""

FixedLine = Annotated[str, AfterValidator(_line), AfterValidator(fixed)]
"""One line in which expressions mean nothing, and are refused so that nobody expects them to."""

Body = Annotated[str, AfterValidator(_body)]
"""Text of several lines, at most 64 KiB, line breaks as \\n, stored as NFC."""
