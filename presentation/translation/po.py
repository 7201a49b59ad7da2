"""gettext's PO, out and in. A text's id is its context; the forms of a plural are numbered in the order of CLDR's categories.

Own code, because lines end at line feeds only: a text may hold U+2028, and whoever splits there loses half of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from governance.door import Finding, Invalid, shorten
from presentation.plurals import categories, gettext_header
from presentation.translation.exchange import MAX_MESSAGES, Heard, Incoming, Outgoing, State
from presentation.translation.messages import Message

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_UNESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"'}
_TO_ESCAPE = re.compile('[\\\\"\n\t\r]')
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_LINE = re.compile(
    r'(?P<word>msgctxt|msgid_plural|msgid|msgstr(?:\[(?P<form>[0-9]{1,2})\])?)?[ \t]*"(?P<text>(?:[^"\\]|\\.)*)"[ \t]*', re.DOTALL
)
_CHARSET = re.compile(rb"charset=([\w.:-]{1,40})", re.IGNORECASE)
_COUNT = re.compile(r"nplurals\s*=\s*([0-9]{1,2})")


def write(outgoing: Outgoing) -> bytes:
    """The file, in UTF-8."""
    return "\n".join([_header(outgoing), *_entries(outgoing.messages)]).encode()


def _header(outgoing: Outgoing) -> str:
    fields = {
        "Project-Id-Version": f"template {outgoing.key}",
        "Language": outgoing.tag.replace("-", "_"),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": gettext_header(outgoing.tag),
        "X-Source-Language": outgoing.source,
        "X-Omni-Template": outgoing.key,
        "X-Omni-Revision": str(outgoing.number),
    }
    return 'msgid ""\n' + _said("msgstr", "".join(f"{name}: {value}\n" for name, value in fields.items()))


def _entries(messages: Sequence[Message]) -> Iterator[str]:
    for _, group in groupby(messages, key=lambda each: each.id.rpartition(".")[0] if each.category else each.id):
        yield _entry(list(group))


def _entry(forms: Sequence[Message]) -> str:
    """One message, or the forms of a plural."""
    first = next((each for each in forms if each.category == "one"), forms[0])
    stale = first.status == "stale" and any(each.target for each in forms)
    notes = forms[0].notes if not first.category else (forms[0].notes[0], f"Forms: {', '.join(each.category for each in forms)}.")
    lines = [f"#. {line}\n" for note in (*notes, f"Status: {first.status}") for line in note.splitlines()]
    lines += ["#, fuzzy\n"] if stale else []
    if not first.category:
        return "".join([*lines, _said("msgctxt", first.id), _said("msgid", first.source), _said("msgstr", first.target)])
    said = [_said("msgctxt", first.id.rpartition(".")[0]), _said("msgid", first.source), _said("msgid_plural", forms[-1].source)]
    return "".join([*lines, *said, *(_said(f"msgstr[{number}]", each.target) for number, each in enumerate(forms))])


def _said(word: str, text: str) -> str:
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    if len(lines) > 1:
        return f'{word} ""\n' + "".join(f'"{_escaped(line)}"\n' for line in lines)
    return f'{word} "{_escaped(text)}"\n'


def _escaped(text: str) -> str:
    return _TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], text)


@dataclass
class _Entry:
    """What stands between two blank lines, or up to the next context."""

    line: int
    fuzzy: bool = False
    said: dict[str, str] = field(default_factory=dict)


def read(data: bytes) -> Incoming:
    """What a file says. Raises Invalid with every line that can't be read."""
    entries = list(_parsed(_text(data)))
    header = next((each.said.get("msgstr", "") for each in entries if not each.said.get("msgid") and "msgctxt" not in each.said), "")
    told = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in header.split("\n"))}
    key, number = told.get("x-omni-template", ""), told.get("x-omni-revision", "")
    if not key or not number.isascii() or not number.isdecimal() or len(number) > 9:
        expected = "the header's X-Omni-Template and X-Omni-Revision, as they were exported"
        raise Invalid([Finding("error", "/header", shorten(number if key else key or "nothing"), expected)])
    tag = told.get("language", "").replace("_", "-")
    heard, faults = _heard([each for each in entries if "msgctxt" in each.said], tag, told.get("plural-forms", ""))
    if faults:
        raise Invalid(faults)
    return Incoming(key, int(number), told.get("x-source-language", ""), tag, heard)


def _text(data: bytes) -> str:
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        said = _CHARSET.search(data)
        found = f"a byte that isn’t UTF-8 at {error.start:,}" + (f", in a file of {said[1].decode()}" if said else "")
        raise Invalid([Finding("error", "", found, "a PO file in UTF-8")]) from None


def _parsed(text: str) -> Iterator[_Entry]:
    entry, last, fuzzy, count = _Entry(1), "", False, 0
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        if line.startswith("#"):
            fuzzy |= line.startswith("#,") and "fuzzy" in [flag.strip() for flag in line[2:].split(",")]
            continue
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        if not found or not (found["word"] or last):
            raise _unread(number, shorten(line), 'msgctxt, msgid or msgstr with a text in "…", or a comment')
        word = found["word"] or last
        if found["word"] in {"msgctxt", "msgid"} and ("msgstr" in entry.said or "msgstr[0]" in entry.said):
            yield entry
            entry, count = _Entry(number), count + 1
        if count > MAX_MESSAGES:
            raise _unread(number, f"more than {MAX_MESSAGES:,} entries", "a file as it was exported")
        if found["word"] and word in entry.said:
            raise _unread(number, f"{word} a second time", "one of each in an entry")
        if fuzzy:
            entry.fuzzy, fuzzy = True, False
        entry.said[word] = entry.said.get(word, "") + _unescaped(found["text"], number)
        last = word
    if entry.said:
        yield entry


def _unread(line: int, found: str, expected: str) -> Invalid:
    return Invalid([Finding("error", f"/lines/{line}", found, expected)])


def _unescaped(text: str, line: int) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] not in _UNESCAPES:
            raise _unread(line, f"the escape \\{found[1]}", "one of " + " ".join(f"\\{each}" for each in _UNESCAPES))
        return _UNESCAPES[found[1]]

    return _ESCAPED.sub(one, text)


def _heard(entries: Sequence[_Entry], tag: str, plural_forms: str) -> tuple[dict[str, Heard], list[Finding]]:
    heard: dict[str, Heard] = {}
    faults: list[Finding] = []
    for entry in entries:
        id, source = entry.said["msgctxt"], entry.said.get("msgid", "")
        if id in heard or f"{id}.other" in heard:
            faults.append(Finding("error", f"/units/{id}", f"line {entry.line}: this unit a second time", "each unit once"))
        if "msgid_plural" not in entry.said:
            target = entry.said.get("msgstr", "")
            state: State = "unsure" if entry.fuzzy else "draft" if target else ""
            heard[id] = Heard(source, target, state, f"line {entry.line}")
            continue
        forms, wanted = [entry.said[word] for word in entry.said if word.startswith("msgstr[")], categories(tag)
        said = _COUNT.search(plural_forms)
        if len(forms) != len(wanted) or (said and int(said[1]) != len(wanted)):
            found = f"line {entry.line}: {len(forms)} plural forms ({plural_forms[:60] or 'no Plural-Forms'})"
            faults.append(Finding("error", f"/units/{id}", found, f"{len(wanted)} forms: {', '.join(wanted)}"))
            continue
        for name, text in zip(wanted, forms, strict=True):
            heard[f"{id}.{name}"] = Heard(source, text, "unsure" if entry.fuzzy else "draft" if text else "", f"line {entry.line}")
    return heard, faults
