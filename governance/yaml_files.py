"""YAML as a notation for JSON and nothing more: read strictly, written always the same way.

Law: `read(write(body)) == body`, and equal bodies are written as equal bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.representer import SafeRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from governance.canonical import DEPTH, canonical
from governance.findings import Finding, Invalid, pointer, shorten

LARGEST = 1_000_000  # bytes of one file
FIRST = ("title", "description", "type", "id", "key", "name")  # what a reader looks for; the other fields follow by name
INTEGER, REAL = re.compile(r"[-+]?\d{1,4300}"), re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?")
WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
AMBIGUOUS = re.compile(r"(?i:y|n|yes|no|on|off)|[-+]?[\d:._]+|0[xob][\da-f_]+|\d{4}-\d\d?-\d\d?.*")  # other readers see no text here


def read(raw: bytes) -> Any:
    """The value of one YAML document: mappings, lists, text, numbers, true, false, null.

    Refused, each with its place: anchors and aliases (and so bombs), tags, directives, duplicate keys, a second
    document, other encodings. An unquoted date is text. Raises Invalid.
    """
    if len(raw) > LARGEST:
        raise _fault((), f"{len(raw):,} bytes", f"at most {LARGEST:,}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _fault((), f"a byte at {error.start} that is not UTF-8", "YAML in UTF-8") from None
    try:
        return _Builder(text).document()
    except MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _fault((), shorten(f"{error.problem or error.context}{line}"), "valid YAML") from None
    except YAMLError as error:
        raise _fault((), shorten(str(error)), "valid YAML") from None


class _Builder:
    """Builds a value from the parser's events, so that nothing is expanded, constructed or overwritten unseen."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[Event] = YAML(typ="safe", pure=True).parse(io.StringIO(text))

    def document(self) -> Any:
        values: list[Any] = []
        for event in self.events:
            if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
                raise _fault((), "a directive", "a document without % directives")
            if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent | AliasEvent):
                if values:
                    raise _fault((), "a second document", "one document per file")
                values.append(self.value(event, ()))
        return values[0] if values else None

    def value(self, event: Event, at: tuple[object, ...]) -> Any:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, AliasEvent) or anchor:
            raise _fault(at, f"the anchor or alias {shorten(str(anchor))}", "the value itself, written out")
        if tag:
            raise _fault(at, f"the tag {shorten(str(tag))}", "a plain value without a tag")
        if len(at) > DEPTH:
            raise _fault(at[:4], "a structure nested too deeply", f"at most {DEPTH} levels")
        if isinstance(event, MappingStartEvent):
            return self.mapping(at)
        if isinstance(event, SequenceStartEvent):
            return self.sequence(at)
        assert isinstance(event, ScalarEvent)
        return _scalar(event, at)

    def mapping(self, at: tuple[object, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, MappingEndEvent):
                break
            key = self.value(event, at)
            if not isinstance(key, str):
                raise _fault(at, f"the field name {shorten(key)}", "a field name that is text: quote it")
            if key in made:
                raise _fault((*at, key), f"the duplicate key {shorten(key)}", "each key once")
            made[key] = self.value(next(self.events), (*at, key))
        return made

    def sequence(self, at: tuple[object, ...]) -> list[Any]:
        made: list[Any] = []
        for event in self.events:
            if isinstance(event, SequenceEndEvent):
                break
            made.append(self.value(event, (*at, len(made))))
        return made


def _scalar(event: ScalarEvent, at: tuple[object, ...]) -> Any:
    text = event.value
    if event.style is not None:  # quoted or a block
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if REAL.fullmatch(text):
        return float(text)
    if re.fullmatch(r"[-+]?\.(?i:inf|nan)", text):
        raise _fault(at, shorten(text), "a finite number")
    return text


def write(body: dict[str, Any]) -> bytes:
    """The body as YAML: fields in a fixed order, long text as blocks, words that other readers mistake quoted."""
    raw = _dump(_ordered(body))
    return raw if _says(raw, body) else _dump(_ordered(body, quoted=True))  # some texts fit no block


def _dump(value: Any) -> bytes:
    stream = io.StringIO()
    _writer().dump(value, stream)
    return stream.getvalue().encode()


def _says(raw: bytes, body: dict[str, Any]) -> bool:
    try:
        return canonical(read(raw)) == canonical(body)
    except Invalid:
        return False


def _writer() -> YAML:
    yaml = YAML(pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 1_000_000  # lines are never folded: a fold could not be told from a change
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(type(None), _null)
    return yaml


def _null(representer: SafeRepresenter, value: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _ordered(value: Any, *, quoted: bool = False) -> Any:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
        return {_text(name, quoted): _ordered(value[name], quoted=quoted) for name in names}
    if isinstance(value, list):
        return [_ordered(item, quoted=quoted) for item in value]
    return _text(value, quoted) if isinstance(value, str) else value


def _text(text: str, quoted: bool) -> str:
    if quoted or AMBIGUOUS.fullmatch(text) or not text.isprintable() and "\n" not in text:
        return DoubleQuotedScalarString(text)
    return LiteralScalarString(text) if "\n" in text else text


def _fault(at: tuple[object, ...], found: str, expected: str) -> Invalid:
    return Invalid([Finding("error", pointer(at), found, expected)])
