"""What a browser would send of a page's form if nobody touched it: its successful controls, in the order of the page.

A select sends the chosen option, or else the first; a box that isn't ticked sends nothing; a field of one line loses its line breaks,
and one for a day or a time loses what is none. So a page can be asked whether its form still says what the document says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

Pair = tuple[str, str]
_NEVER = frozenset({"submit", "button", "reset", "image", "file"})
_SHAPES: dict[str, str] = {
    "date": r"\d{4,}-\d{2}-\d{2}",
    "time": r"\d{2}:\d{2}",
    "datetime-local": r"\d{4,}-\d{2}-\d{2}T\d{2}:\d{2}",
}


def submitted(page: str, form_id: str = "editor") -> list[Pair]:
    """The names and values of what stands in the form of this id; buttons are left out, as if it was sent by script."""
    found = _Form(form_id)
    found.feed(page)
    found.close()
    return [(name, value()) for name, value in found.controls]


class _Form(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__(convert_charrefs=True)
        self.controls: list[tuple[str, Callable[[], str]]] = []
        self._id = form_id
        self._inside = False
        self._disabled = 0  # fieldsets that are, one in another
        self._fieldsets: list[bool] = []
        self._area: list[str] | None = None
        self._option: _Option | None = None
        self._options: list[_Option] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = said.get("id") == self._id
        if not self._inside:
            return
        if tag == "fieldset":
            self._fieldsets.append("disabled" in said)
            self._disabled += "disabled" in said
        name = said.get("name", "")
        live = bool(name) and "disabled" not in said and not self._disabled
        if tag == "input":
            self._input(said, name, live)
        elif tag == "textarea":
            area: list[str] = []
            self._area = area
            if live:
                self.controls.append((name, lambda: _lines("".join(area))))
        elif tag == "select":
            options: list[_Option] = []
            self._options = options
            if live:
                self.controls.append((name, lambda: _chosen(options)))
        elif tag == "option":
            self._end_of_option()
            self._option = _Option("selected" in said, said.get("value"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "fieldset" and self._fieldsets:
            self._disabled -= self._fieldsets.pop()
        elif tag == "textarea":
            self._area = None
        elif tag in {"option", "select", "optgroup"}:
            self._end_of_option()
            self._options = None if tag == "select" else self._options

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.append(data)
        elif self._option is not None:
            self._option.text += data

    def _input(self, said: dict[str, str], name: str, live: bool) -> None:
        kind = said.get("type", "text").lower()
        if not live or kind in _NEVER or (kind in {"checkbox", "radio"} and "checked" not in said):
            return
        value = said.get("value", "on" if kind in {"checkbox", "radio"} else "")
        value = value if kind in {"hidden", "checkbox", "radio"} else _one_line(value, kind)
        self.controls.append((name, lambda: value))

    def _end_of_option(self) -> None:
        if self._option is not None and self._options is not None:
            self._options.append(self._option)
        self._option = None


class _Option:
    def __init__(self, chosen: bool, value: str | None) -> None:
        self.chosen, self.value, self.text = chosen, value, ""

    @property
    def sent(self) -> str:
        return " ".join(self.text.split()) if self.value is None else self.value


def _chosen(options: list[_Option]) -> str:
    """What a select sends: the last of the chosen options, the first where none is."""
    chosen = [each for each in options if each.chosen] or options[:1]
    return chosen[-1].sent if chosen else ""


def _one_line(value: str, kind: str) -> str:
    line = re.sub(r"[\r\n]", "", value)
    shape = _SHAPES.get(kind)
    return line if shape is None or re.fullmatch(shape, line) else ""


def _lines(text: str) -> str:
    """A text area's value: a line feed right behind its tag is none of it."""
    return re.sub(r"\r\n?", "\n", text).removeprefix("\n").replace("\n", "\r\n")
