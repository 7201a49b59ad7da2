"""One JSON text per meaning: what bodies are hashed by, on every database."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections.abc import Iterator
from typing import Any

from governance.findings import Finding, Invalid, pointer, shorten

DEPTH, KEYS, LARGEST = 32, 1_000, 2**53
SIZE = 1_000_000  # characters of one canonical body


def canonical(value: object) -> str:
    """Compact JSON with sorted keys. Law: equal after a round trip through SQLite's and PostgreSQL's JSON columns."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(value: object) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def normal(value: object) -> dict[str, Any]:
    """A body as it is stored: NFC text, line feeds, plain numbers. Raises Invalid with every value that no database could keep."""
    if not isinstance(value, dict):
        raise Invalid([Finding("error", "", shorten(value), "an object: the fields of the document")])
    faults = list(_faults(value, ()))
    if faults:
        raise Invalid(faults)
    body = _normal(value)
    if len(canonical(body)) > SIZE:
        raise Invalid([Finding("error", "", f"a body of {len(canonical(body)):,} characters", f"at most {SIZE:,}")])
    assert isinstance(body, dict)
    return body


def _faults(value: object, at: tuple[object, ...]) -> Iterator[Finding]:
    if len(at) > DEPTH:
        yield Finding("error", pointer(at[:4]), "a structure nested too deeply", f"at most {DEPTH} levels")
    elif isinstance(value, dict):
        if len(value) > KEYS:
            yield Finding("error", pointer(at), f"{len(value):,} fields", f"at most {KEYS:,}")
        for key, inner in value.items():
            if not isinstance(key, str):
                yield Finding("error", pointer(at), f"the field name {shorten(key)}", "field names that are text")
            elif fault := _text_fault(key):
                yield Finding("error", pointer(at), f"a field name with {fault}", "field names of plain text")
            else:
                yield from _faults(inner, (*at, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _faults(inner, (*at, place))
    else:
        yield from _leaf_faults(value, pointer(at))


def _leaf_faults(value: object, where: str) -> Iterator[Finding]:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if fault := _text_fault(value):
            yield Finding("error", where, fault, "text that every database can keep")
    elif isinstance(value, int):
        if abs(value) > LARGEST:
            yield Finding("error", where, "a whole number beyond 2^53", "a number between -2^53 and 2^53")
    elif isinstance(value, float):
        if not math.isfinite(value) or abs(value) > LARGEST:
            yield Finding("error", where, shorten(str(value)), "a finite number between -2^53 and 2^53")
    else:
        yield Finding("error", where, shorten(type(value).__name__), "text, a number, true, false, null, a list or an object")


def _text_fault(text: str) -> str:
    for char in text:
        if char == "\0" or "\ud800" <= char <= "\udfff":
            return f"the character U+{ord(char):04X}"
    return ""


def _normal(value: object) -> object:
    if isinstance(value, dict):
        return {_normal(key): _normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_normal(inner) for inner in value]
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n"))
    return 0.0 if isinstance(value, float) and value == 0 else value
