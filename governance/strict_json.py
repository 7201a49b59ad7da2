"""JSON without guesses: one reading per body, or a 400 that names the fault and its place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from governance.canonical import DEPTH, KEYS, LARGEST
from governance.findings import Finding, pointer, shorten

DIGITS = 4_300  # of one number; Python itself reads no more
TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.S)
SURROGATE = re.compile("[\ud800-\udfff]")


class Malformed(ParseError):
    """400: the body is no JSON that we read. findings: every fault with its JSON Pointer."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(str(finding) for finding in findings[:5]))


class StrictJSONParser(BaseParser):
    """The only parser of the API: `application/json` in UTF-8."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", media_type or "", re.I)
        if charset and charset[1].lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType(media_type or "", detail="JSON is expected in UTF-8.")
        return loads(stream.read())


class _Fault:
    """Stands in the parsed value where something can't be accepted, until its place is known."""

    def __init__(self, found: str, expected: str) -> None:
        self.found, self.expected = found, expected


def loads(raw: bytes) -> Any:
    """Parse strictly: no duplicate keys, NaN or Infinity, NUL or lone surrogates; at most 32 levels and 1,000 keys
    an object; numbers of at most 2^53. Raises Malformed."""
    text = _decode(raw)
    _refuse_depth(raw)
    suspects: list[_Fault] = []
    try:
        value = _decoder(suspects).decode(text)
    except json.JSONDecodeError as error:
        raise Malformed([Finding("error", "", f"{error.msg.lower()} in line {error.lineno}, column {error.colno}", "valid JSON")]) from None
    if suspects or "\\u" in text:
        faults = list(_faults(value, ()))
        if faults:
            raise Malformed(faults)
    return value


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) or b"\0" in raw[:4]:
        raise Malformed([Finding("error", "", "a byte order mark or another encoding", "JSON in UTF-8 without a byte order mark")])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed([Finding("error", "", f"a byte at {error.start} that is not UTF-8", "JSON in UTF-8")]) from None


def _refuse_depth(raw: bytes) -> None:
    """Before parsing, which is recursive."""
    if raw.count(b"[") + raw.count(b"{") <= DEPTH:
        return
    depth = 0
    for token in TOKENS.finditer(raw):
        first = raw[token.start()]
        depth += (first in b"[{") - (first in b"]}")
        if depth > DEPTH:
            raise Malformed([Finding("error", "", "a structure nested too deeply", f"at most {DEPTH} levels")])


def _decoder(suspects: list[_Fault]) -> json.JSONDecoder:
    def fault(found: str, expected: str) -> _Fault:
        suspects.append(_Fault(found, expected))
        return suspects[-1]

    def pairs(items: list[tuple[str, Any]]) -> Any:
        made = dict(items)
        if len(items) > KEYS:
            return fault(f"{len(items):,} keys", f"at most {KEYS:,} keys in one object")
        if len(made) < len(items):
            seen: set[str] = set()
            twice = next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            return fault(f"the duplicate key {shorten(twice)}", "each key once")
        return made

    def integer(digits: str) -> Any:
        if len(digits) > DIGITS:
            return fault(f"a number of {len(digits):,} digits: number too large", "a number between -2^53 and 2^53")
        number = int(digits)
        return number if abs(number) <= LARGEST else fault(shorten(digits), "a number between -2^53 and 2^53")

    def real(digits: str) -> Any:
        number = float(digits)
        if not math.isfinite(number) or abs(number) > LARGEST:
            return fault(shorten(digits), "a finite number between -2^53 and 2^53")
        return number

    def constant(word: str) -> Any:
        return fault(word, "a finite number or null")

    return json.JSONDecoder(object_pairs_hook=pairs, parse_int=integer, parse_float=real, parse_constant=constant)


def _faults(value: Any, at: tuple[object, ...]) -> Iterator[Finding]:
    if isinstance(value, _Fault):
        yield Finding("error", pointer(at), value.found, value.expected)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if bad := _bad_text(key):
                yield Finding("error", pointer(at), f"a key with {bad}", "text without it")
            yield from _faults(inner, (*at, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _faults(inner, (*at, place))
    elif isinstance(value, str) and (bad := _bad_text(value)):
        yield Finding("error", pointer(at), bad, "text without it")


def _bad_text(text: str) -> str:
    if "\0" in text:
        return "the control character U+0000"
    return "a lone surrogate" if SURROGATE.search(text) else ""
