"""What a browser would send of a page's form if nobody touched it: its successful controls, in the order of the page.

A select sends the chosen option, or else the first; a box that isn't ticked sends nothing; a field of one line loses its line breaks,
and one for a day or a time loses what is none. So a page can be asked whether its form still says what the document says.
The pages are our own, so their tags are found by an expression: a parser for any page takes ten times as long, and more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

Pair = tuple[str, str]
_TAG = re.compile(r"""<(/?)(form|fieldset|input|textarea|select|option)\b((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]+)(?:=(?:"([^"]*)"|'([^']*)'))?""")
_NEVER = frozenset({"submit", "button", "reset", "image", "file"})
_TICKED = frozenset({"checkbox", "radio"})
_SHAPES: dict[str, str] = {
    "date": r"\d{4,}-\d{2}-\d{2}",
    "time": r"\d{2}:\d{2}",
    "datetime-local": r"\d{4,}-\d{2}-\d{2}T\d{2}:\d{2}",
}


def submitted(page: str, form_id: str = "editor") -> list[Pair]:
    """The names and values of what stands in the form of this id; buttons are left out, as if it was sent by script."""
    return list(_sent(page, form_id))


def _sent(page: str, form_id: str) -> Iterator[Pair]:
    inside, fieldsets = False, [False]  # of each fieldset whether it, or one around it, is disabled
    tags = _TAG.finditer(page)
    for tag in tags:
        closing, name, said = tag.groups()
        if name == "form":
            inside = not closing and _attributes(said).get("id") == form_id
        elif not inside or name == "option":
            continue
        elif name == "fieldset":
            fieldsets = fieldsets[:-1] if closing else [*fieldsets, fieldsets[-1] or "disabled" in _attributes(said)]
        elif not closing:
            found = _attributes(said)
            value = _input(found) if name == "input" else _area(page, tag.end()) if name == "textarea" else _chosen(page, tag.end())
            if value is not None and found.get("name") and "disabled" not in found and not fieldsets[-1]:
                yield found["name"], value


def _attributes(said: str) -> dict[str, str]:
    return {name: unescape(double or single) for name, double, single in _ATTRIBUTE.findall(said)}


def _input(said: dict[str, str]) -> str | None:
    kind = said.get("type", "text")
    if kind in _NEVER or (kind in _TICKED and "checked" not in said):
        return None
    if kind == "hidden" or kind in _TICKED:
        return said.get("value", "on" if kind in _TICKED else "")
    line = re.sub(r"[\r\n]", "", said.get("value", ""))
    return line if kind not in _SHAPES or re.fullmatch(_SHAPES[kind], line) else ""


def _area(page: str, start: int) -> str:
    """A text area's value: a line feed right behind its tag is none of it."""
    text = unescape(page[start : page.index("</textarea", start)])
    return re.sub(r"\r\n?", "\n", text).removeprefix("\n").replace("\n", "\r\n")


def _chosen(page: str, start: int) -> str:
    """What a select sends: the last of the chosen options, the first where none is."""
    end = page.index("</select", start)
    options = [tag for tag in _TAG.finditer(page, start, end) if not tag[1]]
    chosen = [tag for tag in options if "selected" in tag[3] and "selected" in _attributes(tag[3])] or options[:1]
    if not chosen:
        return ""
    said = _attributes(chosen[-1][3])
    return said["value"] if "value" in said else " ".join(unescape(page[chosen[-1].end() : page.index("<", chosen[-1].end())]).split())
