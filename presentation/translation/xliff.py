"""XLIFF 2.0, out and in. Markup and expressions are inline codes whose text stands in the unit's original data, so no tool changes it.

Coming in, a file is somebody else's: its size is bounded, a document type (and with it every entity) is refused, nothing is fetched.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from governance.door import Finding, Invalid, shorten
from presentation.translation.exchange import MAX_MESSAGES, Heard, Incoming, Outgoing, State
from presentation.translation.messages import Message
from presentation.translation.pieces import Piece, pieces
from presentation.translation.records import Status

CORE = "urn:oasis:names:tc:xliff:document:2.0"
ORIGINAL = re.compile(r"template/([a-z0-9][a-z0-9_-]{0,79})/([0-9]{1,9})")
STALE = "omni:stale"
_STATES: dict[Status, str] = {"missing": "initial", "stale": "initial", "draft": "translated", "reviewed": "reviewed"}
_READ: dict[str, State] = {"initial": "", "translated": "draft", "reviewed": "reviewed", "final": "reviewed"}
_BY_CARE: tuple[State, ...] = ("", "unsure", "draft", "reviewed")
_ESCAPED = re.compile('[&<>"\n\r\t]|[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
_TEXT_ESCAPED = re.compile("[&<>\r]|[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def write(outgoing: Outgoing) -> bytes:
    """The file, in UTF-8."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xliff xmlns="{CORE}" version="2.0" srcLang="{outgoing.source}" trgLang="{outgoing.tag}">\n'
        f' <file id="template" original="template/{outgoing.key}/{outgoing.number}" xml:space="preserve">\n'
    )
    return "".join([head, *(_unit(message) for message in outgoing.messages), " </file>\n</xliff>\n"]).encode()


def _unit(message: Message) -> str:
    codes = _Codes(message)
    source = codes.written(pieces(message.source, message.look))
    target = codes.written(pieces(message.target, message.look), again=True) if message.target else None
    notes = "".join(f"<note>{_attribute(note)}</note>" for note in message.notes)
    data = "".join(f'<data id="{id}">{_text(text)}</data>' for text, id in codes.data.items())
    state = _STATES[message.status] + (f'" subState="{STALE}' if message.status == "stale" else "")
    return (
        f'  <unit id="{token(message.id)}" name="{_attribute(message.id)}">\n'
        + (f"   <notes>{notes}</notes>\n" if notes else "")
        + (f"   <originalData>{data}</originalData>\n" if data else "")
        + f'   <segment state="{state}">\n    <source>{source}</source>\n'
        + (f"    <target>{target}</target>\n" if target is not None else "")
        + "   </segment>\n  </unit>\n"
    )


class _Codes:
    """The inline codes of one unit: the same markup has the same id in source and target."""

    def __init__(self, message: Message) -> None:
        self.inner = message.inner
        self.data: dict[str, str] = {}
        self.known: dict[tuple[str, ...], list[str]] = {}
        self.count = 0

    def written(self, cut: tuple[Piece, ...], *, again: bool = False) -> str:
        """The pieces as XML. again: they are the target's, and take the ids of the source's where they are the same."""
        free = {key: list(ids) for key, ids in self.known.items()} if again else {}
        closing = {piece.pair: piece for piece in cut if piece.kind == "close"}
        made = []
        for piece in cut:
            if piece.kind == "words":
                made.append(_text(piece.text))
            elif piece.kind == "close":
                made.append("</pc>")
            else:
                key = (piece.text, closing[piece.pair].text) if piece.kind == "open" else (piece.text,)
                made.append(self._code(piece, key, free[key].pop(0) if free.get(key) else self._new(key, keep=not again)))
        return "".join(made)

    def _new(self, key: tuple[str, ...], *, keep: bool) -> str:
        self.count += 1
        if keep:
            self.known.setdefault(key, []).append(str(self.count))
        return str(self.count)

    def _code(self, piece: Piece, key: tuple[str, ...], id: str) -> str:
        shown = _attribute(shorten(piece.text))
        if piece.kind == "open":
            refs = f'dataRefStart="{self._ref(key[0])}" dataRefEnd="{self._ref(key[1])}"'
            delete = "no" if piece.name == "link" else "yes"
            return f'<pc id="{id}" canDelete="{delete}" {refs} dispStart="{shown}" dispEnd="{_attribute(shorten(key[1]))}">'
        flows = f' subFlows="{" ".join(map(token, self.inner[piece.text]))}"' if self.inner.get(piece.text) else ""
        return f'<ph id="{id}" canDelete="{"no" if piece.needed else "yes"}" dataRef="{self._ref(piece.text)}" disp="{shown}"{flows}/>'

    def _ref(self, text: str) -> str:
        return self.data.setdefault(text, f"d{len(self.data) + 1}")


def token(id: str) -> str:
    """A message's id as XML's names are made: without slashes."""
    return id.replace("/", ":").replace("#", "::")


def untoken(name: str) -> str:
    """The message's id of a unit's."""
    return name.replace("::", "#").replace(":", "/")


def _attribute(text: str) -> str:
    return _ESCAPED.sub(lambda found: _NAMED.get(found[0]) or (f"&#{ord(found[0])};" if found[0] in "\n\r\t" else "�"), text)


def _text(text: str) -> str:
    return _TEXT_ESCAPED.sub(
        lambda found: _NAMED.get(found[0]) or ("&#13;" if found[0] == "\r" else f'<cp hex="{ord(found[0]):04X}"/>'), text
    )


def read(data: bytes) -> Incoming:
    """What a file says. Raises Invalid: no XML, a document type, no XLIFF 2, a placeholder without its data."""
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        found = f"XML that breaks off at line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}"
        raise _unfit(found) from None
    except (LookupError, ValueError) as error:
        raise _unfit(f"XML in an encoding that can't be read: {shorten(str(error))}") from None
    return reader.done()


def _unfit(found: str, expected: str = "an XLIFF 2.0 file as it was exported", at: str = "") -> Invalid:
    return Invalid([Finding("error", at, found, expected)])


_Part = tuple[str, str | None]
"""Text and None, or the id of an inline code and the reference to its data."""


class _Reader:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.root = False
        self.languages = ("", "")
        self.origins: list[str] = []
        self.heard: dict[str, Heard] = {}
        self.faults: list[Finding] = []
        self.unit, self.line = "", 0
        self.data: dict[str, str] = {}
        self.at: list[_Part] | None = None
        self.ends: list[_Part] = []
        self.data_id: str | None = None
        self.sources: list[list[_Part]] = []
        self.targets: list[tuple[int, list[_Part]]] = []
        self.kept: list[tuple[int, list[_Part]]] = []  # of segments that have no words and no target: they stay as they are
        self.untranslated = self.spoken = False
        self.states: list[State] = []

    def _doctype(self, *_: object) -> None:
        raise _unfit("a document type declaration", "XML without one: nothing outside of the file counts")

    def _start(self, tag: str, given: dict[str, str]) -> None:
        space, _, name = tag.rpartition(" ")
        if not self.root:
            self._begin(space, name, given)
        if space != CORE:
            return
        if self.at is not None:
            self._inline(name, given)
        elif name == "file":
            self.origins.append(given.get("original", ""))
        elif name == "unit":
            self._open_unit(given)
        elif name == "data":
            self.data_id = given.get("id", "")
            self.data[self.data_id] = ""
        elif name == "cp" and self.data_id is not None:
            self.data[self.data_id] += self._character(given)
        elif name in {"segment", "ignorable"}:
            self._open_segment(name, given)
        elif name == "source":
            self.at = []
            self.sources.append(self.at)
        elif name == "target":
            self.at, self.spoken = [], True
            self.targets.append((int(order) if (order := given.get("order", "")).isdecimal() else len(self.sources), self.at))

    def _begin(self, space: str, name: str, given: dict[str, str]) -> None:
        self.root = True
        if (space, name) != (CORE, "xliff"):
            found = f"XLIFF {given['version']}" if name == "xliff" and "version" in given else f"a document of {shorten(name)}"
            raise _unfit(found, "XLIFF 2.0, with its namespace")
        self.languages = (given.get("srcLang", ""), given.get("trgLang", ""))

    def _open_unit(self, given: dict[str, str]) -> None:
        self.unit, self.line = untoken(given.get("id", "")), self.parser.CurrentLineNumber
        self.data, self.sources, self.targets, self.kept, self.states, self.untranslated = {}, [], [], [], [], False
        if len(self.heard) >= MAX_MESSAGES:
            raise _unfit(f"more than {MAX_MESSAGES:,} units", "a file as it was exported")
        if self.unit in self.heard:
            self.faults.append(Finding("error", f"/units/{self.unit}", f"line {self.line}: this unit a second time", "each unit once"))

    def _open_segment(self, name: str, given: dict[str, str]) -> None:
        self.spoken = False
        if name == "segment":
            state = _READ.get(given.get("state", "initial"), "")
            self.states.append("unsure" if given.get("subState") == STALE and not state else state)

    def _inline(self, name: str, given: dict[str, str]) -> None:
        assert self.at is not None
        id = given.get("id") or given.get("startRef") or "?"
        if name == "pc":
            self.at.append((id, given.get("dataRefStart", "")))
            self.ends.append((id, given.get("dataRefEnd", "")))
        elif name in {"ph", "sc", "ec"}:
            self.at.append((id, given.get("dataRef", "")))
        elif name == "cp":
            self.at.append((self._character(given), None))

    def _character(self, given: dict[str, str]) -> str:
        try:
            return chr(int(given.get("hex", ""), 16))
        except (ValueError, OverflowError):
            self.faults.append(
                Finding("error", f"/units/{self.unit}", f"cp {shorten(given.get('hex', ''))}", "a code point in hexadecimal")
            )
            return ""

    def _characters(self, text: str) -> None:
        if self.at is not None:
            self.at.append((text, None))
        elif self.data_id is not None:
            self.data[self.data_id] += text

    def _end(self, tag: str) -> None:
        space, _, name = tag.rpartition(" ")
        if space != CORE:
            return
        if name == "pc" and self.at is not None and self.ends:
            self.at.append(self.ends.pop())
        elif name in {"source", "target"}:
            self.at, self.ends = None, []
        elif name == "data":
            self.data_id = None
        elif name in {"segment", "ignorable"} and self.sources and not self.spoken:
            words = name == "segment" and any(text.strip() for text, ref in self.sources[-1] if ref is None)
            self.untranslated |= words
            self.kept += [] if words else [(len(self.sources), self.sources[-1])]
        elif name == "unit":
            self._close_unit()

    def _close_unit(self) -> None:
        source = "".join(self._joined(part) for part in self.sources)
        said = [] if self.untranslated or not self.targets else [*self.targets, *self.kept]
        targets = [part for _, part in sorted(said, key=lambda each: each[0])]
        target = "".join(self._joined(part) for part in targets)
        least: State = min(self.states, key=_BY_CARE.index) if self.states else ""
        self.heard[self.unit] = Heard(source, target, least, f"line {self.line}")

    def _joined(self, parts: list[_Part]) -> str:
        return "".join(self._part(text, ref) for text, ref in parts)

    def _part(self, text: str, ref: str | None) -> str:
        if ref is None:
            return text
        if ref not in self.data:
            found = f"line {self.line}: the placeholder {shorten(text)} without its original data"
            self.faults.append(Finding("error", f"/units/{self.unit}", found, "the source’s placeholders, as they were exported"))
            return ""
        return self.data[ref]

    def done(self) -> Incoming:
        origins = [ORIGINAL.fullmatch(origin) for origin in self.origins]
        if len(origins) != 1 or origins[0] is None:
            told = "several files" if len(origins) > 1 else shorten(self.origins[0] if self.origins else "nothing")
            raise _unfit(told, 'original="template/KEY/REVISION", as it was exported', "/original")
        if self.faults:
            raise Invalid(self.faults)
        return Incoming(origins[0][1], int(origins[0][2]), *self.languages, self.heard)
